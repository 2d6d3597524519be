// The NVMe driver between an invented controller, which is slow, stuck, gone, or lies, and the kernel's block
// layer.
// SPDX-License-Identifier: MIT
// @sources drivers/block/nvme/nvme.c drivers/block/nvme/nvme_admin.c drivers/block/nvme/nvme_namespace.c
// @sources drivers/block/nvme/nvme_queue.c drivers/block/nvme/nvme_reset.c drivers/block/nvme/nvme_rings.c
// @sources libbaremetal/block/request.c tests/unit/memory_host/permanent.c tests/unit/nvme_host/controller.c
#include "nvme_host/controller.h"

#include <baremetal/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { REQUESTS = 80 };
static struct bm_block_request requests[REQUESTS];
static struct bm_dma_segment segments[REQUESTS][4];
static _Alignas(4096) unsigned char data[2 << 20];
static unsigned dones;
static struct bm_blockdev *disk;
static struct bm_blockqueue *queue;

static int set_up(void **state)
{
    (void)state;
    controller_clear();
    dones = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    controller_free();
    return 0;
}

static void attach(void)
{
    assert_int_equal(controller_attach(), 0);
    assert_true(controller_disks);
    disk = controller_added[0];
    queue = disk->queues;
}

static void on_done(struct bm_block_request *request)
{
    (void)request;
    dones++;
}

static int submit_at(unsigned number, unsigned operation, uint64_t sector, uint32_t count, unsigned flags,
                     unsigned offset)
{
    bool moves = operation == BM_BLOCK_READ || operation == BM_BLOCK_WRITE;
    segments[number][0] = (struct bm_dma_segment){bm_dma_address(data + offset), count * disk->sector_size};
    requests[number] = (struct bm_block_request){.operation = (uint8_t)operation,
                                                 .flags = (uint8_t)flags,
                                                 .sector = sector,
                                                 .count = count,
                                                 .segments = segments[number],
                                                 .segment_count = moves,
                                                 .done = on_done,
                                                 .result = 99};
    return bm_block_submit(disk, queue, &requests[number]);
}

static int submit(unsigned number, unsigned operation, uint64_t sector, uint32_t count, unsigned flags)
{
    return submit_at(number, operation, sector, count, flags, 0);
}

static void pass(unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        controller_now += NVME_SECOND;
        controller_poll();
    }
}

static void what_the_controller_says_is_taken(void **state)
{
    (void)state;
    controller.namespaces[1] = 7;
    controller.mdts = 5;
    attach();
    assert_int_equal(controller_disks, 2);
    assert_memory_equal(controller_added[1]->name, "nvme", 4);
    assert_string_equal(strrchr(controller_added[1]->name, 'n'), "n7");
    assert_string_equal(disk->serial, "serial-1");
    assert_int_equal(disk->sectors, CONTROLLER_SECTORS);
    assert_int_equal(disk->transfer_max, 131072);
    assert_int_equal(disk->capabilities, 7);
    assert_int_equal(disk->queue_count, 4); // 8 queues, 2 namespaces, 4 cores
    assert_int_equal(queue->depth, 64);
    assert_int_equal(disk->ops->aim(queue, 3), 0);
    assert_int_equal(controller.aimed, 3);
    assert_int_equal(log_errors + log_warnings, 0);
}

static void controllers_that_cannot_be_used_are_left_alone(void **state)
{
    const struct {
        uint64_t capabilities;
        bool gone, never_ready, never_idle, fatal;
        bool held;
    } bad[] = {
        {1ull << 37 | 1023, .gone = true},
        {1023, .gone = false},                           // no NVM commands
        {1ull << 37 | 1ull << 48 | 1023, .gone = false}, // pages of 8 KiB at least
        {1ull << 37, .gone = false},                     // queues of one entry
        {1ull << 37 | 1023, .never_ready = true},
        {1ull << 37 | 1023, .never_idle = true},
        {1ull << 37 | 1023, .fatal = true},
        {1ull << 37 | 1023, .held = true},
    };
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        set_up(state);
        controller.capabilities = bad[i].capabilities;
        controller.gone = bad[i].gone;
        controller.never_ready = bad[i].never_ready;
        controller.never_idle = bad[i].never_idle;
        controller.fatal = bad[i].fatal;
        controller.held[0] = bad[i].held;
        assert_true(controller_attach() < 0);
        assert_true(log_errors > 0);
        assert_true(controller.disabled > 0);
        assert_int_equal(controller_disks, 0);
        tear_down(state);
    }
    set_up(state);
    controller.protection = 1;
    assert_int_equal(controller_attach(), 0);
    assert_int_equal(controller_disks, 0);
    assert_int_equal(log_warnings, 1);
}

