// Sockets within the machine (AF_UNIX): what their files share.
// SPDX-License-Identifier: MIT
#pragma once

#include "../file/service.h"

#include <baremetal/file_watch.h>
#include <baremetal/local.h>
#include <baremetal/lock.h>
#include <baremetal/socket_ops.h>
#include <baremetal/waitqueue.h>

enum {
    LOCAL_ROOM = 212992,    // bytes that may wait for a peer, as Linux has it
    LOCAL_CHARGE = 256,     // what a message counts beside its bytes
    LOCAL_PIECE = 32768,    // bytes of a stream that are one message at most
    LOCAL_RIGHTS_MAX = 253, // descriptors in a message: Linux' SCM_MAX_FD
};

// An address, struct sockaddr_un; `size` is that of the address, 2 where there is none.
struct bm_local_name {
    uint32_t size;
    struct bm_local_address address;
};

// Bytes of a message, in pieces of a page at most.
struct bm_local_chunk {
    struct bm_local_chunk *next;
    size_t size;
    char data[];
};

// Descriptors' files that a message brings, each with a reference.
struct bm_local_rights {
    unsigned count, room; // that there are, and fit
    struct bm_file *files[];
};

struct bm_local_message {
    struct bm_local_message *next;
    struct bm_local_chunk *chunks;
    size_t size, done; // bytes of it, and those that a stream's receiver has taken
    size_t charge;     // what it counts in its queue
    struct bm_socket_credentials credentials;
    struct bm_local_rights *rights;
    struct bm_local *sender; // of a datagram, with a reference
};

enum bm_local_state { LOCAL_FRESH, LOCAL_LISTENING, LOCAL_CONNECTED };

// Everything from `state` on is looked at and changed under bm_local_lock.
struct bm_local {
    struct bm_file file;            // first
    BM_ATOMIC(unsigned) references; // the file's one, those of peers, and of calls under way
    int type;                       // BM_SOCK_…
    uint64_t receive_time, send_time;
    bool passes_credentials;
    struct bm_file_mutex busy;   // who takes messages, or gives a name
    struct bm_waitqueue readers; // who waits for a message, or a connection
    struct bm_waitqueue writers; // who waits for room to send to it, or to connect
    struct bm_file_watchers watchers;
    enum bm_local_state state;
    bool closed, shut_read, shut_write;
    int error;             // BM_SO_ERROR
    struct bm_local *peer; // with a reference
    struct bm_local_message *first, *last;
    size_t bytes;                    // that wait, with their charges, and those that are on their way
    size_t room;                     // BM_SO_SNDBUF: how many may wait for the peer
    struct bm_local *pending, *next; // to be accepted, the oldest first; each with its file's reference
    bool is_pending;                 // it is one of those
    unsigned pending_count, backlog;
    struct bm_local_name name;
    struct bm_inode *inode;                 // of a name that is a path
    struct bm_local *next_named;            // among those that have a name
    struct bm_local *next_all, **place_all; // among all
    unsigned in_flight;                     // how many messages bring it
    bool reached;                           // collect.c
};

// One lock for all: what is done under it is short, and nothing is copied.
extern struct bm_spinlock bm_local_lock;
extern struct bm_local *bm_local_all;
extern const struct bm_file_ops bm_local_ops;

static inline struct bm_local *bm_local_of(struct bm_file *file)
{
    return (struct bm_local *)file; // its first member
}

// The wake-up contract, in one place: behind a change of what others look at, without bm_local_lock.
void bm_local_changed(struct bm_local *local);
// … of which is known what: a message or a connection has come, or is still there for the next one that
// waits; some room is free again.
void bm_local_arrived(struct bm_local *local);
void bm_local_left(struct bm_local *local);
void bm_local_taken(struct bm_local *local);

// local.c
struct bm_local *bm_local_make(int type, bool nonblocking);
struct bm_local *bm_local_hold(struct bm_local *local);
void bm_local_put(struct bm_local *local);
static inline bool bm_local_is_connected_kind(const struct bm_local *local)
{
    return local->type != BM_SOCK_DGRAM;
}

