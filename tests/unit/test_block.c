// Block devices: which requests reach a driver, names, partitions as devices, and the calls that wait.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/block/request.c libbaremetal/block/registry.c libbaremetal/block/disk.c
// @sources libbaremetal/block/partition.c libbaremetal/base/format.c tests/unit/memory_host/permanent.c
// @sources libbaremetal/block/bind.c
#include <baremetal/block.h>
#include <baremetal/error.h>
#include <baremetal/log.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const char bm_disk_device_linked = 1;

// --- The kernel: pages of a buffer never follow each other for a device ---

static void *blocks[128]; // of devices, which live as long as the list
static unsigned block_count, pollers, warnings;
static struct bm_poller *bound;

void *bm_frame_allocate(unsigned order)
{
    assert_true(block_count < 128);
    return blocks[block_count++] = aligned_alloc(BM_PAGE_SIZE << order, BM_PAGE_SIZE << order);
}

void bm_frame_free(void *block, unsigned order)
{
    (void)order;
    for (unsigned i = 0; i < block_count; i++)
        if (blocks[i] == block)
            blocks[i] = NULL;
    free(block);
}

uint64_t bm_dma_address(const void *address)
{
    return (uint64_t)(uintptr_t)address;
}

int bm_dma_segments(const void *buffer, size_t length, struct bm_dma_segment *segments, unsigned max)
{
    const char *at = buffer;
    unsigned count = 0;
    while (length) {
        size_t piece = BM_PAGE_SIZE - (uintptr_t)at % BM_PAGE_SIZE;
        piece = piece < length ? piece : length;
        if (count == max)
            return -BM_EINVAL;
        segments[count++] = (struct bm_dma_segment){bm_dma_address(at), (uint32_t)piece};
        at += piece;
        length -= piece;
    }
    return (int)count;
}

void bm_poller_add(struct bm_poller *poller)
{
    assert_non_null(poller->poll);
    pollers++;
}

static unsigned this_core;
unsigned bm_core_id(void)
{
    return this_core;
}

unsigned bm_core_arrived(void)
{
    return 4;
}

void bm_poller_bind(struct bm_poller *poller, unsigned core)
{
    assert_int_equal(core, 3);
    bound = poller;
}

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)subject, (void)format;
    warnings += level != BM_LOG_INFO;
}

// --- The device: a disk in memory that answers the youngest request first ---

enum { SECTORS = 1024, DEPTH = 4, PAGES = 64 };

static unsigned char *contents;
static struct bm_blockdev *disk;
static struct bm_blockqueue queue;
static struct bm_block_request *under_way[DEPTH];
static unsigned under_way_count, kicked, submitted[5], largest, flags_seen, aim_error;
static int result;

static int fake_submit(struct bm_blockqueue *self, struct bm_block_request *request)
{
    assert_ptr_equal(self, &queue);
    if (under_way_count == DEPTH)
        return -BM_EAGAIN;
    submitted[request->operation]++;
    flags_seen |= request->flags;
    if (request->count > largest)
        largest = request->count;
    under_way[under_way_count++] = request;
    return 0;
}

static void fake_kick(struct bm_blockqueue *self)
{
    assert_ptr_equal(self, &queue);
    kicked++;
}

static int fake_aim(struct bm_blockqueue *self, unsigned core)
{
    (void)self, (void)core;
    return -(int)aim_error;
}

static const struct bm_blockdev_ops ops = {.submit = fake_submit, .kick = fake_kick, .aim = fake_aim};

static void carry_out(const struct bm_block_request *request)
{
    unsigned char *at = contents + request->disk_sector * disk->sector_size;
    assert_true(request->disk_sector + request->count <= SECTORS);
    for (unsigned i = 0; i < request->segment_count; i++) {
        void *memory = (void *)(uintptr_t)request->segments[i].address;
        if (request->operation == BM_BLOCK_READ)
            memcpy(memory, at, request->segments[i].length);
        else
            memcpy(at, memory, request->segments[i].length);
        at += request->segments[i].length;
    }
    if (request->operation == BM_BLOCK_WRITE_ZEROES)
        memset(at, 0, (size_t)request->count * disk->sector_size);
}

