// BOOTX64.EFI: starts the image that it carries.
// SPDX-License-Identifier: MIT
//
// The firmware loads this program with the image in a section of its own. Each step that can fail comes
// before boot services end, while there is a console for the sentence that says why. docs/uefi.md walks
// through it.
#include "boot_fixups.h" // made of boot/entry.S
#include "firmware.h"
#include "information.h"
#include "payload.h"

#include <baremetal/log.h>

#define FOUR_GIB_LAST 0xffffffffull

enum { INFORMATION_MAX = 20 << 10, REGIONS_MAX = 512, EXIT_TRIES = 8, FILE_MAX = 2 * BM_EFI_LINE_MAX + 2 };
enum { ACPI_1_SIZE = 20, ACPI_2_SIZE = 36 };

// What handover.S reads; all addresses are physical, below 4 GiB.
struct bm_handover {
    uint32_t entry, information;
};

extern const char bm_handover_begin[], bm_handover_end[];
enum { HANDOVER_AT = 2048 }; // of the structure, on the page of the code

bm_efi_status BM_EFI_API bm_efi_main(bm_efi_handle self, struct bm_efi_system_table *system);

#define FAIL(...) (bm_efi_print("error: boot: " __VA_ARGS__), false)

static bool find_payload(const struct bm_efi_loaded_image *image, struct bm_payload *payload)
{
    char reason[BM_PAYLOAD_REASON_MAX];
    uint64_t size;
    const uint8_t *bytes = bm_payload_find(image->base, image->size, &size);
    if (!bytes)
        return FAIL("this EFI file carries no image; make it with baremetal_add_image(... FORMATS efi)");
    if (!bm_payload_read(payload, bytes, size, reason))
        return FAIL("%s; build or copy the EFI file again", reason);
    return true;
}

// There is neither the image's own place nor another one of its size.
static bool tell_obstacle(const struct bm_payload *payload, uint64_t length)
{
    struct bm_efi_memory_descriptor obstacle;
    struct bm_efi_map map;
    uint64_t key;
    char where[128] = "";
    if (bm_efi_map_get(&map, &key) != BM_EFI_SUCCESS)
        map.size = 0;
    else if (!bm_efi_map_free(&map, payload->begin, payload->end, &obstacle))
        bm_format(where, sizeof(where), " (at its own address, 0x%lx to 0x%lx is %s)", obstacle.physical,
                  obstacle.physical + obstacle.pages * BM_EFI_PAGE, bm_efi_memory_name(obstacle.type));
    return FAIL(
        "the image needs %lu KiB in one piece below 4 GiB, which are not free%s; the machine has %lu KiB "
        "beside what the firmware keeps: give it more memory",
        length >> 10, where, bm_efi_map_usable(&map) >> 10);
}

// Loads the image where it is linked to or, where the firmware has something there, anywhere below 4 GiB.
static bool place(const struct bm_payload *payload, struct bm_handover *where)
{
    uint64_t length = payload->end - payload->begin, at = payload->begin;
    if (bm_efi_boot->allocate_pages(BM_EFI_ADDRESS, BM_EFI_LOADER_DATA, length / BM_EFI_PAGE, &at) !=
        BM_EFI_SUCCESS)
        at = bm_efi_pages(BM_EFI_LOADER_DATA, length, FOUR_GIB_LAST);
    if (!at)
        return tell_obstacle(payload, length);
    bm_payload_load(payload, (uint8_t *)at);
    if (at != payload->begin && !bm_payload_relocate(payload, (uint8_t *)at, at, bm_boot_fixups,
                                                     sizeof(bm_boot_fixups) / sizeof(*bm_boot_fixups)))
        return FAIL("the image's addresses are not where this loader expects them; build image and EFI file "
                    "anew, with one package");
    where->entry = (uint32_t)(payload->entry + at - payload->begin);
    return true;
}

// From the load options, else from the file beside this one, else none: then the image's own counts.
static void read_command_line(const struct bm_efi_loaded_image *image, char line[BM_EFI_LINE_MAX])
{
    bm_efi_char path[BM_EFI_PATH_MAX];
    static uint8_t bytes[FILE_MAX];
    if (!bm_efi_options_read(line, image->options, image->options ? image->options_size : 0))
        bm_efi_print("warning: boot: the firmware's load options are no text of at most %d characters; they "
                     "are left out",
                     BM_EFI_LINE_MAX - 1);
    if (line[0] || !image->path || !bm_efi_path_beside(path, image->path, ".txt"))
        return;
    int64_t size = bm_efi_file_get(image->device, path, bytes, sizeof(bytes));
    if (size > 0 && !bm_efi_file_read(line, bytes, (uint64_t)size))
        bm_efi_print("warning: boot: the file of the command line, beside the EFI file, is no ASCII text of "
                     "at most %d characters; it is left out",
                     BM_EFI_LINE_MAX - 1);
}

// What is signed says what runs: nobody who can write the disk or the boot entries changes its words.
static void close_command_line(const struct bm_payload *payload, char *line)
{
    if (!line[0] || !(payload->header.flags & BM_PAYLOAD_CLOSED) || !bm_efi_secure_boot())
        return;
    bm_efi_print(
        "warning: boot: under Secure Boot the command line in the image is the only one; that of the load "
        "options or of the file beside is ignored (baremetal_add_image(... CMDLINE_OPEN) lets it count)");
    line[0] = 0;
}

static bool same_guid(const struct bm_efi_guid *a, const struct bm_efi_guid *b)
{
    return __builtin_memcmp(a, b, sizeof(*a)) == 0;
}