static void data_goes_where_it_belongs(void **state)
{
    (void)state;
    attach();
    const unsigned counts[] = {1, 2, 7, 8, 9, 16, 17, 24, 128, 255, 256};
    const unsigned offsets[] = {0, 4, 512, 2048, 3584, 4092};
    for (unsigned c = 0; c < sizeof counts / sizeof *counts; c++)
        for (unsigned o = 0; o < sizeof offsets / sizeof *offsets; o++) {
            size_t bytes = counts[c] * 512;
            unsigned char *copy = data + (1 << 20);
            for (size_t i = 0; i < bytes; i++)
                data[offsets[o] + i] = copy[i] = (unsigned char)(rand() >> 7);
            dones = 0;
            assert_int_equal(submit_at(0, BM_BLOCK_WRITE, 256 - counts[c], counts[c], 0, offsets[o]), 0);
            bm_block_kick(queue);
            controller_poll();
            assert_memory_equal(controller.disks[0] + (256 - counts[c]) * 512, copy, bytes);
            memset(data + offsets[o], 0, bytes);
            assert_int_equal(submit_at(0, BM_BLOCK_READ, 256 - counts[c], counts[c], 0, offsets[o]), 0);
            bm_block_kick(queue);
            controller_poll();
            assert_int_equal(dones, 2);
            assert_int_equal(requests[0].result, 0);
            assert_memory_equal(data + offsets[o], copy, bytes);
        }
}

// 1 MiB from the middle of a page has the longest list; segments that do not meet at pages' ends are refused.
static void lists_are_as_long_as_they_may_be(void **state)
{
    (void)state;
    controller.sector_bits = 12;
    attach();
    assert_int_equal(disk->sector_size, 4096);
    assert_int_equal(submit_at(0, BM_BLOCK_WRITE, 0, 256, 0, 2052), 0);
    assert_int_equal(submit_at(1, BM_BLOCK_WRITE, 0, 257, 0, 0), -BM_ERANGE);
    bm_block_kick(queue);
    controller_poll();
    assert_int_equal(requests[0].result, 0);
    assert_memory_equal(controller.disks[0], data + 2052, 1 << 20);
    struct bm_block_request *request = &requests[2];
    submit(2, BM_BLOCK_READ, 0, 2, 0);
    bm_block_kick(queue);
    controller_poll();
    const struct {
        uint32_t first_offset, first, second_offset, second;
        int error;
    } splits[] = {{0, 4096, 8192, 4096, 0},    // two pages
                  {2048, 2048, 8192, 6144, 0}, // to a page's end, then somewhere else
                  {2048, 1024, 3072, 7168, 0}, // one behind the other
                  {0, 2048, 8192, 6144, BM_EINVAL},
                  {2048, 2048, 8196, 6144, BM_EINVAL}};
    for (unsigned i = 0; i < 5; i++) {
        segments[2][0] =
            (struct bm_dma_segment){bm_dma_address(data + splits[i].first_offset), splits[i].first};
        segments[2][1] =
            (struct bm_dma_segment){bm_dma_address(data + splits[i].second_offset), splits[i].second};
        request->segment_count = 2;
        assert_int_equal(bm_block_submit(disk, queue, request), -splits[i].error);
        if (splits[i].error)
            continue;
        memset(data, 0, 16384);
        memset(controller.disks[0], 0x31, 4096);
        memset(controller.disks[0] + 4096, 0x32, 4096);
        bm_block_kick(queue);
        controller_poll();
        assert_int_equal(request->result, 0);
        assert_int_equal(data[splits[i].first_offset], 0x31);
        assert_int_equal(data[splits[i].second_offset + splits[i].second - 1], 0x32);
    }
}