static bool fake_poll(void *arg)
{
    (void)arg;
    if (!under_way_count)
        return false;
    struct bm_block_request *request = under_way[--under_way_count];
    if (!result)
        carry_out(request);
    bm_block_done(&queue, request, result);
    return true;
}

bool bm_wait_until(bool (*condition)(void *arg), void *arg, uint64_t deadline)
{
    assert_int_equal(deadline, UINT64_MAX);
    assert_true(kicked); // or nobody would answer
    while (!condition(arg))
        assert_true(fake_poll(NULL)); // else it would wait for ever
    return true;
}

static void add(const char *prefix)
{
    disk = blocks[block_count++] = calloc(1, sizeof *disk);
    *disk = (struct bm_blockdev){.driver = "fake",
                                 .ops = &ops,
                                 .sectors = SECTORS,
                                 .sector_size = 512,
                                 .physical_size = 4096,
                                 .capabilities =
                                     BM_BLOCK_CAN_FLUSH | BM_BLOCK_CAN_DISCARD | BM_BLOCK_CAN_WRITE_ZEROES,
                                 .transfer_max = 16384,
                                 .segment_max = 8192,
                                 .segments_max = 6,
                                 .alignment = 4,
                                 .discard_max = 100,
                                 .zeroes_max = 50};
    queue = (struct bm_blockqueue){.depth = DEPTH, .poller = {.poll = fake_poll}};
    bm_blockqueue_add(disk, &queue);
    assert_int_equal(bm_blockdev_add(disk, prefix), 0);
}

static int set_up(void **state)
{
    (void)state;
    contents = calloc(SECTORS, 4096);
    under_way_count = kicked = warnings = largest = flags_seen = aim_error = 0;
    memset(submitted, 0, sizeof submitted);
    result = 0;
    return contents ? 0 : -1;
}

// The list lives as long as the machine: names go on from test to test.
static int tear_down(void **state)
{
    (void)state;
    free(contents);
    return 0;
}

// --- The tests ---

static unsigned dones;
static int last_result;

static void on_done(struct bm_block_request *request)
{
    dones++;
    last_result = request->result;
}

static int submit(struct bm_block_request request)
{
    static struct bm_block_request kept[16];
    static unsigned next;
    struct bm_block_request *own = &kept[next++ % 16];
    *own = request;
    return bm_block_submit(disk, &queue, own);
}

