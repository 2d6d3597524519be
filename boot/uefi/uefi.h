// The part of UEFI's interface that the loader uses.
// SPDX-License-Identifier: MIT
//
// UEFI specification 2.10; the section stands beside each structure. Entries that nobody here calls are `void
// *`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BM_EFI_API __attribute__((ms_abi)) // section 2.3.4.2

typedef uint64_t bm_efi_status;
typedef uint16_t bm_efi_char;
typedef void *bm_efi_handle;

#define BM_EFI_ERROR(n) (1ull << 63 | (n)) // appendix D

enum { BM_EFI_SUCCESS = 0, BM_EFI_PAGE = 4096, BM_EFI_BY_PROTOCOL = 2 };
#define BM_EFI_LOAD_ERROR        BM_EFI_ERROR(1)
#define BM_EFI_INVALID_PARAMETER BM_EFI_ERROR(2)
#define BM_EFI_UNSUPPORTED       BM_EFI_ERROR(3)
#define BM_EFI_BUFFER_TOO_SMALL  BM_EFI_ERROR(5)
#define BM_EFI_OUT_OF_RESOURCES  BM_EFI_ERROR(9)
#define BM_EFI_NOT_FOUND         BM_EFI_ERROR(14)

struct bm_efi_guid {
    uint32_t a;
    uint16_t b, c;
    uint8_t d[8];
};

struct bm_efi_table_header { // section 4.2
    uint64_t signature;
    uint32_t revision, size, crc32, reserved;
};

struct bm_efi_text_input { // section 12.3
    void *reset;
    bm_efi_status(BM_EFI_API *read_key)(struct bm_efi_text_input *self, void *key);
    void *wait_for_key;
};

struct bm_efi_text_output { // section 12.4
    void *reset;
    bm_efi_status(BM_EFI_API *output)(struct bm_efi_text_output *self, const bm_efi_char *text);
};

enum bm_efi_allocate { BM_EFI_ANY_PAGES, BM_EFI_MAX_ADDRESS, BM_EFI_ADDRESS }; // section 7.2

enum bm_efi_memory_type {
    BM_EFI_RESERVED,
    BM_EFI_LOADER_CODE,
    BM_EFI_LOADER_DATA,
    BM_EFI_BOOT_CODE,
    BM_EFI_BOOT_DATA,
    BM_EFI_RUNTIME_CODE,
    BM_EFI_RUNTIME_DATA,
    BM_EFI_CONVENTIONAL,
    BM_EFI_UNUSABLE,
    BM_EFI_ACPI_RECLAIM,
    BM_EFI_ACPI_NVS,
    BM_EFI_MMIO,
    BM_EFI_MMIO_PORTS,
    BM_EFI_PAL_CODE,
    BM_EFI_PERSISTENT,
    BM_EFI_UNACCEPTED,
    BM_EFI_MEMORY_TYPES
};

#define BM_EFI_MEMORY_WRITE_BACK       0x8ull
#define BM_EFI_MEMORY_NO_EXECUTE       0x4000ull
#define BM_EFI_MEMORY_SPECIFIC_PURPOSE 0x40000ull

struct bm_efi_memory_descriptor { // its size is what the firmware says, not sizeof
    uint32_t type, padding;
    uint64_t physical, virtual, pages, attributes;
};

