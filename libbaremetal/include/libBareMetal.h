// The C interface of BareMetal, the exokernel in assembly: its C programs are built and run unchanged.
// SPDX-License-Identifier: MIT
//
// CMake target baremetal::exokernel; docs/coming-from-baremetal.md says what is alike and what is not. Names,
// numbers and meanings are those of BareMetal's "Kernel API", version 1.1. Any core, not in handlers.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Whole numbers, by their bits.
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

// The next key that was typed on the serial line or a keyboard, or 0: none was. Return is 0x1c and Backspace
// 0x0e, as on BareMetal. Serves the devices.
u8 b_input(void);

// Writes `nbr` bytes of `str` on the console.
void b_output(const char *str, u64 nbr);

// Sends the frame of `len` bytes at `mem`, from its Ethernet header on, by interface `iid` (from 0). Returns
// when the device has read it. What has no interface, or more than 1,522 bytes, is lost. Programs with
// baremetal::net, which has the interfaces then, cannot send so. Two cores must not send by one interface at
// once, nor receive.
void b_net_tx(void *mem, u64 len, u64 iid);

// The length of the next frame that interface `iid` has received, and where it is in *mem; 0: there is none.
// It stays there until the next call for that interface.
u64 b_net_rx(void **mem, u64 iid);

// Reads into `mem`, or writes from there, `num` sectors of 4,096 bytes from sector `start` on; `drivenum`
// counts disks from 0, without partitions. Returns how many, or 0: an error, which the log tells.
u64 b_nvs_read(void *mem, u64 start, u64 num, u64 drivenum);
u64 b_nvs_write(void *mem, u64 start, u64 num, u64 drivenum);

// Calls a function of the system: `function` is one of the numbers below, `var1` and `var2` are what it says.
// Returns its result; of those that have none, and of unknown numbers, var1.
u64 b_system(u64 function, u64 var1, u64 var2);

#define TIMECOUNTER  0x00 // nanoseconds since the start
#define FREE_MEMORY  0x01 // MiB
#define SMP_ID       0x10 // APIC identifier of the calling core
#define SMP_NUMCORES 0x11 // cores that run
#define SMP_SET                                                                                              \
    0x12 // the core with APIC identifier var2 calls the function at var1; 0: it is busy, or not there
#define SMP_GET         0x13 // function of the calling core in bits 4 to 63; bit 0: the core is there
#define SMP_LOCK        0x14 // takes the lock at var1: bit 0 of 16 bits; spins. Address 0 is a lock, too
#define SMP_UNLOCK      0x15 // gives it back
#define SMP_BUSY        0x16 // 1: a core has been given a function by SMP_SET that has not returned
#define TSC             0x1f // the time-stamp counter
#define SCREEN_LFB_GET  0x20 // address of the frame buffer; 0: there is none of 32 bits a pixel
#define SCREEN_X_GET    0x21 // pixels
#define SCREEN_Y_GET    0x22
#define SCREEN_PPSL_GET 0x23 // pixels from line to line
#define SCREEN_BPP_GET  0x24 // 32
#define NET_STATUS      0x30 // MAC address of interface var2, the first byte in bits 40 to 47; 0: it is not there
#define NET_CONFIG      0x31 // does nothing: receive buffers are the kernel's
#define BUS_READ                                                                                             \
    0x50 // register of a PCI device: var2 is segment << 32 | bus << 24 | function << 16 | register
#define BUS_WRITE         0x51 // writes var1 there; 0 when there is no such device
#define STDOUT_SET        0x52 // is kept, and changes nothing
#define STDOUT_GET        0x53 // what STDOUT_SET was told
#define CALLBACK_TIMER    0x60 // does nothing, as on BareMetal
#define CALLBACK_NETWORK  0x61
#define CALLBACK_KEYBOARD 0x62
#define DUMP_MEM          0x70 // writes var2 bytes from var1 on, in hexadecimal
#define DUMP_RAX          0x71 // writes var1 in hexadecimal
#define DELAY             0x72 // waits for var1 microseconds
#define RESET             0x7d // ends the program: functions of other cores cannot be broken off
#define REBOOT            0x7e
#define SHUTDOWN          0x7f

#ifdef __cplusplus
}
#endif
