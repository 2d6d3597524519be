// BareMetal's C interface: a program as it is written for BareMetal, of which exokernel.py looks at the rest.
// SPDX-License-Identifier: MIT
// @link exokernel bochs_display virtio_gpu virtio_net virtio_blk ps2_keyboard
// @script exokernel.py
// @variants picolibc newlib-checked
#include "libBareMetal.h"

enum { SECTOR = 4096 };

static u8 block[2 * SECTOR], copy[2 * SECTOR];
static volatile u32 ran_on[2];
static u16 lock[1];
static volatile u32 count;

static void fail(const char *what, u64 size)
{
    b_output("FAILED: ", 8);
    b_output(what, size);
    b_system(DUMP_RAX, b_system(SMP_ID, 0, 0), 0);
    b_system(SHUTDOWN, 0, 0);
}
#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            fail(#condition "\n", sizeof #condition);                                                        \
    } while (0)

static void other(void)
{
    ran_on[1] = (u32)b_system(SMP_ID, 0, 0);
    CHECK((b_system(SMP_GET, 0, 0) & ~15ull) == ((u64)other & ~15ull));
    for (int i = 0; i < 100000; i++) {
        b_system(SMP_LOCK, (u64)lock, 0);
        count++;
        b_system(SMP_UNLOCK, (u64)lock, 0);
    }
}

static void cores(void)
{
    u32 *table = (u32 *)0x5100, me = (u32)b_system(SMP_ID, 0, 0), it = table[0] == me ? table[1] : table[0];
    CHECK(b_system(SMP_NUMCORES, 0, 0) == 2);
    CHECK(b_system(SMP_BUSY, 0, 0) == 0);
    CHECK(b_system(SMP_SET, (u64)other, me) == 0 && b_system(SMP_SET, (u64)other, 77) == 0);
    CHECK(b_system(SMP_SET, (u64)other, it) != 0);
    for (int i = 0; i < 100000; i++) {
        b_system(SMP_LOCK, (u64)lock, 0);
        count++;
        b_system(SMP_UNLOCK, (u64)lock, 0);
    }
    while (b_system(SMP_BUSY, 0, 0))
        ;
    CHECK(count == 200000 && ran_on[1] == it);
    CHECK(b_system(SMP_SET, (u64)other, it) != 0); // once more
    while (b_system(SMP_BUSY, 0, 0))
        ;
}

static void screen(void)
{
    u8 *pixels = (u8 *)b_system(SCREEN_LFB_GET, 0, 0);
    u64 width = b_system(SCREEN_X_GET, 0, 0), height = b_system(SCREEN_Y_GET, 0, 0);
    CHECK(pixels && *(u64 *)0x5080 == (u64)pixels && *(u16 *)0x5088 == width && *(u16 *)0x508a == height);
    CHECK(b_system(SCREEN_PPSL_GET, 0, 0) >= width && b_system(SCREEN_BPP_GET, 0, 0) == 32);
    for (u64 i = 0; i < width * height; i++)
        ((volatile u32 *)pixels)[i] = 0x123456;
}

static void disk(void)
{
    CHECK(b_nvs_read(block, 1, 1, 0) == 1 && block[0] == 'D' && block[SECTOR - 1] == 'd');
    for (unsigned i = 0; i < sizeof block; i++)
        block[i] = (u8)(i * 7);
    CHECK(b_nvs_write(block, 2, 2, 0) == 2);
    CHECK(b_nvs_read(copy, 2, 2, 0) == 2);
    for (unsigned i = 0; i < sizeof block; i++)
        CHECK(copy[i] == block[i]);
    CHECK(b_nvs_read(copy, 255, 2, 0) == 0 && b_nvs_read(copy, ~0ull, 1, 0) == 0 &&
          b_nvs_read(copy, 0, 1, 1) == 0);
    CHECK(b_nvs_write(copy, 0, ~0ull, 0) == 0);
}

// Two interfaces on one wire.
static void network(void)
{
    static u8 frame[1514] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};
    void *got = 0;
    u64 size;
    CHECK(b_system(NET_STATUS, 0, 0) == 0x020000000001 && b_system(NET_STATUS, 0, 9) == 0);
    CHECK(b_net_rx(&got, 0) == 0 && b_net_rx(&got, 1) == 0 && b_net_rx(&got, 9) == 0);
    for (u32 i = 0; i < 1000; i++) {
        u64 length = 60 + i % (sizeof frame - 59);
        frame[14] = (u8)i;
        frame[length - 1] = (u8)~i;
        b_net_tx(frame, length, 0);
        while (!(size = b_net_rx(&got, 1)))
            ;
        CHECK(size == length && ((u8 *)got)[14] == (u8)i && ((u8 *)got)[length - 1] == (u8)~i);
    }
    b_net_tx(frame, 13, 0);
    b_net_tx(frame, 1523, 0);
    b_net_tx(frame, 60, 9);
}

int main(void)
{
    u64 begin = b_system(TIMECOUNTER, 0, 0), cycles = b_system(TSC, 0, 0);
    b_system(DELAY, 2000, 0);
    CHECK(b_system(TIMECOUNTER, 0, 0) - begin >= 2000000 && b_system(TSC, 0, 0) > cycles);
    CHECK(b_system(FREE_MEMORY, 0, 0) > 1 && b_system(0x7c, 5, 0) == 5 && b_system(~0ull, 6, 0) == 6);
    CHECK((b_system(BUS_READ, 0, 0) & 0xffff) == 0x8086); // the host bridge
    CHECK((u32)b_system(BUS_READ, 0, 0xffull << 24) == 0xffffffff &&
          b_system(BUS_WRITE, 1, 0xffull << 24) == 0);
    CHECK(b_system(STDOUT_SET, 9, 0) == 9 && b_system(STDOUT_GET, 0, 0) == 9);
    cores();
    screen();
    disk();
    network();
    b_system(DUMP_RAX, 0xfedcba9876543210, 0);
    b_output("\n", 1);
    b_system(DUMP_MEM, (u64) "0123456789abcdefg", 17);
    b_output("type\n", 5);
    u8 key;
    while ((key = b_input()) != 0x1c)
        if (key)
            b_output((char *)&key, 1);
    b_output("\nPASS\n", 6);
    return 0;
}