struct bm_efi_boot_services { // section 4.4
    struct bm_efi_table_header header;
    void *raise_tpl, *restore_tpl;
    bm_efi_status(BM_EFI_API *allocate_pages)(uint32_t kind, uint32_t type, uint64_t pages,
                                              uint64_t *address);
    bm_efi_status(BM_EFI_API *free_pages)(uint64_t address, uint64_t pages);
    bm_efi_status(BM_EFI_API *get_memory_map)(uint64_t *size, void *map, uint64_t *key, uint64_t *entry_size,
                                              uint32_t *version);
    bm_efi_status(BM_EFI_API *allocate_pool)(uint32_t type, uint64_t size, void **buffer);
    bm_efi_status(BM_EFI_API *free_pool)(void *buffer);
    bm_efi_status(BM_EFI_API *create_event)(uint32_t type, uint64_t tpl, void *notify, void *context,
                                            void **event);
    bm_efi_status(BM_EFI_API *set_timer)(void *event, uint32_t type, uint64_t time);
    bm_efi_status(BM_EFI_API *wait_for_event)(uint64_t count, void **events, uint64_t *index);
    void *signal_event, *close_event, *check_event;
    void *install_protocol, *reinstall_protocol, *uninstall_protocol;
    bm_efi_status(BM_EFI_API *handle_protocol)(bm_efi_handle handle, const struct bm_efi_guid *protocol,
                                               void **interface);
    void *reserved, *register_protocol_notify;
    void *locate_handle, *locate_device_path, *install_configuration_table;
    bm_efi_status(BM_EFI_API *load_image)(uint8_t boot_policy, bm_efi_handle parent, const void *path,
                                          const void *source, uint64_t size, bm_efi_handle *image);
    bm_efi_status(BM_EFI_API *start_image)(bm_efi_handle image, uint64_t *exit_size, bm_efi_char **exit_text);
    void *exit, *unload_image;
    bm_efi_status(BM_EFI_API *exit_boot_services)(bm_efi_handle image, uint64_t map_key);
    void *get_next_monotonic_count, *stall;
    bm_efi_status(BM_EFI_API *set_watchdog_timer)(uint64_t seconds, uint64_t code, uint64_t size,
                                                  const bm_efi_char *data);
    void *connect_controller, *disconnect_controller;
    void *open_protocol, *close_protocol, *open_protocol_information;
    void *protocols_per_handle;
    bm_efi_status(BM_EFI_API *locate_handle_buffer)(uint32_t search, const struct bm_efi_guid *protocol,
                                                    void *key, uint64_t *count, bm_efi_handle **handles);
    bm_efi_status(BM_EFI_API *locate_protocol)(const struct bm_efi_guid *protocol, void *registration,
                                               void **interface);
};

struct bm_efi_runtime_services { // section 4.5
    struct bm_efi_table_header header;
    void *get_time, *set_time, *get_wakeup_time, *set_wakeup_time;
    void *set_virtual_address_map, *convert_pointer;
    bm_efi_status(BM_EFI_API *get_variable)(const bm_efi_char *name, const struct bm_efi_guid *vendor,
                                            uint32_t *attributes, uint64_t *size, void *data);
    void *get_next_variable_name;
    bm_efi_status(BM_EFI_API *set_variable)(const bm_efi_char *name, const struct bm_efi_guid *vendor,
                                            uint32_t attributes, uint64_t size, const void *data);
    void *get_next_high_monotonic_count;
    void(BM_EFI_API *reset_system)(uint32_t kind, bm_efi_status status, uint64_t size, const void *data);
};

struct bm_efi_configuration_table { // section 4.6
    struct bm_efi_guid guid;
    void *table;
};

struct bm_efi_system_table { // section 4.3
    struct bm_efi_table_header header;
    bm_efi_char *vendor;
    uint32_t vendor_revision;
    bm_efi_handle console_in_handle;
    struct bm_efi_text_input *console_in;
    bm_efi_handle console_out_handle;
    struct bm_efi_text_output *console_out;
    bm_efi_handle error_handle;
    struct bm_efi_text_output *error;
    struct bm_efi_runtime_services *runtime;
    struct bm_efi_boot_services *boot;
    uint64_t table_count;
    struct bm_efi_configuration_table *tables;
};

struct bm_efi_loaded_image { // section 9.1
    uint32_t revision;
    bm_efi_handle parent;
    struct bm_efi_system_table *system;
    bm_efi_handle device;
    const void *path;
    void *reserved;
    uint32_t options_size;
    const void *options;
    const void *base;
    uint64_t size;
};

