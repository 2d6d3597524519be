// The virtio SCSI driver between an invented host with units of all kinds and the kernel's block layer.
// SPDX-License-Identifier: MIT
// @sources drivers/block/virtio_scsi/virtio_scsi.c drivers/block/virtio_scsi/virtio_scsi_queue.c
// @sources drivers/block/virtio_scsi/virtio_scsi_reset.c drivers/block/virtio_scsi/virtio_scsi_unit.c
// @sources drivers/virtio/virtio.c drivers/virtio/virtqueue.c drivers/virtio/virtio_restart.c
// @sources libbaremetal/block/request.c tests/unit/memory_host/permanent.c tests/unit/memory_host/one_core.c
// @sources tests/unit/virtio_blk_host/kernel.c
#include "virtio_blk_host/kernel.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/virtio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct bm_blockdev *bm_blockdev_find(const char *name)
{
    return disk_count && strcmp(disks[0]->name, name) == 0 ? disks[0] : NULL;
}

int bm_format(char *buffer, size_t size, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = vsnprintf(buffer, size, format, list);
    va_end(list);
    return length;
}

// --- The host: target 1 has disks 0 and 3, target 4 a drive with a disc ---

enum { SECTORS = 256, CHECK_CONDITION = 2 };
static uint8_t status;
static uint32_t queues_said, segments_said, sectors_said, sector_size;
static bool held, stuck, no_disc, forgets;
static unsigned attentions; // each unit has so many to tell
static unsigned told[8], sent[256], lie;
static uint64_t last_said, fail_at;
static uint16_t seen;
static struct bm_virtqueue *ring;
static struct bm_virtio_device device;
static unsigned char contents[3][SECTORS * 4096];

static uint8_t status_get(struct bm_virtio_device *d)
{
    (void)d;
    return status;
}

static void status_set(struct bm_virtio_device *d, uint8_t value)
{
    (void)d;
    if (value || !stuck)
        status = value;
}

static uint64_t features_get(struct bm_virtio_device *d)
{
    (void)d;
    return BM_VIRTIO_F_VERSION_1;
}

static void features_set(struct bm_virtio_device *d, uint64_t features)
{
    (void)d, (void)features;
}

static uint32_t config_read(struct bm_virtio_device *d, unsigned offset, unsigned size)
{
    (void)d, (void)size;
    return offset == 0    ? queues_said
           : offset == 4  ? segments_said
           : offset == 8  ? sectors_said
           : offset == 30 ? 5
                          : 0;
}

static uint32_t generation(struct bm_virtio_device *d)
{
    (void)d;
    return 0;
}

static unsigned size_get(struct bm_virtio_device *d, unsigned index)
{
    (void)d;
    return index == 2 ? 256 : 0;
}

static int queue_enable(struct bm_virtio_device *d, struct bm_virtqueue *queue, unsigned interrupt)
{
    (void)d, (void)interrupt;
    ring = queue;
    seen = 0;
    return 0;
}

static int interrupt_start(struct bm_virtio_device *d, unsigned most)
{
    (void)d;
    return (int)most;
}

static int interrupt_set(struct bm_virtio_device *d, unsigned index, atomic_bool *flag)
{
    (void)d, (void)index, (void)flag;
    return 0;
}

static int interrupt_aim(struct bm_virtio_device *d, unsigned index, unsigned core)
{
    (void)d, (void)index, (void)core;
    return 0;
}

static int config_interrupt(struct bm_virtio_device *d, unsigned index)
{
    (void)d, (void)index;
    return 0;
}

static uint64_t number(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;
    while (bytes--)
        value = value << 8 | *at++;
    return value;
}

static void number_put(uint8_t *at, unsigned bytes, uint64_t value)
{
    for (; bytes--; value >>= 8)
        at[bytes] = (uint8_t)value;
}