static void only_what_the_device_can_reaches_it(void **state)
{
    (void)state;
    add("ta");
    static _Alignas(4096) unsigned char memory[65536];
    struct bm_dma_segment segments[8];
    for (unsigned i = 0; i < 8; i++)
        segments[i] = (struct bm_dma_segment){bm_dma_address(memory) + 8192 * i, 512};
    const struct bm_block_request good = {
        .operation = BM_BLOCK_READ, .count = 2, .segments = segments, .segment_count = 2, .done = on_done};
    memset(submitted, 0, sizeof submitted);
    struct bm_block_request r = good;
    assert_int_equal(submit(good), 0);
    assert_int_equal(submitted[BM_BLOCK_READ], 1);
    fake_poll(NULL);
#define REFUSED(change, error)                                                                               \
    r = good;                                                                                                \
    change;                                                                                                  \
    assert_int_equal(submit(r), -(error))
    REFUSED(r.count = 0, BM_EINVAL);
    REFUSED(r.count = 3, BM_EINVAL); // not what the segments hold
    REFUSED(r.count = 1, BM_EINVAL);
    REFUSED(r.segment_count = 0, BM_EINVAL);
    REFUSED(r.done = NULL, BM_EINVAL);
    REFUSED(r.operation = 5, BM_EINVAL);
    REFUSED(r.flags = BM_BLOCK_FUA, BM_EINVAL); // of a read
    REFUSED(r.flags = 2, BM_EINVAL);
    REFUSED((r.count = 7, r.segment_count = 7), BM_EINVAL);
    REFUSED(r.sector = SECTORS - 1, BM_ERANGE);
    REFUSED(r.sector = SECTORS, BM_ERANGE);
    REFUSED(r.sector = UINT64_MAX, BM_ERANGE);
    REFUSED(r.count = UINT32_MAX, BM_ERANGE);
    segments[1].length = 510;
    REFUSED(, BM_EINVAL);
    segments[0].length = 514; // 1,024 bytes in all, misaligned
    REFUSED(, BM_EINVAL);
    segments[0].length = 1024;
    segments[1].length = 0;
    REFUSED(, BM_EINVAL);
    segments[0].length = segments[1].length = 512;
    segments[1].address += 2;
    REFUSED(, BM_EINVAL);
    segments[1].address = BM_DMA_NONE;
    REFUSED(, BM_EINVAL);
    segments[0].length = 8192 + 512; // longer than a segment may be
    REFUSED((r.count = 17, r.segment_count = 1), BM_EINVAL);
    for (unsigned i = 0; i < 3; i++)
        segments[i] = (struct bm_dma_segment){bm_dma_address(memory), 8192};
    REFUSED((r.count = 48, r.segment_count = 3), BM_EINVAL); // more than a transfer
    // Segments that have to meet at a boundary, unless one goes on where the other ends.
    disk->boundary = 4096;
    segments[0] = (struct bm_dma_segment){bm_dma_address(memory) + 3584, 512};
    segments[1] = (struct bm_dma_segment){bm_dma_address(memory) + 8192, 512};
    assert_int_equal(submit(good), 0);
    fake_poll(NULL);
    segments[1].address += 4;
    REFUSED(, BM_EINVAL);
    segments[1].address -= 4;
    segments[0].address -= 4;
    REFUSED(, BM_EINVAL);
    segments[1].address = segments[0].address + 512;
    assert_int_equal(submit(good), 0);
    fake_poll(NULL);
    disk->boundary = 0;
    memset(submitted, 0, sizeof submitted);
    submitted[BM_BLOCK_READ] = 1;
    REFUSED((r.operation = BM_BLOCK_FLUSH, r.segment_count = 0), BM_EINVAL);
    REFUSED((r.operation = BM_BLOCK_DISCARD), BM_EINVAL);
    REFUSED((r.operation = BM_BLOCK_DISCARD, r.segment_count = 0, r.count = 101), BM_EINVAL);
    REFUSED((r.operation = BM_BLOCK_WRITE_ZEROES, r.segment_count = 0, r.count = 51), BM_EINVAL);
    disk->read_only = true;
    const unsigned writes[] = {BM_BLOCK_WRITE, BM_BLOCK_DISCARD, BM_BLOCK_WRITE_ZEROES};
    for (unsigned i = 0; i < 3; i++) {
        REFUSED(r.operation = (uint8_t)writes[i], BM_EROFS);
    }
    disk->read_only = false;
    disk->capabilities = 0;
    REFUSED((r.operation = BM_BLOCK_DISCARD, r.segment_count = 0), BM_ENXIO);
    REFUSED((r.operation = BM_BLOCK_WRITE_ZEROES, r.segment_count = 0), BM_ENXIO);
    disk->removed = true;
    REFUSED(, BM_ENODEV);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(submitted[i], i == BM_BLOCK_READ);
    assert_int_equal(under_way_count, 0);
}

static void flush_of_a_device_without_cache_is_done_at_once(void **state)
{
    (void)state;
    add("tb");
    dones = 0;
    assert_int_equal(submit((struct bm_block_request){.operation = BM_BLOCK_FLUSH, .done = on_done}), 0);
    assert_int_equal(dones, 0);
    assert_true(fake_poll(NULL));
    assert_int_equal(dones, 1);
    disk->capabilities = 0;
    assert_int_equal(submit((struct bm_block_request){.operation = BM_BLOCK_FLUSH, .done = on_done}), 0);
    assert_int_equal(dones, 2);
    assert_int_equal(under_way_count, 0);
    assert_int_equal(bm_block_flush(disk), 0);
}

