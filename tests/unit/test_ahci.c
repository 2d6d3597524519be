// The AHCI driver between an invented controller, which is slow, stuck, gone, or fails, and the kernel's
// block layer.
// SPDX-License-Identifier: MIT
// @sources drivers/block/ahci/ahci.c drivers/block/ahci/ahci_command.c drivers/block/ahci/ahci_identify.c
// @sources drivers/block/ahci/ahci_port.c drivers/block/ahci/ahci_reset.c libbaremetal/block/request.c
// @sources tests/unit/memory_host/permanent.c tests/unit/memory_host/one_core.c
// @sources tests/unit/ahci_host/kernel.c
#include "ahci_host/kernel.h"

#include <baremetal/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// --- The controller: port 0 is empty, port 2 has the device ---

enum { SECTORS = 512, PORT = 2, AT = AHCI_PORTS + PORT * AHCI_PORT_SIZE };
static uint32_t registers[(AHCI_PORTS + 32 * AHCI_PORT_SIZE) / 4];
static bool held, gone, never_stops, never_ready, no_disk;
static uint32_t fail_at; // sector; of reads and writes
static unsigned sector_size, resets, orders, sent[256];
static bool ncq, wide, halted;
static unsigned char contents[SECTORS * 4096];
static struct bm_pci_device pci;

static uint32_t *of_port(unsigned offset)
{
    return &registers[(AT + offset) / 4];
}

static void interrupt(void)
{
    if (registers[AHCI_GHC / 4] & AHCI_GHC_IE && *of_port(PORT_IS) & *of_port(PORT_IE)) {
        registers[AHCI_IS / 4] |= 1 << PORT;
        if (handler)
            handler(handler_arg);
    }
}

static void word_put(unsigned char *page, unsigned word, unsigned value)
{
    page[2 * word] = (unsigned char)value;
    page[2 * word + 1] = (unsigned char)(value >> 8);
}

static void identify(unsigned char *page)
{
    memset(page, 0, 512);
    memcpy(page + 20, "  idks7-            ", 20); // bytes of a word are swapped
    word_put(page, 49, 0x300);
    word_put(page, 60, SECTORS);
    word_put(page, 75, 15);
    word_put(page, 76, ncq ? 0x100 : 0);
    word_put(page, 82, 1 << 5);
    word_put(page, 83, wide ? 0x4400 : 0x4000);
    word_put(page, 85, 1 << 5);
    word_put(page, 100, SECTORS);
    word_put(page, 106, sector_size > 512 ? 0x5000 : 0x6003);
    word_put(page, 117, sector_size / 2);
    word_put(page, 169, 1);
}

// Moves the data of a command by its list; returns false when there is not enough room.
static void move(const struct ahci_header *header, unsigned char *data, size_t bytes)
{
    const struct ahci_table *table = at(header->table);
    for (unsigned i = 0; i < header->segments && bytes; i++) {
        size_t length = table->segments[i].bytes + 1 < bytes ? table->segments[i].bytes + 1 : bytes;
        if (header->flags & 1 << 6)
            memcpy(data, at(table->segments[i].address), length);
        else
            memcpy(at(table->segments[i].address), data, length);
        data += length;
        bytes -= length;
    }
    assert_int_equal(bytes, 0);
}

static bool carry_out(unsigned slot)
{
    const struct ahci_header *lists = at(*of_port(PORT_CLB) | (uint64_t)*of_port(PORT_CLB + 4) << 32);
    const struct ahci_header *header = &lists[slot];
    const uint8_t *fis = ((const struct ahci_table *)at(header->table))->fis;
    uint64_t sector = fis[4] | fis[5] << 8 | fis[6] << 16 | (uint64_t)fis[8] << 24;
    unsigned count = fis[12] | fis[13] << 8;
    assert_true(fis[0] == 0x27 && fis[1] == 0x80 && (header->flags & 31) == 5);
    sent[fis[2]]++;
    switch (fis[2]) {
    case 0xec: {
        unsigned char page[512];
        identify(page);
        move(header, page, 512);
        return true;
    }
    case 0x60:
    case 0x61:
        assert_int_equal(count >> 3, slot);
        count = fis[3] | fis[11] << 8;
        break;
    case 0xc8:
    case 0xca:
        sector = (sector & 0xffffff) | (fis[7] & 15) << 24;
        count = count ? count : 256;
        assert_true(!wide && count <= 256);
        break;
    case 0x06: {
        unsigned char range[512];
        move(header, range, 512);
        assert_true(fis[3] == 1 && count == 1);
        memset(contents + (range[0] | range[1] << 8) * sector_size, 0xdd,
               (range[6] | range[7] << 8) * sector_size);
        return true;
    }
    case 0xe7:
    case 0xea:
        return true;
    }
    if (fail_at >= sector && fail_at < sector + count)
        return false;
    assert_true(sector + count <= SECTORS);
    move(header, contents + sector * sector_size, (size_t)count * sector_size);
    return true;
}

