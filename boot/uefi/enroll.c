// Enrols keys of Secure Boot in a machine in Setup Mode: the files that baremetal-make-key made.
// SPDX-License-Identifier: MIT
//
// UEFI specification 2.10, section 32.3 (Setup Mode) and 8.2.2 (authenticated variables). db.auth, KEK.auth
// and PK.auth stand beside this program. The platform key comes last: with it the machine leaves Setup Mode.
#include "firmware.h"

enum {
    FILE_MAX = 64 << 10,
    // Non-volatile, boot services, run time, authenticated by time.
    ATTRIBUTES = 0x1 | 0x2 | 0x4 | 0x20,
    RESET_COLD = 0
};

struct variable {
    char name[4], file[12];
    bool database; // in the security database's name space, not the global one
};

static const struct variable variables[] = {
    {"db", "db.auth", true}, {"KEK", "KEK.auth", false}, {"PK", "PK.auth", false}};

static const struct bm_efi_guid global = BM_EFI_GLOBAL_GUID, database = BM_EFI_SECURITY_DATABASE_GUID;

bm_efi_status BM_EFI_API bm_efi_main(bm_efi_handle self, struct bm_efi_system_table *system);

static void widen(bm_efi_char wide[12], const char *text)
{
    unsigned i = 0;
    for (; text[i] && i < 11; i++)
        wide[i] = (bm_efi_char)text[i];
    wide[i] = 0;
}

static bool in_setup_mode(void)
{
    bm_efi_char name[12];
    uint8_t value = 0;
    uint64_t size = sizeof(value);
    widen(name, "SetupMode");
    return bm_efi_system->runtime->get_variable(name, &global, NULL, &size, &value) == BM_EFI_SUCCESS &&
           value == 1;
}

static bool enroll(const struct bm_efi_loaded_image *image, const struct variable *variable)
{
    static uint8_t bytes[FILE_MAX];
    bm_efi_char path[BM_EFI_PATH_MAX], name[12];
    int64_t size = image->path && bm_efi_path_beside(path, image->path, variable->file)
                       ? bm_efi_file_get(image->device, path, bytes, sizeof(bytes))
                       : -1;
    if (size <= 0 || size == FILE_MAX) {
        bm_efi_print("error: enroll: %s is not beside this program, or is no such file", variable->file);
        return false;
    }
    widen(name, variable->name);
    bm_efi_status status = bm_efi_system->runtime->set_variable(
        name, variable->database ? &database : &global, ATTRIBUTES, (uint64_t)size, bytes);
    if (status != BM_EFI_SUCCESS) {
        bm_efi_print(
            "error: enroll: the firmware refuses %s (status 0x%lx); make it again with baremetal-make-key",
            variable->file, status);
        return false;
    }
    bm_efi_print("enroll: %s is enrolled", variable->name);
    return true;
}

static bool enroll_all(const struct bm_efi_loaded_image *image)
{
    if (!in_setup_mode()) {
        bm_efi_print("error: enroll: the machine is not in Setup Mode; clear its platform key (PK) in the "
                     "firmware's menu first");
        return false;
    }
    for (unsigned i = 0; i < sizeof(variables) / sizeof(*variables); i++)
        if (!enroll(image, &variables[i]))
            return false;
    return true;
}

bm_efi_status BM_EFI_API bm_efi_main(bm_efi_handle self, struct bm_efi_system_table *system)
{
    static const struct bm_efi_guid guid = BM_EFI_LOADED_IMAGE_GUID;
    struct bm_efi_loaded_image *image;
    bm_efi_start(system);
    bool good =
        bm_efi_boot->handle_protocol(self, &guid, (void **)&image) == BM_EFI_SUCCESS && enroll_all(image);
    if (good)
        bm_efi_print(
            "enroll: done; the machine restarts, and Secure Boot then starts what the key has signed");
    bm_efi_pause();
    if (good)
        bm_efi_system->runtime->reset_system(RESET_COLD, BM_EFI_SUCCESS, 0, NULL);
    return BM_EFI_LOAD_ERROR;
}
