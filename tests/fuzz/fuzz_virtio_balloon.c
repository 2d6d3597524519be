// Fuzzer of the virtio balloon driver: a device that wants and answers anything, while a program takes
// memory.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/base/stack.c
// @sources drivers/balloon/virtio_balloon_pages.c drivers/balloon/virtio_balloon_short.c
// @sources drivers/virtio/virtio.c drivers/virtio/virtio_restart.c drivers/virtio/virtqueue.c
// @sources tests/unit/memory_host/permanent.c
// @max_len 512
// @least 100
#define MACHINE_FRAMES 2048 // more than two sheets' worth
#include "../unit/virtio_balloon/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *blocks[64]; // that the program has

static void program_turn(uint8_t what)
{
    void **block = &blocks[what % 64];
    if (*block)
        bm_frame_free(*block, (unsigned)what % 4);
    *block = *block ? NULL : __wrap_bm_frame_allocate((unsigned)what % 4);
    if (*block)
        memset(*block, what, BM_PAGE_SIZE << what % 4);
    if (what == 255)
        bm_balloon_reserve_set(0);
}

static void wish(uint8_t high, uint8_t low)
{
    num_pages = high >= 254 ? UINT32_MAX - low : high * 8u + low;
    atomic_store(&device.config_changed, true);
}

static void lie(uint8_t what, uint8_t number)
{
    if (what == 0)
        status |= BM_VIRTIO_NEEDS_RESET;
    else if (what == 1)
        gone = true;
    else if (what == 2)
        stuck = true;
    else if (queues[number % BALLOON_QUEUES]) {
        lied = true;
        give_back(number % BALLOON_QUEUES, what == 3 ? 0 : what, what == 4);
    }
}

// A step is three bytes.
static void steps(const uint8_t *data, size_t size)
{
    for (; size >= 3; data += 3, size -= 3) {
        now += (uint64_t)data[0] << 24;
        prompt = data[0] & 8;
        if (data[0] % 8 < 3)
            wish(data[1], data[2]);
        else if (data[0] % 8 < 5)
            program_turn(data[1]);
        else if (data[0] == 255)
            lie(data[1] % 8, data[2]);
        else if (data[0] % 8 == 5)
            device_work();
        for (unsigned i = data[2] % 16; i; i--) {
            poller->poll(poller->arg);
            poller->arm(poller->arg);
            if (data[1] & 1)
                device_work();
        }
        poller->deadline(poller->arg);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    machine_reset();
    memset(blocks, 0, sizeof blocks);
    offered |= data[0] & 7u;
    queue_max = data[1] % 4 ? 16 : data[1] / 4;
    if (bm_driver_virtio_balloon.attach(&device.device) == 0)
        steps(data + 2, size - 2);
    return 0;
}
