// The program's end where disks are written: they are unmounted first.
// SPDX-License-Identifier: MIT
//
// The linker puts __wrap__exit in _exit's place (baremetal::ext4_write), so that programs without disks have
// nothing of it.
#include <baremetal/file_system.h>

void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));

void __wrap__exit(int status)
{
    if (bm_disk_sync_all)
        bm_disk_sync_all(true); // it says in the log what is wrong
    __real__exit(status);
}
