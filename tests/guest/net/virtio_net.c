// Every network device sends and receives through <baremetal/netdev.h>, in all the shapes QEMU makes.
// SPDX-License-Identifier: MIT
// @link virtio_net virtio_legacy virtio_line vmxnet3
// @argument -netdev user,id=n,restrict=on
// @forbid ^(error|fault|panic):
// @expect answers: 600 of 600
// @expect one by one: 20 of 20
// @run transitional
// @device virtio-net-pci,netdev=n,romfile=
// @run modern
// @device virtio-net-pci,netdev=n,romfile=,disable-legacy=on,host_mtu=1280
// @expect eth0 MTU 1280
// @run without event index
// @device virtio-net-pci,netdev=n,romfile=,event_idx=off,indirect_desc=off
// @run one interrupt
// @device virtio-net-pci,netdev=n,romfile=,vectors=1
// @run two interrupts
// @device virtio-net-pci,netdev=n,romfile=,vectors=2
// @run no interrupts but a line
// @device virtio-net-pci,netdev=n,romfile=,vectors=0
// @expect interrupts: 1
// @forbid polled
// @run doorbell in memory and in I/O ports
// @device virtio-net-pci,netdev=n,romfile=,modern-pio-notify=on
// @run before virtio 1.0
// @device virtio-net-pci,netdev=n,romfile=,disable-modern=on,disable-legacy=off,host_mtu=1280
// @expect eth0 MTU 1280
// @forbid polled
// @run before virtio 1.0, short header
// @device virtio-net-pci,netdev=n,romfile=,disable-modern=on,disable-legacy=off,mrg_rxbuf=off,event_idx=off
// @forbid polled
// @run before virtio 1.0, no interrupts but a line, large queues
// @device virtio-net-pci,netdev=n,romfile=,disable-modern=on,disable-legacy=off,vectors=0,rx_queue_size=1024
// @expect interrupts: 1
// @forbid polled
// @run before virtio 1.0, little memory
// @memory 8
// @device virtio-net-pci,netdev=n,romfile=,disable-modern=on,disable-legacy=off
// @run VMware's
// @device vmxnet3,netdev=n,romfile=
// @forbid polled
// @run little memory
// @memory 8
// @device virtio-net-pci,netdev=n,romfile=
// @run two devices
// @argument -netdev user,id=m,restrict=on
// @device virtio-net-pci,netdev=n,romfile=,mac=52:54:00:00:00:01
// @device virtio-net-pci,netdev=m,romfile=,mac=52:54:00:00:00:02
// @expect devices: 2
// @run memory-mapped
// @machines microvm microvm-bare microvm-noacpi
// @argument -global virtio-mmio.force-legacy=false
// @device virtio-net-device,netdev=n
// @expect eth0 MTU 1500
// @forbid polled
// @run memory-mapped, before virtio 1.0
// @machines microvm microvm-bare microvm-noacpi
// @device virtio-net-device,netdev=n,host_mtu=1280
// @expect eth0 MTU 1280
// @forbid polled
// @run memory-mapped, two devices
// @machines microvm-bare microvm-noacpi
// @argument -netdev user,id=m,restrict=on
// @device virtio-net-device,netdev=n,mac=52:54:00:00:00:01
// @device virtio-net-device,netdev=m,mac=52:54:00:00:00:02
// @expect devices: 2

#include "../../../drivers/net/virtio_net.h"

#include <baremetal/error.h>
#include <baremetal/netdev.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <stdio.h>

#include "check.h"

// QEMU's user networking is 10.0.2.0/24 with the host at .2, and answers ARP requests for it.
enum { ARP_SIZE = 42, ROUNDS = 600, ONE_BY_ONE = 20 };

static unsigned answers, wanted, sent_back, device_count;
static struct request {
    unsigned char headroom[BM_NETDEV_HEADROOM], frame[ARP_SIZE];
} requests[BM_NETDEV_MAX];

static void input(struct bm_netqueue *queue, struct bm_packet *batch)
{
    const struct bm_netdev *device = queue->device;
    while (batch) {
        struct bm_packet *next = batch->next;
        const unsigned char host[4] = {10, 0, 2, 2};
        bool answer = batch->length >= ARP_SIZE && batch->data[12] == 8 && batch->data[13] == 6 &&
                      batch->data[21] == 2 && memcmp(batch->data + 28, host, 4) == 0 &&
                      memcmp(batch->data, device->mac, 6) == 0 &&
                      memcmp(batch->data + 32, device->mac, 6) == 0;
        answers += answer;
        bm_packet_free(batch);
        batch = next;
    }
}

