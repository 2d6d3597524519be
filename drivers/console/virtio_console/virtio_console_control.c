// Control messages of the virtio console device (VIRTIO 1.3 section 5.3.6.2): which ports there are.
// SPDX-License-Identifier: MIT
// @optimize size
//
// What the device says may be anything: messages that are too short or name a port that is none are passed
// over, names are cut and their bytes looked at.
#include "virtio_console.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>

enum event {
    DEVICE_READY = 0,
    PORT_ADD = 1,
    PORT_REMOVE = 2,
    PORT_READY = 3,
    CONSOLE_PORT = 4,
    PORT_OPEN = 6,
    PORT_NAME = 7
};

enum { RECEIVE = 2, TRANSMIT = 3, NOTES_AT = 1024, ORDER = 1 }; // queues; where in the frames the buffers are

_Static_assert(sizeof(struct virtio_console_control) * VIRTIO_CONSOLE_CONTROLS <= NOTES_AT &&
                   VIRTIO_CONSOLE_NOTE * VIRTIO_CONSOLE_NOTES <= (BM_PAGE_SIZE << ORDER) - NOTES_AT,
               "all buffers fit");

int bm_virtio_console_control_start(struct virtio_console *self)
{
    unsigned char *page = bm_frame_allocate(ORDER);
    if (!page)
        return -BM_ENOMEM;
    self->controls = (struct virtio_console_control *)page;
    self->notes = (unsigned char(*)[VIRTIO_CONSOLE_NOTE])(page + NOTES_AT);
    self->controls_free = UINT32_MAX;
    int error = bm_virtqueue_create(&self->control_receive, self->device, RECEIVE, VIRTIO_CONSOLE_NOTES);
    return error ? error
                 : bm_virtqueue_create(&self->control_transmit, self->device, TRANSMIT,
                                       VIRTIO_CONSOLE_CONTROLS);
}

static void note_give(struct virtio_console *self, unsigned char *note)
{
    const struct bm_dma_segment segment = {bm_dma_address(note), VIRTIO_CONSOLE_NOTE};
    bm_virtqueue_add(&self->control_receive, &segment, 0, 1, note);
}

// A message that finds no free buffer is lost: the device has not taken those before it.
void bm_virtio_console_control_say(struct virtio_console *self, unsigned port, unsigned event, unsigned value)
{
    struct bm_virtqueue_done done;
    bm_spinlock_acquire(&self->lock);
    while (bm_virtqueue_take(&self->control_transmit, &done, 1))
        self->controls_free |= 1u << ((struct virtio_console_control *)done.cookie - self->controls);
    if (self->controls_free && !self->device->broken) {
        struct virtio_console_control *control = &self->controls[__builtin_ctz(self->controls_free)];
        const struct bm_dma_segment segment = {bm_dma_address(control), sizeof *control};
        *control = (struct virtio_console_control){port, (uint16_t)event, (uint16_t)value};
        if (bm_virtqueue_add(&self->control_transmit, &segment, 1, 0, control) == 0)
            self->controls_free &= self->controls_free - 1;
        bm_virtqueue_kick(&self->control_transmit);
    }
    bm_spinlock_release(&self->lock);
}

void bm_virtio_console_control_ready(struct virtio_console *self)
{
    for (unsigned i = 0; i < VIRTIO_CONSOLE_NOTES; i++)
        note_give(self, self->notes[i]);
    bm_virtqueue_kick(&self->control_receive);
    bm_virtio_console_control_say(self, 0, DEVICE_READY, 1);
}

void bm_virtio_console_port_open_say(struct bm_virtio_port *port)
{
    if (port->owner->several && !atomic_exchange(&port->open, true))
        bm_virtio_console_control_say(port->owner, port->number, PORT_OPEN, 1);
}

static void port_name(struct bm_virtio_port *port, const volatile unsigned char *name, uint32_t length)
{
    char text[BM_VIRTIO_PORT_NAME_MAX];
    uint32_t i = 0;
    for (; i < length && i < sizeof text - 1 && name[i]; i++) {
        unsigned char c = name[i];
        text[i] = c > ' ' && c <= '~' ? (char)c : '_';
    }
    text[i] = 0;
    if (port->name[0] || !i) // it has one, which others may be looking at
        return;
    for (uint32_t k = 1; k <= i; k++)
        port->name[k] = text[k];
    __atomic_store_n(&port->name[0], text[0], __ATOMIC_RELEASE); // the whole name, or none
    bm_log_info(port->owner->device->device.name, "port %u is %s", port->number, port->name);
}

static void note_take(struct virtio_console *self, const volatile unsigned char *note, uint32_t length)
{
    const volatile struct virtio_console_control *control = (const volatile void *)note;
    if (length < sizeof *control)
        return;
    unsigned number = control->port, event = control->event, value = control->value;
    if (number >= self->port_count) {
        if (event == PORT_ADD) // one that is not used
            bm_virtio_console_control_say(self, number, PORT_READY, 0);
        return;
    }
    struct bm_virtio_port *port = &self->ports[number];
    if (event == PORT_ADD && !atomic_exchange(&port->added, true))
        bm_virtio_console_control_say(self, number, PORT_READY, 1);
    if (!atomic_load(&port->added))
        return;
    if (event == PORT_REMOVE) {
        atomic_store(&port->added, false);
        atomic_store(&port->connected, false);
        atomic_store(&port->open, false);
    } else if (event == CONSOLE_PORT && value) {
        bm_virtio_console_port_open_say(port);
        bm_virtio_console_port_list(port);
    } else if (event == PORT_OPEN) {
        atomic_store(&port->connected, value != 0);
    } else if (event == PORT_NAME) {
        port_name(port, note + sizeof *control, length - (uint32_t)sizeof *control);
    }
}

bool bm_virtio_console_control_poll(struct virtio_console *self)
{
    struct bm_virtqueue_done done[VIRTIO_CONSOLE_BATCH];
    unsigned count = bm_virtqueue_take(&self->control_receive, done, VIRTIO_CONSOLE_BATCH);
    for (unsigned i = 0; i < count && !self->device->broken; i++) {
        note_take(self, done[i].cookie, done[i].length);
        note_give(self, done[i].cookie);
    }
    if (count && !self->device->broken)
        bm_virtqueue_kick(&self->control_receive);
    return count;
}