static void names_count_up(void **state)
{
    (void)state;
    char name[8] = "tca";
    for (unsigned i = 0; i < 28; i++) {
        add("tc");
        if (i < 26)
            name[2] = (char)('a' + i);
        else
            memcpy(name + 2, i == 26 ? "aa" : "ab", 3);
        assert_string_equal(disk->name, name);
        assert_ptr_equal(bm_blockdev_find(name), disk);
    }
    assert_null(bm_blockdev_find("tc"));
    assert_null(bm_blockdev_find("tcac"));
    assert_int_equal(bm_blockqueue_bind(&queue, 4), -BM_EINVAL); // there is no such core
    assert_null(bound);
    aim_error = BM_EINVAL;
    assert_int_equal(bm_blockqueue_bind(&queue, 3), -BM_EINVAL);
    assert_null(bound);
    aim_error = 0;
    assert_int_equal(bm_blockqueue_bind(&queue, 3), 0);
    assert_ptr_equal(bound, &queue.poller);
}

static void impossible_devices_are_refused(void **state)
{
    (void)state;
    add("td");
    const struct bm_blockdev good = *disk;
    struct bm_blockdev d;
#define IMPOSSIBLE(change)                                                                                   \
    d = good;                                                                                                \
    change;                                                                                                  \
    assert_int_equal(bm_blockdev_add(&d, "td"), -BM_EINVAL)
    IMPOSSIBLE(d.sector_size = 0);
    IMPOSSIBLE(d.sector_size = 256);
    IMPOSSIBLE(d.sector_size = 520);
    IMPOSSIBLE(d.sector_size = 8192);
    IMPOSSIBLE(d.sectors = UINT64_MAX);
    IMPOSSIBLE(d.alignment = 0);
    IMPOSSIBLE(d.alignment = 1024);
    IMPOSSIBLE(d.segments_max = 1);
    IMPOSSIBLE(d.segment_max = 511);
    IMPOSSIBLE(d.transfer_max = 0);
    IMPOSSIBLE(d.queues = NULL);
}

static unsigned char pattern(size_t i)
{
    return (unsigned char)(i * 7 + i / 509);
}

static void reads_and_writes_are_cut_up(void **state)
{
    (void)state;
    add("te");
    enum { BYTES = 300 * 512 };
    unsigned char *memory = aligned_alloc(4096, BYTES + 10240), *buffer = memory + 1000;
    for (size_t i = 0; i < BYTES; i++)
        buffer[i] = pattern(i);
    largest = 0;
    assert_int_equal(bm_block_write(disk, 7, buffer, 300, 0), 0);
    assert_true(largest <= 32 && largest > 16); // as much as surely fits
    assert_memory_equal(contents + 7 * 512, buffer, BYTES);
    memset(buffer, 0, BYTES);
    assert_int_equal(bm_block_read(disk, 7, buffer, 300), 0);
    for (size_t i = 0; i < BYTES; i++)
        assert_int_equal(buffer[i], pattern(i));
    assert_int_equal(flags_seen, 0);
    assert_int_equal(bm_block_write(disk, 0, buffer, 1, BM_BLOCK_FUA), 0);
    assert_int_equal(flags_seen, BM_BLOCK_FUA);
    assert_int_equal(bm_block_write(disk, 0, buffer, 1, 0x100), -BM_EINVAL);
    assert_int_equal(bm_block_read(disk, 0, buffer, 0), -BM_EINVAL);
    unsigned before = submitted[BM_BLOCK_READ];
    assert_int_equal(bm_block_read(disk, SECTORS - 299, buffer, 300), -BM_ERANGE); // not one of them
    assert_int_equal(bm_block_read(disk, 0, buffer + 1, 2), -BM_EINVAL);           // misaligned
    assert_int_equal(submitted[BM_BLOCK_READ], before);
    result = -BM_EIO;
    assert_int_equal(bm_block_read(disk, 0, buffer, 100), -BM_EIO);
    assert_int_equal(submitted[BM_BLOCK_READ], before + 1); // the first one was enough
    assert_int_equal(queue.failed, 1);
    free(memory);
}