// What a unit says; returns how many bytes, or less than 0: it has no such command.
static int say(unsigned unit, const uint8_t *cdb, uint8_t *page)
{
    memset(page, 0, 512);
    switch (cdb[0]) {
    case 0x00:
        return unit == 2 && no_disc ? -1 : 0;
    case 0x12:
        page[0] = unit == 2 ? 5 : 0;
        if (cdb[1] && cdb[2] == 0x80) {
            memcpy(page, "\0\x80\0\4unit", 8);
            return 8;
        }
        if (cdb[1] && cdb[2] == 0xb0) {
            page[1] = 0xb0;
            number_put(page + 20, 4, 100);
            number_put(page + 24, 4, 1);
            return 64;
        }
        return cdb[1] ? -1 : 36;
    case 0x1a:
        page[2] = unit == 1 ? 0x80 : 0;
        return 20;
    case 0x25:
        number_put(page, 4, SECTORS - 1);
        number_put(page + 4, 4, 2048);
        return 8;
    case 0x9e:
        if (unit == 2)
            return -1;
        number_put(page, 8, last_said);
        number_put(page + 8, 4, sector_size);
        page[13] = sector_size == 512 ? 3 : 0;
        page[14] = forgets ? 0x80 : 0;
        return 32;
    case 0xa0:
        number_put(page, 4, unit == 2 ? 8 : 16);
        number_put(page + 16, 2, 3);
        return unit == 2 ? 16 : 24;
    default:
        return -1;
    }
}

// A chain in two parts: what is read, what is written.
struct part {
    unsigned count;
    struct bm_virtqueue_descriptor pieces[130];
};

static void copy(struct part *part, unsigned from, unsigned char *data, size_t bytes, bool to_memory)
{
    for (; from < part->count && bytes; from++) {
        size_t length = part->pieces[from].length < bytes ? part->pieces[from].length : bytes;
        if (to_memory)
            memcpy(at_dma(part->pieces[from].address), data, length);
        else
            memcpy(data, at_dma(part->pieces[from].address), length);
        data += length;
        bytes -= length;
    }
    assert_int_equal(bytes, 0);
}

// Returns the response; *sense: the key.
static uint8_t carry_out(const uint8_t *command, struct part *in, struct part *out, unsigned *sense)
{
    const uint8_t *cdb = command + 19;
    unsigned target = command[1], lun = (command[2] & 0x3f) << 8 | command[3];
    assert_true(command[0] == 1 && (command[2] & 0xc0) == 0x40);
    if (target != 1 && target != 4)
        return 3;
    unsigned unit = target == 4 ? 2 : lun == 3, size = unit == 2 ? 2048 : sector_size;
    sent[cdb[0]]++;
    if (told[unit] < attentions && cdb[0] != 0x12 && cdb[0] != 0xa0) {
        told[unit]++;
        *sense = 6;
        return 0;
    }
    if (cdb[0] == 0x35 || cdb[0] == 0x42) {
        unsigned char range[24];
        if (cdb[0] == 0x42) {
            assert_int_equal(number(cdb + 7, 2), 24);
            copy(in, 1, range, 24, false);
            assert_true(number(range, 2) == 22 && number(range + 2, 2) == 16);
            memset(contents[unit] + number(range + 8, 8) * size, 0xdd, number(range + 16, 4) * size);
        }
        return 0;
    }
    if (cdb[0] == 0x88 || cdb[0] == 0x8a) {
        uint64_t sector = number(cdb + 2, 8), count = number(cdb + 10, 4);
        assert_true(sector + count <= SECTORS);
        *sense = fail_at >= sector && fail_at < sector + count ? 3 : 0;
        if (!*sense && cdb[0] == 0x88)
            copy(out, 1, contents[unit] + sector * size, count * size, true);
        else if (!*sense)
            copy(in, 1, contents[unit] + sector * size, count * size, false);
        return 0;
    }
    unsigned char page[512];
    int bytes = say(unit, cdb, page);
    *sense = bytes < 0 ? 5 : 0;
    if (bytes > 0)
        copy(out, 1, page, (size_t)bytes, true);
    return 0;
}

static void run(void)
{
    while (!held && ring->available->index != seen) {
        struct part in = {0}, out = {0};
        uint16_t id = ring->available->ring[seen++ % ring->size];
        const struct bm_virtqueue_descriptor *descriptor = &ring->descriptors[id];
        for (;; descriptor = &ring->descriptors[descriptor->next]) {
            struct part *part = descriptor->flags & 2 ? &out : &in;
            part->pieces[part->count++] = *descriptor;
            if (!(descriptor->flags & 1))
                break;
        }
        assert_true(in.pieces[0].length == 51 && out.pieces[0].length == 108);
        uint8_t *answer = at_dma(out.pieces[0].address);
        unsigned sense = 0;
        uint8_t response = carry_out(at_dma(in.pieces[0].address), &in, &out, &sense);
        memset(answer, 0, 108);
        answer[10] = sense ? CHECK_CONDITION : 0;
        answer[11] = lie ? (uint8_t)lie : response;
        answer[12] = sense ? 0x70 : 0;
        answer[14] = (uint8_t)sense;
        // As QEMU: what was read counts, too.
        uint32_t length = 108;
        for (unsigned i = 1; i < in.count; i++)
            length += in.pieces[i].length;
        ring->used->ring[ring->used->index % ring->size] = (struct bm_virtqueue_used_element){id, length};
        ring->used->index++;
    }
}

