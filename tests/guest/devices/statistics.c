// Statistics: every one of the list can be read, has names as its header says, and counts what happens.
// SPDX-License-Identifier: MIT
// @link net drivers virtio_blk net_statistics block_statistics
// @append ip=eth0:10.7.0.2/24
// @argument -netdev hubport,id=n0,hubid=0 -blockdev null-co,node-name=d0,size=1048576,read-zeroes=on
// @device virtio-net-pci,netdev=n0,romfile=
// @device virtio-blk-pci,drive=d0
// @machines q35
// @cpus max
// @smp 2
// @expect ^core_halts$
// @expect ^core_interrupts$
#include <baremetal/block.h>
#include <baremetal/net.h>
#include <baremetal/statistics.h>
#include <baremetal/work.h>

#include <time.h>

#include "check.h"

static uint64_t read_one(const char *name, unsigned index)
{
    for (const struct bm_statistic *s = NULL; (s = bm_statistic_next(s));) {
        struct bm_statistic_value value = {.index = index};
        if (strcmp(s->name, name) == 0) {
            CHECK(s->read(s, &value));
            return value.value;
        }
    }
    CHECK(!"there is no such statistic");
    return 0;
}

// Names are words, unlike each other; indices begin at 0 and end; one that is not split has one value.
static void check_form(const struct bm_statistic *s)
{
    unsigned count = 0;
    CHECK(s->name[strspn(s->name, "abcdefghijklmnopqrstuvwxyz_")] == 0);
    CHECK(s->help[0] && s->help[strlen(s->help) - 1] == '.');
    for (const struct bm_statistic *other = s; (other = bm_statistic_next(other));)
        CHECK(strcmp(s->name, other->name) != 0);
    for (struct bm_statistic_value value = {0}; s->read(s, &value); value.index++)
        count++;
    CHECK(count < 1000 && (s->split || count == 1));
    if (s->split && strcmp(s->split, "core") == 0)
        CHECK(count == bm_core_count());
}

// A device's counter, which has the device's name.
static uint64_t read_device(const char *name, const char *device)
{
    for (const struct bm_statistic *s = NULL; (s = bm_statistic_next(s));)
        for (struct bm_statistic_value value = {0}; strcmp(s->name, name) == 0 && s->read(s, &value);
             value.index++)
            if (strcmp(value.label, device) == 0)
                return value.value;
    CHECK(!"there is no such statistic of the device");
    return 0;
}

static void test_devices(void)
{
    static _Alignas(512) char sectors[8 * 512];
    uint64_t completed = read_device("disk_completed", "vda"), bytes = read_device("disk_bytes", "vda");
    struct bm_blockdev *disk = bm_blockdev_find("vda");
    CHECK(disk && bm_block_read(disk, 0, sectors, 8) == 0);
    CHECK(read_device("disk_completed", "vda") == completed + 1);
    CHECK(read_device("disk_bytes", "vda") == bytes + sizeof sectors);
    CHECK(read_device("disk_failed", "vda") == 0);
    // The address was announced (RFC 5227): frames of 42 bytes at least.
    uint64_t frames = read_device("network_transmitted", "eth0");
    CHECK(frames > 0 && read_device("network_transmitted_bytes", "eth0") >= 42 * frames);
    CHECK(read_device("network_transmit_errors", "eth0") == 0);
    CHECK(read_device("network_received", "eth0") == 0);
}

static void nothing(void *arg)
{
    (void)arg;
}

int main(void)
{
    CHECK(bm_core_count() == 2 && read_one("cores", 0) == 2);
    for (const struct bm_statistic *s = NULL; (s = bm_statistic_next(s));)
        check_form(s);
    uint64_t halts = read_one("core_halts", 0), interrupts = read_one("core_interrupts", 0);
    uint64_t wakes = read_one("core_wakes", 0), free = read_one("memory_bytes", 1);
    const struct timespec moment = {0, 20000000};
    for (unsigned i = 0; i < 5; i++) {
        struct bm_work work;
        CHECK(nanosleep(&moment, NULL) == 0); // the other core sleeps, too
        bm_work_init(&work, nothing, NULL);
        bm_work_submit_on(1, &work);
        bm_work_wait(&work);
    }
    CHECK(read_one("core_halts", 0) >= halts + 5);
    CHECK(read_one("core_interrupts", 0) >= interrupts + 5);
    CHECK(read_one("core_wakes", 0) > wakes && read_one("core_interrupts", 1) > 0);
    void *volatile memory = malloc(4 << 20); // a compiler would leave it out
    CHECK(memory && read_one("memory_bytes", 1) < free && read_one("memory_bytes", 2) >= 4 << 20);
    free = read_one("memory_bytes", 0);
    CHECK(free > 32 << 20 && free <= 64 << 20); // what the machine has
    test_devices();
    puts("core_halts\ncore_interrupts");
    return passed();
}
