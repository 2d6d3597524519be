// Text from the firmware: load options, device paths, the command line's file.
// SPDX-License-Identifier: MIT
//
// All functions here only read the bytes that they are given, and are tested and fuzzed on the host.
#pragma once

#include "uefi.h"

enum { BM_EFI_LINE_MAX = 4096, BM_EFI_PATH_MAX = 512, BM_EFI_NAME_MAX = 16 };

// The command line in load options, which firmware, its shell and efibootmgr give as UCS-2 or ASCII text. The
// shell's first word, a name that ends in .efi, is left out. False when the options are no text; empty
// options are an empty line.
bool bm_efi_options_read(char line[BM_EFI_LINE_MAX], const uint8_t *options, uint64_t size);

// The command line in a file: ASCII, UTF-8 within ASCII, or UCS-2 with its mark; its lines are joined, a line
// that starts with # is left out. False when it is no such text.
bool bm_efi_file_read(char line[BM_EFI_LINE_MAX], const uint8_t *bytes, uint64_t size);

// The path of a file beside the one that a device path names: `name` instead of its name or, when `name`
// starts with a dot, instead of its extension. False when the device path names no file.
bool bm_efi_path_beside(bm_efi_char path[BM_EFI_PATH_MAX], const uint8_t *device_path, const char *name);

// True when a list of device paths (the variable ConOut) of `size` bytes has a serial line in it.
bool bm_efi_path_serial(const uint8_t *paths, uint64_t size);