static void full_queues_are_waited_for(void **state)
{
    (void)state;
    add("tf");
    static _Alignas(4096) unsigned char buffer[512];
    dones = 0;
    const struct bm_dma_segment segment = {bm_dma_address(buffer), 512};
    struct bm_block_request requests[DEPTH];
    for (unsigned i = 0; i < DEPTH; i++) {
        requests[i] = (struct bm_block_request){.operation = BM_BLOCK_WRITE,
                                                .sector = i,
                                                .count = 1,
                                                .segments = &segment,
                                                .segment_count = 1,
                                                .done = on_done};
        assert_int_equal(bm_block_submit(disk, &queue, &requests[i]), 0);
    }
    struct bm_block_request one_more = requests[0];
    assert_int_equal(bm_block_submit(disk, &queue, &one_more), -BM_EAGAIN);
    assert_int_equal(bm_block_read(disk, 0, buffer, 1), 0);
    assert_true(dones >= 1);
}

static void discards_and_zeroes_are_cut_up(void **state)
{
    (void)state;
    add("tg");
    memset(contents, 0xff, SECTORS * 512);
    assert_int_equal(bm_block_write_zeroes(disk, 1, 120), 0);
    assert_int_equal(submitted[BM_BLOCK_WRITE_ZEROES], 3);
    for (size_t i = 0; i < SECTORS * 512; i++)
        assert_int_equal(contents[i], i >= 512 && i < 121 * 512 ? 0 : 0xff);
    assert_int_equal(bm_block_discard(disk, 0, SECTORS), 0);
    assert_int_equal(submitted[BM_BLOCK_DISCARD], 11);
    assert_int_equal(bm_block_discard(disk, 1, SECTORS), -BM_ERANGE);
    assert_int_equal(bm_block_discard(disk, 0, 0), -BM_EINVAL);
    disk->capabilities = 0;
    disk->discard_max = 0;
    assert_int_equal(bm_block_discard(disk, 0, 1), -BM_ENXIO);
}

static void mbr_entry(unsigned number, uint32_t first, uint32_t count)
{
    unsigned char *entry = contents + 446 + 16 * (size_t)number;
    entry[4] = 0x83;
    memcpy(entry + 8, &first, 4);
    memcpy(entry + 12, &count, 4);
    contents[510] = 0x55;
    contents[511] = 0xaa;
}

static void partitions_are_devices(void **state)
{
    (void)state;
    static _Alignas(4096) unsigned char buffer[1024];
    mbr_entry(0, 100, 10);
    mbr_entry(1, 200, SECTORS - 200);
    mbr_entry(2, 105, 10);
    add("th");
    assert_int_equal(warnings, 1);
    struct bm_blockdev *first = bm_blockdev_find("tha1"), *second = bm_blockdev_find("tha2");
    assert_non_null(first);
    assert_non_null(second);
    assert_null(bm_blockdev_find("tha3"));
    assert_ptr_equal(disk->next, first);
    assert_ptr_equal(first->next, second);
    assert_true(first->sectors == 10 && first->disk == disk && first->type[0] == 0x83);
    assert_ptr_equal(bm_blockdev_queue(first, 0), &queue);
    assert_null(bm_blockdev_queue(first, 1));
    memset(buffer, 0xab, sizeof buffer);
    assert_int_equal(bm_block_write(first, 9, buffer, 1, 0), 0);
    assert_int_equal(contents[109 * 512 - 1], 0);
    assert_int_equal(contents[109 * 512], 0xab);
    assert_int_equal(contents[110 * 512], 0);
    assert_int_equal(bm_block_write(first, 9, buffer, 2, 0), -BM_ERANGE);
    assert_int_equal(bm_block_flush(first), 0);
    disk->read_only = true;
    assert_int_equal(bm_block_write(first, 9, buffer, 1, 0), -BM_EROFS);
    disk->sectors = 300; // it became smaller
    assert_int_equal(bm_block_read(second, 99, buffer, 1), 0);
    assert_int_equal(bm_block_read(second, 100, buffer, 1), -BM_ERANGE);
    disk->removed = true;
    assert_int_equal(bm_block_read(first, 0, buffer, 1), -BM_ENODEV);
}