// When a call gives up waiting: `time` nanoseconds from now, 0 for ever; at once if it does not wait.
uint64_t bm_local_deadline(const struct bm_local *local, int flags, uint64_t time);

// connect.c
int bm_local_listen(struct bm_file *file, int backlog);
int bm_local_accept(struct bm_file *file, void *address, uint32_t *size, int flags,
                    struct bm_file **accepted);
int bm_local_connect(struct bm_file *file, const void *address, uint32_t size);
int bm_local_shutdown(struct bm_file *file, int how);
int bm_local_close(struct bm_file *file);

// name.c
int bm_local_bind(struct bm_file *file, const void *address, uint32_t size);
int bm_local_name_get(struct bm_file *file, void *address, uint32_t *size);
int bm_local_peer(struct bm_file *file, void *address, uint32_t *size);
// The socket of that name, with a reference. -BM_ECONNREFUSED: nobody has it; -BM_EPROTOTYPE.
int bm_local_find(const void *address, uint32_t size, int type, struct bm_local **found);
// Takes the name away; under bm_local_lock. Returns its inode, whose reference is then the caller's, or NULL.
struct bm_inode *bm_local_unname(struct bm_local *local);
// Tells a name; NULL: none.
void bm_local_name_put(const struct bm_local_name *name, void *address, uint32_t *size);

// message.c
// Where in its pieces a message has got to. Empty pieces are passed over, so that a count means bytes.
struct bm_local_cursor {
    const struct bm_file_piece *at;
    size_t count, offset;
};
struct bm_local_cursor bm_local_cursor_of(const struct bm_socket_message *message);
// A message with the next `size` bytes of the cursor; NULL: no memory.
struct bm_local_message *bm_local_message_make(struct bm_local_cursor *cursor, size_t size);
// Copies bytes of the message from `from` on into what the cursor has room for; returns how many.
size_t bm_local_message_copy(const struct bm_local_message *message, size_t from,
                             struct bm_local_cursor *cursor);
// Frees a list of messages, whose files may be sockets with messages themselves. Without bm_local_lock.
void bm_local_messages_free(struct bm_local_message *messages);

// control.c
// Files and credentials from the control bytes of a message that is sent.
int bm_local_control_take(const struct bm_socket_message *from, struct bm_local_message *to);
// Puts both into the control bytes of a message that is received, whose `rights` (or NULL) stay the caller's.
void bm_local_control_put(struct bm_socket_message *to, const struct bm_local_message *from,
                          const struct bm_local_rights *rights, bool credentials, bool cloexec);
void bm_local_rights_free(struct bm_local_rights *rights);
// Counts rights that begin (1) or end (-1) to wait in a queue; under bm_local_lock. -BM_ETOOMANYREFS.
extern unsigned bm_local_rights_in_flight;
int bm_local_rights_count(const struct bm_local_rights *rights, int by);

// collect.c: ends sockets that only messages hold which nobody can receive.
void bm_local_collect(void);

// Under bm_local_lock: the error that waits, negative or 0; it is then gone.
static inline int bm_local_error_take(struct bm_local *local)
{
    int error = local->error;
    local->error = 0;
    return -error;
}

// send.c, receive.c
long bm_local_send_message(struct bm_file *file, const struct bm_socket_message *message, int flags);
long bm_local_receive_message(struct bm_file *file, struct bm_socket_message *message, int flags);
// Adds up the bytes of all pieces. 0, -BM_EMSGSIZE or -BM_EINVAL.
int bm_local_pieces_size(const struct bm_socket_message *message, size_t *size);
// Under bm_local_lock: how many bytes of `wanted` (at once, if `whole`) `target` takes from a socket, or an
// error.
long bm_local_room(const struct bm_local *local, const struct bm_local *target, size_t wanted, bool whole);

// option.c
int bm_local_option_get(struct bm_file *file, int level, int option, void *value, uint32_t *size);
int bm_local_option_set(struct bm_file *file, int level, int option, const void *value, uint32_t size);
int bm_local_poll(struct bm_file *file);
int bm_local_control(struct bm_file *file, unsigned long request, void *argument);
