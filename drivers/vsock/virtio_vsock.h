// Sockets over the virtio socket device: what their files share.
// SPDX-License-Identifier: MIT
#pragma once

#include "../../libbaremetal/file/service.h"
#include "../../libbaremetal/wait/hooks.h"

#include <baremetal/file_watch.h>
#include <baremetal/lock.h>
#include <baremetal/socket_ops.h>
#include <baremetal/virtio.h>
#include <baremetal/vsock.h>
#include <baremetal/wait.h>
#include <baremetal/waitqueue.h>

enum {
    VSOCK_RECEIVES = 32, // buffers that the device has, a page each
    VSOCK_SENDS = 16,    // pages of bytes that are sent
    VSOCK_CONTROLS = 64, // packets without bytes, which fit into a page
    VSOCK_BATCH = 16,
    VSOCK_ROOM = 65536,       // bytes that may wait to be received
    VSOCK_ROOM_MAX = 1 << 20, // … at the most
    VSOCK_BACKLOG_MAX = 4096, // Linux' net.core.somaxconn
    VSOCK_PORT_FREE = 1024,   // below, a capability is wanted
    VSOCK_QUEUE_RECEIVE = 0,  // section 5.10.2
    VSOCK_QUEUE_SEND = 1,
    VSOCK_QUEUE_EVENT = 2,
};

// struct virtio_vsock_hdr (section 5.10.6).
struct vsock_header {
    uint64_t source, destination; // CIDs
    uint32_t source_port, destination_port;
    uint32_t length; // bytes behind the header
    uint16_t type, operation;
    uint32_t flags;
    uint32_t room;  // buf_alloc: bytes that its sender has room for in all
    uint32_t taken; // fwd_cnt: bytes that its sender's program has taken of all that came
} __attribute__((packed));

enum {
    VSOCK_HEADER = sizeof(struct vsock_header),
    VSOCK_PART = BM_PAGE_SIZE - VSOCK_HEADER, // bytes of a packet
    VSOCK_STREAM = 1,                         // the header's type
};
_Static_assert(VSOCK_HEADER == 44, "as the device has it");

enum vsock_operation {
    VSOCK_REQUEST = 1,
    VSOCK_RESPONSE = 2,
    VSOCK_RESET = 3,
    VSOCK_SHUTDOWN = 4,
    VSOCK_BYTES = 5,
    VSOCK_CREDIT = 6,
    VSOCK_CREDIT_ASK = 7,
};

// Flags of VSOCK_SHUTDOWN: its sender receives, or sends, no more (section 5.10.6.1).
enum { VSOCK_SHUT_RECEIVE = 1, VSOCK_SHUT_SEND = 2, VSOCK_SHUT_BOTH = 3 };

enum vsock_state { VSOCK_FRESH, VSOCK_LISTENING, VSOCK_CONNECTING, VSOCK_CONNECTED, VSOCK_ENDED };

// Everything from `next` on is looked at and changed under bm_vsock.lock, but for the bytes of the ring.
struct vsock {
    struct bm_file file;                            // first
    uint64_t receive_time, send_time, connect_time; // nanoseconds; 0: for ever
    uint64_t room_wanted, room_min, room_max;       // options
    struct bm_file_mutex busy;                      // who receives
    struct bm_waitqueue readers; // who waits for bytes, a connection, or the end of connecting
    struct bm_waitqueue writers; // who waits for credit or a page
    struct bm_file_watchers watchers;
    struct vsock *next; // among all
    enum vsock_state state;
    bool closed; // has no file any more: the peer is to end it, until `deadline`
    bool named;  // has a port
    uint32_t port, peer_cid, peer_port;
    uint32_t cid;             // it was bound to, or BM_VSOCK_ANY
    int error;                // BM_SO_ERROR
    unsigned shut, peer_shut; // VSOCK_SHUT_…
    unsigned owes;            // packets to be sent as soon as there is room: 1 << enum vsock_operation
    uint64_t deadline;        // of connecting, or of the peer's answer to its end; UINT64_MAX: none
    // Receiving: a ring of a power of two bytes.
    unsigned char *ring;
    unsigned order;
    uint32_t room;            // told to the peer
    uint32_t received, taken; // bytes since the beginning
    uint32_t taken_told;
    // Sending.
    uint32_t sent, peer_taken, peer_room;
    bool credit_asked;
    // Listening.
    struct vsock *pending, *next_pending; // to be accepted, the oldest first
    bool is_pending;
    unsigned pending_count, backlog;
};

// A page on its way out.
struct vsock_send {
    struct vsock_send *next; // of the free ones
    struct vsock_header *page;
};