static void every_operation_has_its_command(void **state)
{
    (void)state;
    attach();
    assert_int_equal(submit(0, BM_BLOCK_FLUSH, 0, 0, 0), 0);
    assert_int_equal(submit(1, BM_BLOCK_WRITE_ZEROES, 3, 50, 0), 0);
    assert_int_equal(submit(2, BM_BLOCK_DISCARD, 100, 100, 0), 0);
    unsigned before = controller.doorbells;
    bm_block_kick(queue);
    bm_block_kick(queue);
    assert_int_equal(controller.doorbells, before + 1); // one for all
    assert_int_equal(controller.words[1], 4);           // deallocate
    controller_poll();
    assert_int_equal(dones, 3);
    assert_int_equal(controller.commands[NVME_FLUSH] + controller.commands[NVME_WRITE_ZEROES] +
                         controller.commands[NVME_DATASET],
                     3);
    assert_int_equal(submit(0, BM_BLOCK_WRITE, 5, 2, BM_BLOCK_FUA), 0);
    bm_block_kick(queue);
    controller_poll();
    assert_int_equal(controller.words[0], 5);
    assert_int_equal(controller.words[2], 1u << 30 | 1);
    const struct {
        uint16_t status;
        int result;
    } answers[] = {{0x01, -BM_ENXIO}, {0x80, -BM_EIO}, {0x281, -BM_EIO}, {0x4281, -BM_EIO}, {0, 0}};
    for (unsigned i = 0; i < 5; i++) {
        controller.status = answers[i].status;
        submit(0, BM_BLOCK_READ, 0, 1, 0);
        bm_block_kick(queue);
        controller_poll();
        assert_int_equal(requests[0].result, answers[i].result);
    }
    assert_int_equal(controller.resets, 0);
}

static void rings_go_round(void **state)
{
    (void)state;
    attach();
    for (unsigned round = 0; round < 50; round++) {
        dones = 0;
        controller.held[1] = true;
        for (unsigned i = 0; i < 64; i++)
            assert_int_equal(submit(i, BM_BLOCK_READ, i, 1, 0), 0);
        assert_int_equal(submit(64, BM_BLOCK_READ, 0, 1, 0), -BM_EAGAIN);
        bm_block_kick(queue);
        controller_poll();
        assert_int_equal(dones, 0);
        controller.held[1] = false;
        controller_run();
        assert_true(queue->poller.arm(queue->poller.arg));
        controller_poll();
        assert_int_equal(dones, 64);
        assert_false(queue->poller.arm(queue->poller.arg));
    }
}

// Stuck once: the reset saves the request. Stuck for good: it fails, and the controller goes on for others.
static void stuck_requests_are_sent_again_once(void **state)
{
    (void)state;
    attach();
    controller.held[1] = true;
    assert_int_equal(submit(0, BM_BLOCK_READ, 0, 1, 0), 0);
    bm_block_kick(queue);
    assert_true(queue->poller.deadline(queue->poller.arg) <= controller_now + 2 * NVME_SECOND);
    pass(6);
    assert_int_equal(controller.resets, 0);
    pass(3);
    assert_int_equal(controller.resets, 1);
    controller.held[1] = false;
    controller_run();
    pass(1);
    assert_int_equal(dones, 1);
    assert_int_equal(requests[0].result, 0);
    controller.held[1] = true;
    assert_int_equal(submit(0, BM_BLOCK_READ, 0, 1, 0), 0);
    bm_block_kick(queue);
    pass(10);
    assert_int_equal(submit(1, BM_BLOCK_READ, 0, 1, 0), 0); // waits beside it
    bm_block_kick(queue);
    pass(9);
    assert_int_equal(controller.resets, 3);
    assert_int_equal(dones, 2);
    assert_int_equal(requests[0].result, -BM_EIO);
    controller.held[1] = false;
    controller_run();
    pass(1);
    assert_int_equal(dones, 3);
    assert_int_equal(requests[1].result, 0);
    assert_false(disk->removed);
}

// It fails of itself, and does or does not come back.
static void fatal_status_means_a_reset(void **state)
{
    for (unsigned comes_back = 0; comes_back < 2; comes_back++) {
        set_up(state);
        attach();
        controller.held[1] = true;
        assert_int_equal(submit(0, BM_BLOCK_READ, 0, 1, 0), 0);
        bm_block_kick(queue);
        controller.never_ready = true;
        controller_now += 2 * NVME_SECOND;
        queue->poller.poll(queue->poller.arg); // sees it
        controller_pollers[0]->poll(controller_pollers[0]->arg);
        assert_int_equal(submit(1, BM_BLOCK_READ, 0, 1, 0), 0); // waits in its slot
        bm_block_kick(queue);
        controller.never_ready = !comes_back;
        controller.held[1] = false;
        pass(12);
        assert_int_equal(dones, 2);
        assert_int_equal(requests[0].result, comes_back ? 0 : -BM_EIO);
        assert_int_equal(requests[1].result, comes_back ? 0 : -BM_EIO);
        assert_int_equal(disk->removed, !comes_back);
        assert_int_equal(controller.disabled, !comes_back);
        assert_int_equal(submit(0, BM_BLOCK_READ, 0, 1, 0), comes_back ? 0 : -BM_ENODEV);
        tear_down(state);
    }
}

