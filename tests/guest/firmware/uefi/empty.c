// An EFI program that prints a line and ends: what hello's time is compared with.
// SPDX-License-Identifier: MIT
#include "firmware.h"

bm_efi_status BM_EFI_API bm_efi_main(bm_efi_handle self, struct bm_efi_system_table *system);

bm_efi_status BM_EFI_API bm_efi_main(bm_efi_handle self, struct bm_efi_system_table *system)
{
    (void)self;
    static const bm_efi_char text[] = {'H', 'e', 'l', 'l', 'o',  ' ',  'f', 'r',
                                       'o', 'm', ' ', 'a', '\r', '\n', 0};
    system->console_out->output(system->console_out, text);
    for (;;)
        __asm__ volatile("hlt");
}