static void notify(struct bm_virtqueue *queue)
{
    assert_ptr_equal(queue, ring);
    run();
}

static const struct bm_virtio_transport transport = {
    .status_get = status_get,
    .status_set = status_set,
    .features_get = features_get,
    .features_set = features_set,
    .config_read = config_read,
    .config_generation = generation,
    .queue_size = size_get,
    .queue_enable = queue_enable,
    .notify = notify,
    .interrupt_start = interrupt_start,
    .interrupt_set = interrupt_set,
    .interrupt_aim = interrupt_aim,
    .config_interrupt = config_interrupt,
};

// --- The tests ---

extern const struct bm_driver bm_driver_virtio_scsi;
static struct bm_block_request requests[70];
static struct bm_dma_segment segment;
static _Alignas(4096) unsigned char data[1 << 18];
static unsigned dones;

static int set_up(void **state)
{
    (void)state;
    disk_prefix = "sd";
    disk_count = errors = dones = 0;
    held = stuck = no_disc = false;
    forgets = true;
    queues_said = 1;
    segments_said = 126;
    sectors_said = 0xffff;
    sector_size = 512;
    last_said = SECTORS - 1;
    fail_at = UINT64_MAX;
    attentions = 1;
    lie = 0;
    memset(told, 0, sizeof told);
    memset(sent, 0, sizeof sent);
    status = 0;
    device = (struct bm_virtio_device){.transport = &transport};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kernel_free();
    return 0;
}

static void attach(unsigned wanted)
{
    assert_int_equal(bm_driver_virtio_scsi.attach(&device.device), 0);
    assert_int_equal(disk_count, wanted);
}

static void on_done(struct bm_block_request *request)
{
    (void)request;
    dones++;
}

static int submit(unsigned place, unsigned disk, unsigned operation, uint64_t sector, uint32_t count,
                  unsigned flags)
{
    segment = (struct bm_dma_segment){bm_dma_address(data), count * disks[disk]->sector_size};
    requests[place] = (struct bm_block_request){.operation = (uint8_t)operation,
                                                .flags = (uint8_t)flags,
                                                .sector = sector,
                                                .count = count,
                                                .segments = &segment,
                                                .segment_count = operation <= BM_BLOCK_WRITE,
                                                .done = on_done,
                                                .result = 99};
    int error = bm_block_submit(disks[disk], disks[disk]->queues, &requests[place]);
    bm_block_kick(disks[disk]->queues);
    return error;
}

static void poll(void)
{
    for (unsigned i = 0; i < disk_count; i++)
        while (disks[i]->queues->poller.poll(disks[i]->queues->poller.arg))
            ;
}

static void pass(unsigned seconds)
{
    while (seconds--) {
        time_passes();
        poll();
    }
}

static void units_are_found(void **state)
{
    (void)state;
    attentions = 3;
    attach(3);
    assert_true(disks[0]->sectors == SECTORS && disks[0]->sector_size == 512 &&
                disks[0]->physical_size == 4096);
    assert_string_equal(disks[0]->serial, "unit");
    assert_int_equal(disks[0]->discard_max, 100);
    assert_int_equal(disks[0]->capabilities, BM_BLOCK_CAN_FLUSH | BM_BLOCK_CAN_DISCARD);
    assert_true(!disks[0]->read_only && disks[1]->read_only);
    assert_true(disks[2]->whole && disks[2]->read_only && disks[2]->sector_size == 2048);
    assert_string_equal(disks[2]->name, "sr0");
    assert_int_equal(disks[0]->ops->aim(disks[0]->queues, 0), -BM_EBUSY);
    assert_int_equal(errors, 0);
    set_up(state);
    no_disc = true;
    forgets = false;
    sector_size = 4096;
    attach(2);
    assert_int_equal(disks[0]->sector_size, 4096);
    assert_int_equal(disks[0]->capabilities, BM_BLOCK_CAN_FLUSH);
    set_up(state);
    sector_size = 1000;
    attach(1);
    set_up(state);
    last_said = UINT64_MAX;
    segments_said = sectors_said = 1; // nothing that could be: the least that works
    attach(3);
    assert_true(disks[0]->sectors <= INT64_MAX / 512 && disks[0]->segments_max >= 2 &&
                disks[0]->transfer_max >= 4096);
    set_up(state);
    held = true; // it does not answer
    assert_int_equal(bm_driver_virtio_scsi.attach(&device.device), -BM_EIO);
    assert_int_equal(errors, 1);
}