static void run(void)
{
    while (!held && !halted && *of_port(PORT_CMD) & 1 && *of_port(PORT_CI)) {
        unsigned slot = (unsigned)__builtin_ctz(*of_port(PORT_CI));
        bool queued = *of_port(PORT_SACT) & 1u << slot, good = carry_out(slot);
        if (queued || good)
            *of_port(PORT_CI) &= ~(1u << slot);
        if (good)
            *of_port(PORT_SACT) &= ~(1u << slot);
        halted = !good;
        *of_port(PORT_TFD) = good ? 0x50 : 0x41;
        *of_port(PORT_IS) |= good ? 1u : PORT_IS_TASK_FILE;
    }
    interrupt();
}

static void link_up(void)
{
    *of_port(PORT_SSTS) = no_disk ? 0 : 0x123;
    *of_port(PORT_TFD) = never_ready ? 0x80 : 0x50;
    *of_port(PORT_SIG) = PORT_SIG_DISK;
}

uint32_t ahci_read(const struct ahci *self, unsigned offset)
{
    (void)self;
    return gone ? UINT32_MAX : registers[offset / 4];
}

static void port_write_at(unsigned offset, uint32_t value)
{
    uint32_t *place = of_port(offset);
    switch (offset) {
    case PORT_IS:
    case PORT_SERR:
        *place &= ~value;
        return;
    case PORT_SACT:
    case PORT_CI:
        *place |= value;
        orders += offset == PORT_CI;
        if (offset == PORT_CI)
            run();
        return;
    case PORT_CMD:
        *place = value & ~(uint32_t)(PORT_CMD_RUNS | PORT_CMD_FIS_RUNS);
        *place |= value & PORT_CMD_START || never_stops ? PORT_CMD_RUNS : 0;
        *place |= value & PORT_CMD_FIS ? PORT_CMD_FIS_RUNS : 0;
        if (!(value & PORT_CMD_START)) {
            *of_port(PORT_CI) = *of_port(PORT_SACT) = 0;
            halted = false;
        }
        return;
    case PORT_SCTL:
        resets += (value & 15) == 1;
        *of_port(PORT_SSTS) = 0;
        if (!(value & 15))
            link_up();
    }
    *place = value;
}

void ahci_write(const struct ahci *self, unsigned offset, uint32_t value)
{
    (void)self;
    if (offset >= AT && offset < AT + AHCI_PORT_SIZE)
        port_write_at(offset - AT, value);
    else if (offset == AHCI_IS)
        registers[AHCI_IS / 4] &= ~value;
    else
        registers[offset / 4] = value;
}

// --- The tests ---

extern const struct bm_driver bm_driver_ahci;
static struct bm_block_request requests[40];
static struct bm_dma_segment segments[40];
static _Alignas(4096) unsigned char data[1 << 20];
static unsigned dones;

static int set_up(void **state)
{
    (void)state;
    memset(registers, 0, sizeof registers);
    memset(sent, 0, sizeof sent);
    registers[AHCI_CAP / 4] = AHCI_CAP_64BIT | AHCI_CAP_NCQ | 31 << 8 | 5;
    registers[AHCI_PI / 4] = 1 | 1 << PORT;
    held = gone = never_stops = never_ready = no_disk = halted = false;
    ncq = wide = messages = true;
    sector_size = 512;
    fail_at = UINT32_MAX;
    errors = warnings = disabled = dones = resets = orders = 0;
    now = low_memory = 0;
    disk = NULL;
    handler = NULL;
    link_up();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kernel_free();
    return 0;
}

static void attach(void)
{
    assert_int_equal(bm_driver_ahci.attach(&pci.device), 0);
    assert_non_null(disk);
    resets = 0;
}

static void on_done(struct bm_block_request *request)
{
    (void)request;
    dones++;
}

static int submit(unsigned number, unsigned operation, uint64_t sector, uint32_t count, unsigned flags)
{
    segments[number] = (struct bm_dma_segment){bm_dma_address(data), count * disk->sector_size};
    requests[number] = (struct bm_block_request){.operation = (uint8_t)operation,
                                                 .flags = (uint8_t)flags,
                                                 .sector = sector,
                                                 .count = count,
                                                 .segments = &segments[number],
                                                 .segment_count = operation <= BM_BLOCK_WRITE,
                                                 .done = on_done,
                                                 .result = 99};
    return bm_block_submit(disk, queue, &requests[number]);
}