static void removal_ends_in_errors(void **state)
{
    (void)state;
    attach();
    controller.held[1] = true;
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(submit(i, BM_BLOCK_WRITE, i, 1, 0), 0);
    bm_block_kick(queue);
    controller.gone = true;
    pass(3);
    assert_int_equal(dones, 40);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(requests[i].result, -BM_EIO);
    assert_true(disk->removed);
    assert_int_equal(submit(0, BM_BLOCK_READ, 0, 1, 0), -BM_ENODEV);
    assert_int_equal(queue->poller.deadline(queue->poller.arg), UINT64_MAX);
    assert_false(queue->poller.arm(queue->poller.arg));
}

static uint16_t lied;
static bool lie_of_identifier(unsigned number, struct nvme_completion *answer)
{
    if (number)
        answer->identifier = lied;
    return true;
}

// Answers to nobody: a reset, and nothing is touched for them.
static void answers_to_nobody_mean_a_reset(void **state)
{
    const uint16_t lies[] = {64, 65535, 5};
    for (unsigned i = 0; i < 3; i++) {
        set_up(state);
        attach();
        lied = lies[i];
        controller.lie = lie_of_identifier;
        submit(0, BM_BLOCK_READ, 0, 1, 0);
        bm_block_kick(queue);
        queue->poller.poll(queue->poller.arg);
        assert_int_equal(dones, 0);
        assert_int_equal(log_errors, 1);
        controller.lie = NULL;
        controller_poll();
        assert_int_equal(controller.resets, 1);
        assert_int_equal(dones, 1);
        assert_int_equal(requests[0].result, 0);
        tear_down(state);
    }
}

static void queues_are_shared_out(void **state)
{
    const struct {
        unsigned queues, messages, namespaces, disks, each;
    } cases[] = {{8, 16, 1, 1, 4}, {2, 16, 1, 1, 2}, {8, 1, 1, 1, 1},
                 {8, 1, 3, 3, 1},  {2, 16, 3, 2, 1}, {8, 0, 3, 3, 1}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        set_up(state);
        controller.queues = cases[i].queues;
        controller.messages = cases[i].messages;
        for (unsigned n = 0; n < cases[i].namespaces; n++)
            controller.namespaces[n] = n + 1;
        attach();
        assert_int_equal(controller_disks, cases[i].disks);
        assert_int_equal(disk->queue_count, cases[i].each);
        bool shared = cases[i].messages && cases[i].messages < cases[i].disks * cases[i].each;
        assert_int_equal(disk->ops->aim(queue, 1), shared ? -BM_EBUSY : 0);
        for (unsigned n = 0; n < controller_disks; n++) {
            disk = controller_added[n];
            for (queue = disk->queues; queue; queue = queue->next) {
                memset(data, (int)(n + 50), 512);
                dones = 0;
                assert_int_equal(submit(0, BM_BLOCK_WRITE, queue->number, 1, 0), 0);
                bm_block_kick(queue);
                controller_poll();
                assert_int_equal(dones, 1);
                assert_int_equal(controller.disks[n][queue->number * 512], n + 50);
            }
        }
        tear_down(state);
    }
}

static void line_is_masked_until_somebody_has_looked(void **state)
{
    (void)state;
    controller.messages = 0;
    controller.line = true;
    attach();
    struct bm_poller *poller = &queue->poller;
    submit(0, BM_BLOCK_READ, 0, 1, 0);
    assert_true(poller->deadline(poller->arg) <=
                controller_now + NVME_POLL + 1000000); // not seen to work yet
    bm_block_kick(queue);
    controller_interrupt();
    assert_true(controller.line_masked);
    controller_poll();
    assert_int_equal(dones, 1);
    assert_false(poller->arm(poller->arg));
    assert_false(controller.line_masked);
    controller.held[1] = true;
    submit(0, BM_BLOCK_READ, 0, 1, 0);
    assert_true(poller->deadline(poller->arg) > controller_now + 100 * NVME_POLL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_the_controller_says_is_taken),
        TEST(controllers_that_cannot_be_used_are_left_alone),
        TEST(data_goes_where_it_belongs),
        TEST(lists_are_as_long_as_they_may_be),
        TEST(every_operation_has_its_command),
        TEST(rings_go_round),
        TEST(stuck_requests_are_sent_again_once),
        TEST(fatal_status_means_a_reset),
        TEST(removal_ends_in_errors),
        TEST(answers_to_nobody_mean_a_reset),
        TEST(queues_are_shared_out),
        TEST(line_is_masked_until_somebody_has_looked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
