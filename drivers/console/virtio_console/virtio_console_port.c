// A port of the virtio console device: what comes, what goes, and as a console.
// SPDX-License-Identifier: MIT
// @optimize size
#include "virtio_console.h"

#include "../../../libbaremetal/console/console.h"
#include "../../../libbaremetal/console/names.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/time.h>

_Static_assert(VIRTIO_CONSOLE_PIECES *VIRTIO_CONSOLE_PIECE + VIRTIO_CONSOLE_SEND <= BM_PAGE_SIZE,
               "a port's buffers fit into a page");

static const uint64_t send_time_max = 100000000; // ns

int bm_virtio_console_port_create(struct bm_virtio_port *port)
{
    unsigned first = port->number ? 2 * port->number + 2 : 0;
    unsigned char *page = bm_frame_allocate(0);
    if (!page)
        return -BM_ENOMEM;
    for (unsigned i = 0; i < VIRTIO_CONSOLE_PIECES; i++)
        port->pieces[i].data = page + i * VIRTIO_CONSOLE_PIECE;
    port->send = page + VIRTIO_CONSOLE_PIECES * VIRTIO_CONSOLE_PIECE;
    int error = bm_virtqueue_create(&port->receive, port->owner->device, first, VIRTIO_CONSOLE_PIECES);
    return error ? error : bm_virtqueue_create(&port->transmit, port->owner->device, first + 1, 1);
}

// --- Receiving ---

// Under the lock. A queue that is smaller than asked for has room for fewer.
static void piece_give(struct bm_virtio_port *port, struct virtio_console_piece *piece)
{
    const struct bm_dma_segment segment = {bm_dma_address(piece->data), VIRTIO_CONSOLE_PIECE};
    bm_virtqueue_add(&port->receive, &segment, 0, 1, piece);
}

void bm_virtio_console_port_fill(struct bm_virtio_port *port)
{
    bm_spinlock_acquire(&port->lock);
    for (unsigned i = 0; i < VIRTIO_CONSOLE_PIECES; i++)
        piece_give(port, &port->pieces[i]);
    bm_virtqueue_kick(&port->receive);
    bm_spinlock_release(&port->lock);
}

// Puts what has come into the list. Under the lock.
static unsigned pieces_take(struct bm_virtio_port *port)
{
    struct bm_virtqueue_done done[VIRTIO_CONSOLE_PIECES];
    unsigned count = bm_virtqueue_take(&port->receive, done, VIRTIO_CONSOLE_PIECES);
    for (unsigned i = 0; i < count; i++) {
        struct virtio_console_piece *piece = done[i].cookie;
        piece->length = done[i].length;
        piece->taken = 0;
        piece->next = NULL;
        if (!piece->length) { // nothing came: the device gets it again by the next kick
            piece_give(port, piece);
            continue;
        }
        if (atomic_load(&port->first))
            port->last->next = piece;
        else
            atomic_store(&port->first, piece);
        port->last = piece;
    }
    return count;
}

static bool is_gone(const struct bm_virtio_port *port)
{
    return port->owner->device->broken || !atomic_load(&port->added);
}

long bm_virtio_port_read(struct bm_virtio_port *port, void *buffer, size_t size)
{
    struct virtio_console_piece *piece;
    size_t done = 0;
    BM_ASSERT_NO_HANDLER();
    bm_spinlock_acquire(&port->lock);
    pieces_take(port);
    while (done < size && (piece = atomic_load(&port->first))) {
        size_t part = piece->length - piece->taken;
        part = part < size - done ? part : size - done;
        __builtin_memcpy((unsigned char *)buffer + done, piece->data + piece->taken, part);
        done += part;
        piece->taken += (uint32_t)part;
        if (piece->taken < piece->length)
            break;
        atomic_store(&port->first, piece->next);
        piece_give(port, piece);
    }
    if (!port->owner->device->broken)
        bm_virtqueue_kick(&port->receive);
    bm_spinlock_release(&port->lock);
    return done || !size || !is_gone(port) ? (long)done : -BM_EIO;
}

bool bm_virtio_port_readable(const struct bm_virtio_port *port)
{
    return atomic_load(&port->first) || bm_virtqueue_ready(&port->receive) || is_gone(port);
}

// --- Sending ---

// There is one buffer. Whoever finds another core at it waits for a moment only: that core may have been
// stopped, when this is a fault report's text.
static bool send_begin(struct bm_virtio_port *port)
{
    uint64_t end = 0;
    while (atomic_exchange(&port->sending, true)) {
        uint64_t now = bm_time_monotonic();
        if (!end)
            end = now + send_time_max;
        if (now > end)
            return false;
        __builtin_ia32_pause();
    }
    return true;
}

static void send_end(struct bm_virtio_port *port)
{
    atomic_store(&port->sending, false);
}

// Whether the buffer is free, or can never be again. Who waits for that elsewhere hears of it by the poller.
static bool send_ready(struct bm_virtio_port *port)
{
    struct bm_virtqueue_done done;
    if (atomic_load(&port->busy) && bm_virtqueue_take(&port->transmit, &done, 1)) {
        port->stalled = false;
        atomic_store(&port->busy, false);
        atomic_store(&port->freed, true);
    }
    return !atomic_load(&port->busy) || port->owner->device->broken;
}