static void requests_are_carried_out(void **state)
{
    (void)state;
    attach(3);
    for (unsigned count = 1; count <= 200; count = count * 3 + 1) {
        memset(data, (int)count, count * 512);
        assert_int_equal(submit(0, 0, BM_BLOCK_WRITE, SECTORS - count, count, count % 2 ? BM_BLOCK_FUA : 0),
                         0);
        poll();
        assert_int_equal(requests[0].result, 0);
        memset(data, 0, sizeof data);
        assert_int_equal(submit(0, 0, BM_BLOCK_READ, SECTORS - count, count, 0), 0);
        poll();
        assert_int_equal(requests[0].result, 0);
        assert_memory_equal(data, contents[0] + (SECTORS - count) * 512, count * 512);
        assert_int_equal(data[0], (unsigned char)count);
    }
    assert_int_equal(sent[0x35], 3); // 1, 13 and 121
    assert_int_equal(submit(0, 0, BM_BLOCK_FLUSH, 0, 0, 0), 0);
    assert_int_equal(submit(1, 0, BM_BLOCK_DISCARD, 7, 9, 0), 0);
    assert_int_equal(submit(2, 2, BM_BLOCK_READ, 5, 3, 0), 0);
    assert_int_equal(submit(3, 1, BM_BLOCK_WRITE, 5, 3, 0), -BM_EROFS);
    poll();
    assert_true(requests[0].result == 0 && requests[1].result == 0 && requests[2].result == 0);
    assert_int_equal(contents[0][7 * 512], 0xdd);
    assert_int_equal(contents[0][16 * 512 - 1], 0xdd);
}

static void errors_are_told_apart(void **state)
{
    (void)state;
    attach(3);
    fail_at = 9;
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(submit(i, 0, BM_BLOCK_READ, i * 2, 2, 0), 0);
    poll();
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(requests[i].result, i == 4 ? -BM_EIO : 0);
    memset(told, 0, sizeof told); // a unit has something to tell: the command is sent again
    assert_int_equal(submit(0, 0, BM_BLOCK_READ, 0, 1, 0), 0);
    poll();
    assert_int_equal(requests[0].result, 0);
    memset(told, 0, sizeof told);
    attentions = 100; // and never ends
    assert_int_equal(submit(0, 0, BM_BLOCK_READ, 0, 1, 0), 0);
    poll();
    assert_int_equal(requests[0].result, -BM_EIO);
    attentions = 0;
    const uint8_t responses[] = {1, 2, 4, 5, 9, 77, 255};
    for (unsigned i = 0; i < sizeof responses; i++) {
        lie = responses[i];
        assert_int_equal(submit(0, 0, BM_BLOCK_READ, 0, 1, 0), 0);
        poll();
        assert_int_equal(requests[0].result, -BM_EIO);
    }
    assert_false(device.broken);
}

static void stuck_requests_are_sent_again_once(void **state)
{
    (void)state;
    attach(3);
    held = true;
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(submit(i, i % 2, BM_BLOCK_READ, i, 1, 0), 0);
    assert_int_equal(submit(64, 0, BM_BLOCK_READ, 0, 1, 0), -BM_EAGAIN);
    pass(10);
    assert_int_equal(dones, 0);
    held = false;
    run();
    poll();
    assert_int_equal(dones, 64);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(requests[i].result, 0);
    held = true;
    assert_int_equal(submit(0, 1, BM_BLOCK_READ, 0, 1, 0), 0);
    pass(20);
    assert_int_equal(dones, 65);
    assert_int_equal(requests[0].result, -BM_EIO);
    status |= 64; // it wants a reset, and does not come back
    assert_int_equal(submit(0, 0, BM_BLOCK_READ, 0, 1, 0), 0);
    atomic_store(&device.config_changed, true);
    assert_true(disks[0]->queues->poller.arm(disks[0]->queues->poller.arg));
    stuck = true;
    poll();
    assert_true(device.broken && disks[0]->removed && disks[2]->removed);
    assert_int_equal(submit(1, 0, BM_BLOCK_READ, 0, 1, 0), -BM_ENODEV);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(units_are_found),
        TEST(requests_are_carried_out),
        TEST(errors_are_told_apart),
        TEST(stuck_requests_are_sent_again_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
