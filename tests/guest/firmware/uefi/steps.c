// An EFI program of the tests: does what the lines of STEPS.TXT beside it say, each as a firmware might.
// SPDX-License-Identifier: MIT
//
//   start NAME [options]       loads and starts an EFI file beside this one; the words after it are its load
//   options take TYPE ADDRESS PAGES    allocates memory of a type (numbers) at an address: it is in the
//   loader's way then stale COUNT                the memory map changes behind the loader's back: ending boot
//   services fails so many times say TEXT                   prints a line
#include "firmware.h"

enum { STEPS_MAX = 4096, FILE_MAX = 2 << 20 };

bm_efi_status BM_EFI_API bm_efi_main(bm_efi_handle self, struct bm_efi_system_table *system);

static bm_efi_handle own_handle;
static struct bm_efi_loaded_image *own_image;
static const struct bm_efi_guid image_guid = BM_EFI_LOADED_IMAGE_GUID;

static bool starts_with(const char *text, const char *word)
{
    while (*word && *text == *word)
        text++, word++;
    return !*word;
}

static uint64_t number(const char **text)
{
    uint64_t value = 0;
    while (**text == ' ')
        ++*text;
    unsigned base = starts_with(*text, "0x") ? 16 : 10;
    if (base == 16)
        *text += 2;
    for (;; ++*text) {
        unsigned c = (unsigned char)**text;
        unsigned digit = c >= 'a' ? c - 'a' + 10 : c - '0';
        if (digit >= base)
            return value;
        value = value * base + digit;
    }
}

static void start(const char *text)
{
    static uint8_t bytes[FILE_MAX];
    static bm_efi_char options[512];
    bm_efi_char path[BM_EFI_PATH_MAX];
    char name[BM_EFI_NAME_MAX] = "";
    unsigned length = 0;
    for (; *text && *text != ' ' && length < sizeof(name) - 1; text++)
        name[length++] = *text;
    length = 0;
    for (text += *text == ' '; *text && length < 511; text++)
        options[length++] = (bm_efi_char)*text;
    options[length] = 0;
    bm_efi_path_beside(path, own_image->path, name);
    int64_t size = bm_efi_file_get(own_image->device, path, bytes, sizeof(bytes));
    bm_efi_handle handle;
    struct bm_efi_loaded_image *image;
    bm_efi_status status =
        bm_efi_boot->load_image(false, own_handle, own_image->path, bytes, (uint64_t)size, &handle);
    if (status == BM_EFI_SUCCESS) {
        bm_efi_boot->handle_protocol(handle, &image_guid, (void **)&image);
        image->device = own_image->device; // a buffer has none
        image->options = length ? options : NULL;
        image->options_size = length ? 2 * length + 2 : 0;
        status = bm_efi_boot->start_image(handle, NULL, NULL);
        bm_efi_print("steps: %s came back with 0x%lx", name, status);
    } else {
        bm_efi_print("steps: %s was not loaded: 0x%lx", name, status);
    }
}

static void take(const char *text)
{
    uint64_t type = number(&text), address = number(&text), pages = number(&text), at = address;
    bm_efi_status status = bm_efi_boot->allocate_pages(BM_EFI_ADDRESS, (uint32_t)type, pages, &at);
    bm_efi_print("steps: taken 0x%lx (0x%lx)", address, status);
}

static uint64_t stale_count;
static bm_efi_status(BM_EFI_API *real_exit)(bm_efi_handle image, uint64_t key);

static bm_efi_status BM_EFI_API stale_exit(bm_efi_handle image, uint64_t key)
{
    void *buffer;
    if (stale_count) {
        stale_count--;
        bm_efi_boot->allocate_pool(BM_EFI_BOOT_DATA, 1 << 16, &buffer);
        bm_efi_print_serial("steps: the map changes\r\n");
    }
    return real_exit(image, key);
}

static void stale(const char *text)
{
    stale_count = number(&text);
    real_exit = bm_efi_boot->exit_boot_services;
    bm_efi_boot->exit_boot_services = stale_exit;
}

// The variable ConOut, with a device path that has no serial line in it.
static void screen(void)
{
    static const struct bm_efi_guid global = BM_EFI_GLOBAL_GUID;
    static const bm_efi_char name[] = {'C', 'o', 'n', 'O', 'u', 't', 0};
    static const uint8_t path[] = {1, 1, 6, 0, 0, 1, 0x7f, 0xff, 4, 0};
    bm_efi_status status = bm_efi_system->runtime->set_variable(name, &global, 7, sizeof(path), path);
    if (status != BM_EFI_SUCCESS)
        bm_efi_print("steps: ConOut was not set: 0x%lx", status);
}

static void step(const char *line)
{
    if (starts_with(line, "start "))
        start(line + 6);
    else if (starts_with(line, "take "))
        take(line + 5);
    else if (starts_with(line, "stale "))
        stale(line + 6);
    else if (starts_with(line, "screen"))
        screen();
    else if (starts_with(line, "say "))
        bm_efi_print("%s", line + 4);
}

bm_efi_status BM_EFI_API bm_efi_main(bm_efi_handle self, struct bm_efi_system_table *system)
{
    static char steps[STEPS_MAX];
    bm_efi_char path[BM_EFI_PATH_MAX];
    own_handle = self;
    bm_efi_start(system);
    bm_efi_boot->handle_protocol(self, &image_guid, (void **)&own_image);
    bm_efi_path_beside(path, own_image->path, "STEPS.TXT");
    if (bm_efi_file_get(own_image->device, path, steps, STEPS_MAX - 1) < 0)
        bm_efi_print("steps: there is no STEPS.TXT");
    for (char *line = steps; *line;) {
        char *end = line;
        while (*end && *end != '\n')
            end++;
        char *next = *end ? end + 1 : end;
        *end = 0;
        step(line);
        line = next;
    }
    return BM_EFI_SUCCESS;
}