// Whether the buffer has become free since the last call.
static bool sent_take(struct bm_virtio_port *port)
{
    if (atomic_load(&port->busy) && !atomic_exchange(&port->sending, true)) { // else who is there takes it
        send_ready(port);
        send_end(port);
    }
    return atomic_exchange(&port->freed, false);
}

// A program may wait until the buffer is free, while nothing comes: there may be no room for it. Nobody
// sleeps while another core is at the buffer.
static bool sent_arm(struct bm_virtio_port *port)
{
    if (atomic_exchange(&port->sending, true))
        return true;
    bool work =
        atomic_load(&port->freed) || (atomic_load(&port->busy) && bm_virtqueue_arm(&port->transmit, 1));
    send_end(port);
    return work;
}

// Between send_begin and send_end. Returns how many bytes the device has got, or -BM_EIO.
static long send_some(struct bm_virtio_port *port, const void *data, size_t size)
{
    size_t part = size < VIRTIO_CONSOLE_SEND ? size : VIRTIO_CONSOLE_SEND;
    const struct bm_dma_segment segment = {bm_dma_address(port->send), (uint32_t)part};
    if (is_gone(port))
        return -BM_EIO;
    if (!part || !send_ready(port))
        return 0;
    __builtin_memcpy(port->send, data, part);
    if (bm_virtqueue_add(&port->transmit, &segment, 1, 0, port))
        return -BM_EIO;
    atomic_store(&port->busy, true);
    bm_virtqueue_kick(&port->transmit);
    return (long)part;
}

long bm_virtio_port_write(struct bm_virtio_port *port, const void *data, size_t size)
{
    BM_ASSERT_NO_HANDLER();
    if (!send_begin(port))
        return 0;
    long done = send_some(port, data, size);
    send_end(port);
    return done;
}

bool bm_virtio_port_writable(const struct bm_virtio_port *port)
{
    return !atomic_load(&port->busy) || bm_virtqueue_ready(&port->transmit) || is_gone(port);
}

bool bm_virtio_port_connected(const struct bm_virtio_port *port)
{
    return atomic_load(&port->connected) && !is_gone(port);
}

static bool is_named(const struct bm_virtio_port *port, const char *name)
{
    unsigned i = 0;
    if (!atomic_load(&port->added) || !__atomic_load_n(&port->name[0], __ATOMIC_ACQUIRE))
        return false;
    while (name[i] && name[i] == port->name[i])
        i++;
    return name[i] == port->name[i];
}

struct bm_virtio_port *bm_virtio_port_open(const char *name)
{
    BM_ASSERT_NO_HANDLER();
    for (struct virtio_console *device = bm_virtio_console_first; device; device = device->next)
        for (unsigned i = 0; i < device->port_count; i++)
            if (is_named(&device->ports[i], name)) {
                bm_virtio_console_port_open_say(&device->ports[i]);
                return &device->ports[i];
            }
    return NULL;
}

// --- The poller ---

// Keys go on as far as there is room for them; the device holds the others back.
bool bm_virtio_console_port_poll(struct bm_virtio_port *port)
{
    char keys[64];
    long count = 0;
    if (atomic_load(&port->is_console)) {
        size_t room = bm_console_input_room();
        count = bm_virtio_port_read(port, keys, room < sizeof keys ? room : sizeof keys);
        for (long i = 0; i < count; i++)
            bm_console_input(keys[i]);
    } else {
        bm_spinlock_acquire(&port->lock);
        count = pieces_take(port);
        bm_spinlock_release(&port->lock);
    }
    return sent_take(port) || count > 0;
}

bool bm_virtio_console_port_arm(struct bm_virtio_port *port)
{
    bm_spinlock_acquire(&port->lock);
    bool work = bm_virtqueue_arm(&port->receive, 1);
    bm_spinlock_release(&port->lock);
    return sent_arm(port) || work;
}

// --- As a console ---

// Waits until the device has taken the text, so that the last words of a machine are not lost. Nobody waits
// for a host that does not read: what does not go out then is dropped until it reads again.
static void console_write(struct bm_console *console, const char *text, size_t size)
{
    struct bm_virtio_port *port = (struct bm_virtio_port *)console;
    long done = 0;
    if (!send_begin(port))
        return;
    for (; size && done >= 0; text += done, size -= (size_t)done) {
        uint64_t end = bm_time_monotonic() + send_time_max;
        done = send_some(port, text, size);
        while (!send_ready(port) && !port->stalled) {
            port->stalled = bm_time_monotonic() > end;
            __builtin_ia32_pause();
        }
        if (port->stalled || done < 0)
            break;
    }
    send_end(port);
}

void bm_virtio_console_port_list(struct bm_virtio_port *port)
{
    atomic_store(&port->is_console, true);
    if (port->is_listed || !bm_console_wanted("virtio"))
        return;
    port->console.name = "virtio";
    port->console.write = console_write;
    bm_console_add_wanted(&port->console);
    port->is_listed = true;
}