static void poll(void)
{
    for (unsigned i = 0; i < 1000 && queue->poller.poll(queue->poller.arg); i++)
        ;
}

static void pass(unsigned seconds)
{
    for (unsigned i = 0; i < seconds * 10; i++) {
        now += AHCI_SECOND / 10;
        poll();
    }
}

static void disks_of_all_kinds_are_read_and_written(void **state)
{
    const struct {
        bool ncq, wide;
        unsigned size, depth, write, read;
    } kinds[] = {{true, true, 512, 16, 0x61, 0x60},
                 {false, true, 512, 32, 0x35, 0x25},
                 {false, false, 512, 32, 0xca, 0xc8},
                 {true, true, 4096, 16, 0x61, 0x60}};
    for (unsigned i = 0; i < 4; i++) {
        set_up(state);
        ncq = kinds[i].ncq;
        wide = kinds[i].wide;
        sector_size = kinds[i].size;
        attach();
        assert_int_equal(disk->sector_size, kinds[i].size);
        assert_int_equal(disk->physical_size, 4096);
        assert_int_equal(disk->sectors, SECTORS);
        assert_int_equal(queue->depth, kinds[i].depth);
        assert_string_equal(disk->serial, "disk-7");
        for (unsigned count = 1; count <= 256 && count * sector_size <= sizeof data; count = count * 3 + 1) {
            memset(data, (int)(i * 16 + count), count * sector_size);
            assert_int_equal(submit(0, BM_BLOCK_WRITE, SECTORS - count, count, 0), 0);
            bm_block_kick(queue);
            poll();
            memset(data, 0, sizeof data);
            assert_int_equal(submit(0, BM_BLOCK_READ, SECTORS - count, count, 0), 0);
            bm_block_kick(queue);
            poll();
            assert_int_equal(requests[0].result, 0);
            assert_int_equal(data[count * sector_size - 1], (unsigned char)(i * 16 + count));
            assert_memory_equal(data, contents + (SECTORS - count) * sector_size, count * sector_size);
        }
        assert_true(sent[kinds[i].write] && sent[kinds[i].read]);
        assert_int_equal(errors + warnings + resets, 0);
        tear_down(state);
    }
}

// Queued commands beside each other; flushes and discards alone, in their turn; a safe write is flushed.
static void commands_keep_apart(void **state)
{
    (void)state;
    attach();
    held = true;
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(submit(i, BM_BLOCK_READ, i, 1, 0), 0);
    assert_int_equal(submit(8, BM_BLOCK_FLUSH, 0, 0, 0), 0);
    assert_int_equal(submit(9, BM_BLOCK_DISCARD, 100, 7, 0), 0);
    for (unsigned i = 10; i < 16; i++)
        assert_int_equal(submit(i, BM_BLOCK_WRITE, i, 1, BM_BLOCK_FUA), 0);
    assert_int_equal(submit(16, BM_BLOCK_READ, 0, 1, 0), -BM_EAGAIN);
    unsigned before = orders;
    bm_block_kick(queue);
    assert_int_equal(orders, before + 1);
    assert_int_equal(*of_port(PORT_CI), 0xff);
    held = false;
    run();
    poll();
    assert_int_equal(dones, 16);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(requests[i].result, 0);
    assert_int_equal(sent[0xea], 1 + 6);
    assert_int_equal(contents[107 * 512 - 1], 0xdd);
    assert_int_equal(disk->ops->aim(queue, 3), 0);
    assert_int_equal(aimed, 3);
}

// One of sixteen fails: that one alone, whether it was queued or not.
static void errors_are_those_of_their_request(void **state)
{
    for (unsigned kind = 0; kind < 2; kind++) {
        set_up(state);
        ncq = kind;
        attach();
        fail_at = 9;
        for (unsigned round = 0; round < 2; round++) {
            dones = 0;
            for (unsigned i = 0; i < 16; i++)
                assert_int_equal(submit(i, round ? BM_BLOCK_WRITE : BM_BLOCK_READ, i * 2, 2, 0), 0);
            bm_block_kick(queue);
            pass(1);
            assert_int_equal(dones, 16);
            for (unsigned i = 0; i < 16; i++)
                assert_int_equal(requests[i].result, i == 4 ? -BM_EIO : 0);
        }
        assert_int_equal(resets, kind ? 2 : 0);
        assert_false(disk->removed);
        tear_down(state);
    }
}

