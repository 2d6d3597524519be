// Where things lie: in the loader's file, on the medium, and in memory while it runs. For C and assembly.
// SPDX-License-Identifier: MIT
//
// The loader is a master boot record (512 bytes) and a stage (4,096). On a medium the stage starts the
// payload, wherever that is: the stage, then the ELF file and the command line.
// toolchain/tools/baremetal_tools/disk/payload.py writes it and holds the same numbers.
#pragma once

#define BM_BIOS_MBR        0x600  // where the boot record moves itself
#define BM_BIOS_STAGE      0x7c00 // where firmware (CD) or the boot record (disk) puts the stage's first part
#define BM_BIOS_PART       2048   // its size: what every El Torito firmware reads
#define BM_BIOS_STAGE_SIZE 4096
#define BM_BIOS_CONTENT    4096 // offset of the ELF file in the payload
#define BM_BIOS_STACK                                                                                        \
    0x7000 // not in a page of code, nor are the variables: emulators are slow where code and data meet
#define BM_BIOS_BSS    0x9000
#define BM_BIOS_BOUNCE 0x10000 // what the BIOS reads into: 64 KiB that no DMA boundary divides
#define BM_BIOS_CHUNK  63488   // bytes a read: 124 sectors of 512 bytes, 31 of 2,048

#define BM_BIOS_HEADER_OFFSET 8
#define BM_BIOS_MAGIC_LOW     0x49424d42 // "BMBI"
#define BM_BIOS_MAGIC_HIGH    0x0031534f // "OS1"
#define BM_BIOS_COM1          0x3f8
#define BM_BIOS_MULTIBOOT2    0x36d76289
#define BM_BIOS_RETRIES       5
