// Fuzzer of the NVMe driver: a controller whose capabilities, descriptions and answers are anything.
// SPDX-License-Identifier: MIT
// @sources drivers/block/nvme/nvme.c drivers/block/nvme/nvme_admin.c drivers/block/nvme/nvme_namespace.c
// @sources drivers/block/nvme/nvme_queue.c drivers/block/nvme/nvme_reset.c drivers/block/nvme/nvme_rings.c
// @sources libbaremetal/block/request.c tests/unit/memory_host/permanent.c tests/unit/nvme_host/controller.c
// @max_len 512
#include "../unit/nvme_host/controller.h"

#include <baremetal/error.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *input;
static size_t left;

static uint8_t byte(void)
{
    return left ? left--, *input++ : 0;
}

// One answer in four is changed, or does not come.
static bool lie(unsigned queue, struct nvme_completion *answer)
{
    uint8_t how = byte();
    if (how < 192)
        return true;
    if (how == 255)
        return false;
    if (how & 1)
        answer->identifier = (uint16_t)(how & 2 ? byte() : byte() << 8);
    if (how & 4)
        answer->status = (uint16_t)(byte() << 1);
    if (how & 8 || !queue)
        answer->result = byte() * 0x01010101u;
    return true;
}

static void lie_of_page(unsigned char *page)
{
    static const uint16_t places[] = {0, 4, 7, 25, 26, 29, 64, 77, 99, 128, 130, 134, 512, 516, 520, 525};
    for (unsigned count = byte() % 4; count; count--)
        page[places[byte() % 16]] = byte();
}

enum { REQUESTS = 32 };
static struct bm_block_request requests[REQUESTS];
static bool out[REQUESTS];
static _Alignas(4096) unsigned char memory[1 << 20];
static struct bm_dma_segment segment;

static void on_done(struct bm_block_request *request)
{
    unsigned number = (unsigned)(request - requests);
    if (!out[number])
        abort(); // it was done already
    out[number] = false;
}

static void submit(struct bm_blockdev *disk, uint8_t number, uint8_t how)
{
    struct bm_block_request *request = &requests[number % REQUESTS];
    struct bm_blockqueue *queue = bm_blockdev_queue(disk, how % disk->queue_count);
    if (out[number % REQUESTS])
        return;
    segment = (struct bm_dma_segment){bm_dma_address(memory), disk->sector_size};
    *request = (struct bm_block_request){.operation = how % 5,
                                         .sector = how % 5 == BM_BLOCK_FLUSH ? 0 : byte() % disk->sectors,
                                         .count = how % 5 != BM_BLOCK_FLUSH,
                                         .segments = &segment,
                                         .segment_count = how % 5 < BM_BLOCK_FLUSH,
                                         .done = on_done};
    out[number % REQUESTS] = true;
    if (bm_block_submit(disk, queue, request))
        out[number % REQUESTS] = false;
    if (byte() & 1)
        bm_block_kick(queue);
}

static void step(void)
{
    struct bm_blockdev *disk = controller_added[byte() % controller_disks];
    uint8_t how = byte();
    switch (how % 8) {
    case 0:
        controller_now += NVME_SECOND;
        break;
    case 1:
        controller.held[byte() % CONTROLLER_QUEUES] ^= true;
        controller_run();
        break;
    case 2:
        controller.never_ready = byte() & 1;
        break;
    case 3:
        controller.gone = byte() == 255;
        break;
    default:
        submit(disk, byte(), byte());
    }
    for (unsigned i = 0; i < 4 + CONTROLLER_QUEUES && controller_pollers[i]; i++)
        if (byte() & 1)
            controller_pollers[i]->poll(controller_pollers[i]->arg);
}

// Whatever it was, an honest controller that is gone at last gives everything back.
static void finish(void)
{
    controller.gone = true;
    for (unsigned i = 0; i < 40; i++) {
        controller_now += NVME_SECOND;
        controller_poll();
    }
    for (unsigned i = 0; i < REQUESTS; i++)
        if (out[i])
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = data;
    left = size;
    memset(out, 0, sizeof out);
    controller_clear();
    if (byte() & 1)
        controller.capabilities ^= 1ull << (byte() % 64);
    controller.version = byte() & 1 ? 0x00010000 : 0x00010400;
    controller.queues = byte() % 8 + 1;
    controller.messages = byte() % 17;
    controller.sector_bits = byte() & 1 ? 9 : 12;
    controller.namespaces[1] = byte();
    controller.namespaces[2] = byte() << 12;
    controller.lie = lie;
    controller.lie_of_page = lie_of_page;
    if (controller_attach() == 0 && controller_disks) {
        while (left)
            step();
        finish();
    }
    controller_free();
    return 0;
}