static void stuck_requests_are_sent_again_once(void **state)
{
    (void)state;
    attach();
    held = true;
    assert_int_equal(submit(0, BM_BLOCK_READ, 0, 1, 0), 0);
    bm_block_kick(queue);
    pass(9);
    assert_int_equal(resets, 0);
    pass(3);
    assert_int_equal(resets, 1);
    held = false;
    run();
    pass(1);
    assert_int_equal(dones, 1);
    assert_int_equal(requests[0].result, 0);
    held = true;
    assert_int_equal(submit(0, BM_BLOCK_READ, 0, 1, 0), 0);
    bm_block_kick(queue);
    pass(24);
    assert_int_equal(dones, 2);
    assert_int_equal(requests[0].result, -BM_EIO);
    held = false;
    assert_int_equal(submit(0, BM_BLOCK_READ, 0, 1, 0), 0);
    bm_block_kick(queue);
    pass(1);
    assert_int_equal(requests[0].result, 0);
}

// The device is unplugged, or the controller, or it does not come back, or does not even stop.
static void what_is_gone_ends_in_errors(void **state)
{
    for (unsigned how = 0; how < 4; how++) {
        set_up(state);
        attach();
        held = true;
        for (unsigned i = 0; i < 10; i++)
            assert_int_equal(submit(i, BM_BLOCK_WRITE, i, 1, 0), 0);
        bm_block_kick(queue);
        no_disk = how == 0;
        gone = how == 1;
        never_ready = how == 2;
        never_stops = how == 3;
        no_disk |= never_stops;
        if (how == 0) {
            *of_port(PORT_SSTS) = 0;
            *of_port(PORT_IS) |= 1 << 22;
            interrupt();
        }
        pass(25);
        assert_int_equal(dones, 10);
        for (unsigned i = 0; i < 10; i++)
            assert_int_equal(requests[i].result, -BM_EIO);
        assert_true(disk->removed);
        assert_int_equal(submit(0, BM_BLOCK_READ, 0, 1, 0), -BM_ENODEV);
        assert_int_equal(disabled, how == 1 || how == 3);
        assert_int_equal(queue->poller.deadline(queue->poller.arg), UINT64_MAX);
        tear_down(state);
    }
}

static void controllers_that_cannot_be_used_are_left_alone(void **state)
{
    (void)state;
    gone = true;
    assert_true(bm_driver_ahci.attach(&pci.device) < 0);
    assert_int_equal(disabled, 1);
    set_up(state);
    registers[AHCI_PI / 4] = 0;
    assert_true(bm_driver_ahci.attach(&pci.device) < 0);
    set_up(state);
    no_disk = true;
    link_up();
    assert_int_equal(bm_driver_ahci.attach(&pci.device), 0);
    assert_null(disk);
    assert_int_equal(errors, 0);
    set_up(state);
    never_ready = true;
    assert_int_equal(bm_driver_ahci.attach(&pci.device), 0);
    assert_null(disk);
    assert_int_equal(errors, 1);
    set_up(state);
    sector_size = 1000;
    assert_int_equal(bm_driver_ahci.attach(&pci.device), 0);
    assert_null(disk);
}

static void controllers_of_32_bits_get_what_they_reach(void **state)
{
    (void)state;
    registers[AHCI_CAP / 4] &= ~AHCI_CAP_64BIT;
    attach();
    assert_int_equal(low_memory, 1);
    assert_int_equal(submit(0, BM_BLOCK_READ, 0, 1, 0), bm_dma_address(data) >> 32 ? -BM_EINVAL : 0);
}

static void line_is_masked_until_somebody_has_looked(void **state)
{
    (void)state;
    messages = false;
    attach();
    struct bm_poller *poller = &queue->poller;
    held = true;
    submit(0, BM_BLOCK_READ, 0, 1, 0);
    bm_block_kick(queue);
    held = false;
    run();
    assert_false(registers[AHCI_GHC / 4] & AHCI_GHC_IE);
    poll();
    assert_int_equal(dones, 1);
    assert_false(poller->arm(poller->arg));
    assert_true(registers[AHCI_GHC / 4] & AHCI_GHC_IE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(disks_of_all_kinds_are_read_and_written),
        TEST(commands_keep_apart),
        TEST(errors_are_those_of_their_request),
        TEST(stuck_requests_are_sent_again_once),
        TEST(what_is_gone_ends_in_errors),
        TEST(controllers_that_cannot_be_used_are_left_alone),
        TEST(controllers_of_32_bits_get_what_they_reach),
        TEST(line_is_masked_until_somebody_has_looked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