// The root pointer of ACPI 2.0 and later, else that of 1.0.
static void tell_acpi(struct bm_information *info)
{
    static const struct bm_efi_guid old_guid = BM_EFI_ACPI_1_GUID, new_guid = BM_EFI_ACPI_2_GUID;
    const void *old_table = NULL, *new_table = NULL;
    for (uint64_t i = 0; i < bm_efi_system->table_count; i++) {
        const struct bm_efi_configuration_table *entry = &bm_efi_system->tables[i];
        if (same_guid(&entry->guid, &new_guid))
            new_table = entry->table;
        else if (same_guid(&entry->guid, &old_guid))
            old_table = entry->table;
    }
    if (new_table)
        bm_information_acpi(info, new_table, ACPI_2_SIZE);
    else if (old_table)
        bm_information_acpi(info, old_table, ACPI_1_SIZE);
}

// The first screen that has memory to draw into.
static void tell_screen(struct bm_information *info)
{
    static const struct bm_efi_guid guid = BM_EFI_GRAPHICS_GUID;
    bm_efi_handle *handles;
    uint64_t count;
    if (bm_efi_boot->locate_handle_buffer(BM_EFI_BY_PROTOCOL, &guid, NULL, &count, &handles) !=
        BM_EFI_SUCCESS)
        return;
    for (uint64_t i = 0; i < count; i++) {
        struct bm_efi_framebuffer screen;
        struct bm_efi_graphics *graphics;
        if (bm_efi_boot->handle_protocol(handles[i], &guid, (void **)&graphics) == BM_EFI_SUCCESS &&
            graphics->mode && graphics->mode->information &&
            bm_efi_framebuffer_read(&screen, graphics->mode)) {
            bm_information_framebuffer(info, &screen);
            break;
        }
    }
    bm_efi_boot->free_pool(handles);
}

// The last page of the loader that runs: executable also where the firmware makes memory non-executable.
static struct bm_handover *prepare_handover(void)
{
    static const struct bm_efi_guid guid = BM_EFI_MEMORY_ATTRIBUTE_GUID;
    struct bm_efi_memory_attribute *attribute;
    uint8_t *page = (uint8_t *)bm_efi_pages(BM_EFI_LOADER_CODE, BM_EFI_PAGE, FOUR_GIB_LAST);
    if (!page)
        return NULL;
    __builtin_memcpy(page, bm_handover_begin, (size_t)(bm_handover_end - bm_handover_begin));
    if (bm_efi_boot->locate_protocol(&guid, NULL, (void **)&attribute) == BM_EFI_SUCCESS)
        attribute->clear(attribute, (uint64_t)page, BM_EFI_PAGE, BM_EFI_MEMORY_NO_EXECUTE);
    return (struct bm_handover *)(page + HANDOVER_AT);
}

// The first try stops the firmware's timer: its services cannot be trusted any more, and there is no way back
// to it.
static void __attribute__((noreturn)) give_up(void)
{
    static const char text[] = "error: boot: the firmware does not end its boot services; update the "
                               "firmware. The machine has stopped.\r\n";
    bm_efi_print_serial(text);
    bm_efi_print_console(text);
    for (;;)
        __asm__ volatile("cli; hlt");
}

// The map's key is old when something has been allocated since: the map is read again.
static void end_boot_services(bm_efi_handle self, struct bm_efi_map *map)
{
    for (int i = 0; i < EXIT_TRIES; i++) {
        uint64_t key;
        if (bm_efi_map_get(map, &key) == BM_EFI_SUCCESS &&
            bm_efi_boot->exit_boot_services(self, key) == BM_EFI_SUCCESS)
            return;
    }
    give_up();
}

static void __attribute__((noreturn)) leave(const struct bm_handover *where)
{
    const char *page = (const char *)where - HANDOVER_AT;
    ((void (*)(const struct bm_handover *))(uintptr_t)page)(where);
    __builtin_unreachable();
}

static bool boot(bm_efi_handle self, const struct bm_efi_loaded_image *image)
{
    static struct bm_efi_region regions[REGIONS_MAX];
    static char line[BM_EFI_LINE_MAX];
    struct bm_payload payload;
    struct bm_handover wanted = {0};
    struct bm_efi_map map;
    if (!find_payload(image, &payload) || !place(&payload, &wanted))
        return false;
    uint64_t information = bm_efi_pages(BM_EFI_LOADER_DATA, INFORMATION_MAX, FOUR_GIB_LAST);
    struct bm_handover *where = prepare_handover();
    if (!information || !where)
        return FAIL("there is no free memory below 4 GiB; give the machine more memory");
    struct bm_information info;
    bm_information_begin(&info, (void *)information, INFORMATION_MAX);
    read_command_line(image, line);
    close_command_line(&payload, line);
    bm_information_command_line(&info, line);
    tell_acpi(&info);
    tell_screen(&info);
    wanted.information = (uint32_t)information;
    *where = wanted;
    end_boot_services(self, &map);
    // From here on nothing can fail: there is nobody left to tell.
    bm_information_map(
        &info, regions,
        bm_efi_map_translate(&map, information, information + INFORMATION_MAX, regions, REGIONS_MAX));
    bm_information_end(&info);
    leave(where);
}

bm_efi_status BM_EFI_API bm_efi_main(bm_efi_handle self, struct bm_efi_system_table *system)
{
    static const struct bm_efi_guid guid = BM_EFI_LOADED_IMAGE_GUID;
    struct bm_efi_loaded_image *image;
    bm_efi_start(system);
    if (bm_efi_boot->handle_protocol(self, &guid, (void **)&image) != BM_EFI_SUCCESS)
        bm_efi_print("error: boot: the firmware does not say where it loaded this file; update the firmware");
    else
        boot(self, image);
    bm_efi_pause();
    return BM_EFI_LOAD_ERROR;
}