static void sent(struct bm_netqueue *queue, void *cookie)
{
    CHECK(queue != NULL);
    CHECK(cookie >= (void *)requests && cookie < (void *)(requests + BM_NETDEV_MAX));
    sent_back++;
}

static void link_changed(struct bm_netqueue *queue)
{
    printf("link is %s\n", queue->device->link_up ? "up" : "down");
}

static const struct bm_netdev_stack stack = {.input = input, .sent = sent, .link_changed = link_changed};

static void make_request(unsigned char *request, const unsigned char mac[6])
{
    static const unsigned char fixed[ARP_SIZE] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0,  0, 0, 0,  0, 8, 6, 0, 1, 8, 0,  6, 4, 0,
        1,    0,    0,    0,    0,    0,    0, 10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2};
    memcpy(request, fixed, ARP_SIZE);
    memcpy(request + 6, mac, 6);
    memcpy(request + 22, mac, 6);
}

static bool arrived(void *arg)
{
    (void)arg;
    return answers >= wanted;
}

static bool wait_for(unsigned count)
{
    wanted = count;
    return bm_wait_until(arrived, NULL, bm_time_monotonic() + 10 * 1000000000ull);
}

// Sends a request in two pieces, again until the queue has room.
static void ask(struct bm_netqueue *queue, unsigned char *request)
{
    const struct bm_netdev_segment segments[] = {{request, 14}, {request + 14, ARP_SIZE - 14}};
    const struct bm_netdev_frame frame = {.segments = segments, .segment_count = 2, .cookie = request};
    for (unsigned tries = 0; tries < 1000; tries++) {
        int error = queue->ops->send(queue, &frame);
        if (error == 0)
            return;
        CHECK(error == -BM_EAGAIN);
        queue->ops->flush(queue);
        unsigned before = answers;
        wait_for(before + 1);
    }
    CHECK(!"the queue never has room");
}

static struct bm_netdev *devices[BM_NETDEV_MAX];
static struct bm_netqueue *queues[BM_NETDEV_MAX];

static void take_devices(void)
{
    for (struct bm_netdev *device = bm_netdev_first(); device; device = device->next) {
        CHECK(device_count < BM_NETDEV_MAX);
        CHECK(device->link_up);
        make_request(requests[device_count].frame, device->mac);
        CHECK(bm_netdev_queue(device, 0) == NULL);
        CHECK(bm_netdev_start(device, 4) == 1); // it has no more
        CHECK(bm_netdev_start(device, 1) == 1);
        queues[device_count] = bm_netdev_queue(device, 0);
        CHECK(queues[device_count] != NULL && bm_netdev_queue(device, 1) == NULL);
        CHECK(bm_netqueue_take(queues[device_count], &stack, NULL) == 0);
        CHECK(bm_netqueue_take(queues[device_count], &stack, NULL) == -BM_EBUSY);
        devices[device_count++] = device;
    }
}

int main(void)
{
    take_devices();
    CHECK(device_count > 0);
    for (unsigned i = 0; i < ROUNDS; i++) { // fast: many under way
        ask(queues[i % device_count], requests[i % device_count].frame);
        if (i % 40 >= 40 - device_count)
            queues[i % device_count]->ops->flush(queues[i % device_count]);
    }
    for (unsigned i = 0; i < device_count; i++)
        queues[i]->ops->flush(queues[i]);
    wait_for(ROUNDS);
    printf("answers: %u of %u\n", answers, ROUNDS);
    for (unsigned i = 0; i < ONE_BY_ONE; i++) { // slow: the core halts until the answer's interrupt
        ask(queues[i % device_count], requests[i % device_count].frame);
        queues[i % device_count]->ops->flush(queues[i % device_count]);
        CHECK(wait_for(ROUNDS + i + 1));
    }
    printf("one by one: %u of %u\n", answers - ROUNDS, ONE_BY_ONE);
    printf("devices: %u\n", device_count);
    for (unsigned i = 0; i < device_count; i++) {
        printf("eth%u MTU %u\n", i, devices[i]->mtu);
        if (strcmp(devices[i]->driver, "virtio_net") == 0)
            printf("interrupts: %u\n", ((struct virtio_net_pair *)queues[i])->receive.device->interrupts);
        CHECK(queues[i]->transmitted >= ROUNDS / device_count);
        CHECK(queues[i]->transmit_errors == 0);
        CHECK(queues[i]->receive_dropped == 0);
    }
    CHECK(sent_back > 0);
    return passed();
}