struct bm_efi_file { // section 13.5
    uint64_t revision;
    bm_efi_status(BM_EFI_API *open)(struct bm_efi_file *self, struct bm_efi_file **file,
                                    const bm_efi_char *name, uint64_t mode, uint64_t attributes);
    bm_efi_status(BM_EFI_API *close)(struct bm_efi_file *self);
    void *remove;
    bm_efi_status(BM_EFI_API *read)(struct bm_efi_file *self, uint64_t *size, void *buffer);
};

struct bm_efi_file_system { // section 13.4
    uint64_t revision;
    bm_efi_status(BM_EFI_API *open_volume)(struct bm_efi_file_system *self, struct bm_efi_file **root);
};

enum bm_efi_pixel_format { // section 12.9.2
    BM_EFI_PIXEL_RGB,
    BM_EFI_PIXEL_BGR,
    BM_EFI_PIXEL_BITMASK,
    BM_EFI_PIXEL_BLT_ONLY
};

struct bm_efi_graphics_information {
    uint32_t version, width, height, pixel_format;
    uint32_t red_mask, green_mask, blue_mask, reserved_mask;
    uint32_t pixels_per_line;
};

struct bm_efi_graphics_mode {
    uint32_t mode_count, mode;
    struct bm_efi_graphics_information *information;
    uint64_t information_size;
    uint64_t framebuffer;
    uint64_t framebuffer_size;
};

struct bm_efi_graphics {
    void *query_mode, *set_mode, *blt;
    struct bm_efi_graphics_mode *mode;
};

struct bm_efi_memory_attribute { // section 37.4
    void *get;
    bm_efi_status(BM_EFI_API *set)(struct bm_efi_memory_attribute *self, uint64_t base, uint64_t length,
                                   uint64_t attributes);
    bm_efi_status(BM_EFI_API *clear)(struct bm_efi_memory_attribute *self, uint64_t base, uint64_t length,
                                     uint64_t attributes);
};

#define BM_EFI_LOADED_IMAGE_GUID                                                                             \
    {                                                                                                        \
        0x5b1b31a1, 0x9562, 0x11d2,                                                                          \
        {                                                                                                    \
            0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b                                                   \
        }                                                                                                    \
    }
#define BM_EFI_FILE_SYSTEM_GUID                                                                              \
    {                                                                                                        \
        0x964e5b22, 0x6459, 0x11d2,                                                                          \
        {                                                                                                    \
            0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b                                                   \
        }                                                                                                    \
    }
#define BM_EFI_GRAPHICS_GUID                                                                                 \
    {                                                                                                        \
        0x9042a9de, 0x23dc, 0x4a38,                                                                          \
        {                                                                                                    \
            0x96, 0xfb, 0x7a, 0xde, 0xd0, 0x80, 0x51, 0x6a                                                   \
        }                                                                                                    \
    }
#define BM_EFI_MEMORY_ATTRIBUTE_GUID                                                                         \
    {                                                                                                        \
        0xf4560cf6, 0x40ec, 0x4b4a,                                                                          \
        {                                                                                                    \
            0xa1, 0x92, 0xbf, 0x1d, 0x57, 0xd0, 0xb1, 0x89                                                   \
        }                                                                                                    \
    }
#define BM_EFI_GLOBAL_GUID                                                                                   \
    {                                                                                                        \
        0x8be4df61, 0x93ca, 0x11d2,                                                                          \
        {                                                                                                    \
            0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c                                                   \
        }                                                                                                    \
    }
#define BM_EFI_ACPI_1_GUID                                                                                   \
    {                                                                                                        \
        0xeb9d2d30, 0x2d88, 0x11d3,                                                                          \
        {                                                                                                    \
            0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d                                                   \
        }                                                                                                    \
    }
#define BM_EFI_ACPI_2_GUID                                                                                   \
    {                                                                                                        \
        0x8868e871, 0xe4f1, 0x11d3,                                                                          \
        {                                                                                                    \
            0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81                                                   \
        }                                                                                                    \
    }
#define BM_EFI_SECURITY_DATABASE_GUID                                                                        \
    {                                                                                                        \
        0xd719b2cb, 0x3d3a, 0x4596,                                                                          \
        {                                                                                                    \
            0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f                                                   \
        }                                                                                                    \
    }
