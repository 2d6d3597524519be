// The firmware's console, memory and files.
// SPDX-License-Identifier: MIT
#include "firmware.h"

#include <baremetal/log.h>

enum {
    COM1 = 0x3f8,
    SERIAL_SPINS = 0x10000, // bounded: there may be no serial port
    PAUSE_100NS = 30000000,
    EVENT_TIMER = 0x80000000,
    TIMER_RELATIVE = 2,
    MAP_ROOM = 64, // entries that the map may grow by
    VARIABLE_MAX = 1024,
    MODE_READ = 1
};

struct bm_efi_system_table *bm_efi_system;
struct bm_efi_boot_services *bm_efi_boot;
static bool console_is_serial;

// The compiler calls these for structures.
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return start;
}

void *memset(void *to, int value, size_t size)
{
    void *start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
    return start;
}

int memcmp(const void *a, const void *b, size_t size)
{
    for (const uint8_t *p = a, *q = b; size--; p++, q++)
        if (*p != *q)
            return *p - *q;
    return 0;
}

void bm_efi_start(struct bm_efi_system_table *system)
{
    static const struct bm_efi_guid global = BM_EFI_GLOBAL_GUID;
    static const bm_efi_char name[] = {'C', 'o', 'n', 'O', 'u', 't', 0};
    bm_efi_system = system;
    bm_efi_boot = system->boot;
    bm_efi_boot->set_watchdog_timer(0, 0, 0, NULL);
    uint8_t paths[VARIABLE_MAX];
    uint64_t size = sizeof(paths);
    if (system->runtime->get_variable(name, &global, NULL, &size, paths) == BM_EFI_SUCCESS)
        console_is_serial = bm_efi_path_serial(paths, size);
}

bool bm_efi_secure_boot(void)
{
    static const struct bm_efi_guid global = BM_EFI_GLOBAL_GUID;
    static const bm_efi_char name[] = {'S', 'e', 'c', 'u', 'r', 'e', 'B', 'o', 'o', 't', 0};
    uint8_t value = 0;
    uint64_t size = sizeof(value);
    return bm_efi_system->runtime->get_variable(name, &global, NULL, &size, &value) == BM_EFI_SUCCESS &&
           value == 1;
}

static uint8_t port_in(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

void bm_efi_print_serial(const char *text)
{
    for (; *text; text++) {
        for (int i = 0; i < SERIAL_SPINS && !(port_in(COM1 + 5) & 0x20); i++)
            ;
        __asm__ volatile("outb %0, %1" : : "a"(*text), "Nd"((uint16_t)COM1));
    }
}

void bm_efi_print_console(const char *text)
{
    while (*text && bm_efi_system->console_out) {
        bm_efi_char piece[64];
        unsigned length = 0;
        while (*text && length < sizeof(piece) / sizeof(*piece) - 1)
            piece[length++] = (uint8_t)*text++;
        piece[length] = 0;
        bm_efi_system->console_out->output(bm_efi_system->console_out, piece);
    }
}

void bm_efi_print(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    bm_format_list(text, sizeof(text) - 2, format, arguments);
    va_end(arguments);
    char *end = text;
    while (*end)
        end++;
    __builtin_memcpy(end, "\r\n", 3);
    bm_efi_print_console(text);
    if (!console_is_serial || !bm_efi_system->console_out)
        bm_efi_print_serial(text);
}

void bm_efi_pause(void)
{
    void *events[2];
    uint64_t index, count = 1;
    if (bm_efi_boot->create_event(EVENT_TIMER, 0, NULL, NULL, &events[0]) != BM_EFI_SUCCESS ||
        bm_efi_boot->set_timer(events[0], TIMER_RELATIVE, PAUSE_100NS) != BM_EFI_SUCCESS)
        return;
    struct bm_efi_text_input *input = bm_efi_system->console_in;
    if (input && input->wait_for_key)
        events[count++] = input->wait_for_key;
    if (bm_efi_boot->wait_for_event(count, events, &index) == BM_EFI_SUCCESS && index == 1) {
        uint32_t key;
        input->read_key(input, &key); // or the firmware's next question would have its answer
    }
}

uint64_t bm_efi_pages(enum bm_efi_memory_type type, uint64_t bytes, uint64_t max)
{
    uint64_t address = max;
    uint64_t pages = (bytes + BM_EFI_PAGE - 1) / BM_EFI_PAGE;
    return bm_efi_boot->allocate_pages(BM_EFI_MAX_ADDRESS, type, pages, &address) == BM_EFI_SUCCESS ? address
                                                                                                    : 0;
}

bm_efi_status bm_efi_map_get(struct bm_efi_map *map, uint64_t *key)
{
    static uint8_t *buffer;
    static uint64_t room;
    for (int i = 0; i < 4; i++) {
        uint32_t version;
        map->size = room;
        bm_efi_status status =
            bm_efi_boot->get_memory_map(&map->size, buffer, key, &map->entry_size, &version);
        map->entries = buffer;
        if (status != BM_EFI_BUFFER_TOO_SMALL)
            return status;
        room = (map->size + MAP_ROOM * map->entry_size + BM_EFI_PAGE - 1) & ~(uint64_t)(BM_EFI_PAGE - 1);
        buffer = (void *)bm_efi_pages(BM_EFI_LOADER_DATA, room, UINT64_MAX);
        if (!buffer)
            return BM_EFI_OUT_OF_RESOURCES;
    }
    return BM_EFI_BUFFER_TOO_SMALL;
}

int64_t bm_efi_file_get(bm_efi_handle device, const bm_efi_char *path, void *bytes, uint64_t max)
{
    static const struct bm_efi_guid guid = BM_EFI_FILE_SYSTEM_GUID;
    struct bm_efi_file_system *volume;
    struct bm_efi_file *root, *file;
    if (!device || bm_efi_boot->handle_protocol(device, &guid, (void **)&volume) != BM_EFI_SUCCESS ||
        volume->open_volume(volume, &root) != BM_EFI_SUCCESS)
        return -1;
    int64_t result = -1;
    if (root->open(root, &file, path, MODE_READ, 0) == BM_EFI_SUCCESS) {
        if (file->read(file, &max, bytes) == BM_EFI_SUCCESS)
            result = (int64_t)max;
        file->close(file);
    }
    root->close(root);
    return result;
}