// The device. There is one at most; others are left alone.
struct vsock_device {
    struct bm_spinlock lock;
    struct bm_virtio_device *device; // NULL: there is none
    struct bm_poller poller;
    struct bm_virtqueue receive, send, event;
    BM_ATOMIC(uint32_t) cid;
    struct vsock *all;
    struct vsock_send sends[VSOCK_SENDS], *sends_free;
    struct vsock_header *controls;
    uint64_t controls_free; // a bit for each
    bool sends_wanted;      // somebody waits for a page
    bool finishing;         // the program has ended: all that was sent is to get out
    unsigned owing;         // sockets that owe packets
    uint64_t deadline;      // the first one of all sockets
    bool broken_told;
};

extern struct vsock_device bm_vsock;
extern const struct bm_file_ops bm_vsock_ops;

static inline struct vsock *bm_vsock_of(struct bm_file *file)
{
    return (struct vsock *)file; // its first member
}

static inline void bm_vsock_lock(void)
{
    bm_spinlock_acquire(&bm_vsock.lock);
}

static inline void bm_vsock_unlock(void)
{
    bm_spinlock_release(&bm_vsock.lock);
}

// --- virtio_vsock_packet.c: packets; under the lock.
// Sends a packet without bytes soon, once there is room for it: `operation` is an enum vsock_operation.
void bm_vsock_owe(struct vsock *socket, unsigned operation);
// Sends what is owed, as far as there is room.
void bm_vsock_pay(void);
// Refuses a packet that nobody is there for. There is a free place (bm_vsock.controls_free).
void bm_vsock_refuse(const struct vsock_header *header);
// Takes back what the device has sent.
void bm_vsock_reclaim(void);
// Bytes that the peer has room for.
uint32_t bm_vsock_credit(const struct vsock *socket);
// Fills in the header of a page with bytes and sends it; the doorbell is bm_vsock_ring's.
void bm_vsock_send(struct vsock *socket, struct vsock_send *page, uint32_t length);
void bm_vsock_ring(void);

// --- virtio_vsock_receive.c: what a packet means. `made`: a socket for a connection that it asks for, or
// NULL, which it may take (it becomes NULL). Under the lock.
void bm_vsock_take(const struct vsock_header *header, const unsigned char *bytes, struct vsock **made);
// The listening socket of a port, or NULL. Under the lock.
struct vsock *bm_vsock_listener(uint32_t port);
// Ends a connection with an error (0: in order). Under the lock.
void bm_vsock_end(struct vsock *socket, int error);

// --- virtio_vsock_socket.c: making, naming, connecting, ending.
struct vsock *bm_vsock_make(bool nonblocking);
// Gives it its ring. 0 or -BM_ENOMEM. Without the lock.
int bm_vsock_prepare(struct vsock *socket);
void bm_vsock_free(struct vsock *socket);        // without the lock, out of the list
void bm_vsock_close_fresh(struct vsock *socket); // one that has not become a file; without the lock
int bm_vsock_bind(struct bm_file *file, const void *address, uint32_t size);
int bm_vsock_close(struct bm_file *file);

// --- virtio_vsock_connect.c
int bm_vsock_listen_file(struct bm_file *file, int backlog);
int bm_vsock_accept_file(struct bm_file *file, void *address, uint32_t *size, int flags,
                         struct bm_file **accepted);
int bm_vsock_connect_file(struct bm_file *file, const void *address, uint32_t size);
int bm_vsock_shutdown_file(struct bm_file *file, int how);
// Takes an address as a program gives it.
int bm_vsock_address_take(const void *address, uint32_t size, struct bm_vsock_address *taken);
// Gives it a port that is free. 0 or -BM_EADDRNOTAVAIL. Under the lock.
int bm_vsock_port_take(struct vsock *socket);

// --- virtio_vsock_change.c: time, and who is told; under the lock.
void bm_vsock_deadline_set(struct vsock *socket, uint64_t deadline);
// Does what is due and finds the next time. Returns sockets to be freed, linked by `next`, or NULL.
struct vsock *bm_vsock_expire(void);
// Wakes who waits, after a change (BM_POLL… or 0).
void bm_vsock_changed(struct vsock *socket, int events);
// When a call gives up waiting. Without the lock.
uint64_t bm_vsock_until(const struct vsock *socket, int flags, uint64_t time);

// --- virtio_vsock_transfer.c
long bm_vsock_send_message(struct bm_file *file, const struct bm_socket_message *message, int flags);
long bm_vsock_receive_message(struct bm_file *file, struct bm_socket_message *message, int flags);
// Whether sending does not wait; who is told so otherwise hears of it when it changes. Under the lock.
bool bm_vsock_writable(struct vsock *socket);

// --- virtio_vsock_option.c
int bm_vsock_name(struct bm_file *file, void *address, uint32_t *size);
int bm_vsock_peer(struct bm_file *file, void *address, uint32_t *size);
int bm_vsock_option_get(struct bm_file *file, int level, int option, void *value, uint32_t *size);
int bm_vsock_option_set(struct bm_file *file, int level, int option, const void *value, uint32_t size);
int bm_vsock_poll(struct bm_file *file);
int bm_vsock_control(struct bm_file *file, unsigned long request, void *argument);