static void disks_with_numbers_get_a_letter(void **state)
{
    (void)state;
    mbr_entry(0, 100, 10);
    disk = blocks[block_count++] = calloc(1, sizeof *disk);
    *disk = (struct bm_blockdev){.name = "nvme0n1",
                                 .ops = &ops,
                                 .sectors = SECTORS,
                                 .sector_size = 512,
                                 .transfer_max = 16384,
                                 .segment_max = 8192,
                                 .segments_max = 6,
                                 .alignment = 4};
    queue = (struct bm_blockqueue){.depth = DEPTH, .poller = {.poll = fake_poll}};
    bm_blockqueue_add(disk, &queue);
    assert_int_equal(bm_blockdev_add(disk, NULL), 0);
    assert_non_null(bm_blockdev_find("nvme0n1p1"));
    result = -BM_EIO; // a disk that cannot be read has no partitions, but is there
    add("ti");
    assert_int_equal(warnings, 1);
    assert_non_null(bm_blockdev_find("tia"));
}

// A disk with two queues: waiting calls take one that this core may touch.
static struct bm_blockqueue second_queue;
static unsigned second_submitted;

static int second_submit(struct bm_blockqueue *self, struct bm_block_request *request)
{
    second_submitted += self == &second_queue;
    return fake_submit(&queue, request);
}

static void second_kick(struct bm_blockqueue *self)
{
    (void)self;
    kicked++;
}

static void waiting_calls_choose_a_queue(void **state)
{
    static const struct bm_blockdev_ops two = {.submit = second_submit, .kick = second_kick};
    static unsigned char buffer[512];
    (void)state;
    disk = blocks[block_count++] = calloc(1, sizeof *disk);
    *disk = (struct bm_blockdev){.name = "two",
                                 .ops = &two,
                                 .sectors = SECTORS,
                                 .sector_size = 512,
                                 .transfer_max = 16384,
                                 .segment_max = 8192,
                                 .segments_max = 6,
                                 .alignment = 4};
    queue = (struct bm_blockqueue){.depth = DEPTH, .poller = {.poll = fake_poll}};
    second_queue = queue;
    bm_blockqueue_add(disk, &queue);
    bm_blockqueue_add(disk, &second_queue);
    assert_int_equal(bm_blockdev_add(disk, NULL), 0);
    second_submitted = 0;
    const struct {
        unsigned core, first, second; // bound to this core plus one
        bool takes_second;
    } cases[] = {{0, 0, 0, false}, {1, 0, 0, true}, {2, 0, 0, false},
                 {1, 0, 1, false}, {0, 2, 0, true}, {3, 4, 2, false}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        this_core = cases[i].core;
        queue.poller.core = cases[i].first;
        second_queue.poller.core = cases[i].second;
        second_submitted = 0;
        assert_int_equal(bm_block_read(disk, 1, buffer, 1), 0);
        assert_int_equal(second_submitted, cases[i].takes_second);
    }
    this_core = 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(only_what_the_device_can_reaches_it),
        TEST(flush_of_a_device_without_cache_is_done_at_once),
        TEST(names_count_up),
        TEST(impossible_devices_are_refused),
        TEST(reads_and_writes_are_cut_up),
        TEST(full_queues_are_waited_for),
        TEST(discards_and_zeroes_are_cut_up),
        TEST(partitions_are_devices),
        TEST(disks_with_numbers_get_a_letter),
        TEST(waiting_calls_choose_a_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
