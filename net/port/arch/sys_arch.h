// lwIP's semaphores, mailboxes and short locks as this port has them (sys_arch.c).
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

// C++ programs include this too: no <stdatomic.h>.
struct bm_net_semaphore {
    union {
        struct {
            unsigned count;
            unsigned waiter; // core that waits, plus one; 0: none (sys_arch.c)
        };
        uint64_t both; // so that a signal reads the waiter in the moment in which it counts
    };
    bool valid;
};
typedef struct bm_net_semaphore sys_sem_t;
#define sys_sem_valid(semaphore)       ((semaphore)->valid)
#define sys_sem_set_invalid(semaphore) ((void)((semaphore)->valid = false))

struct bm_net_mailbox;
// Tells the message that stands at `index` behind the first, which stays there; whether there is one. By who
// alone fetches.
bool bm_net_mailbox_look(struct bm_net_mailbox *box, unsigned index, void **message);
typedef struct bm_net_mailbox *sys_mbox_t;
#define sys_mbox_valid(mailbox)       (*(mailbox) != NULL)
#define sys_mbox_set_invalid(mailbox) ((void)(*(mailbox) = NULL))

// Only tcpip.c's lock_tcpip_core, which LOCK_TCPIP_CORE never takes.
typedef unsigned sys_mutex_t;
#define sys_mutex_valid(mutex)       true
#define sys_mutex_set_invalid(mutex) ((void)(mutex))

typedef int sys_thread_t;

// netif.c names it without its header when LWIP_NETIF_LOOPBACK_MULTITHREADING is 0.
struct pbuf;
struct netif;
int8_t tcpip_input(struct pbuf *packet, struct netif *input);

// Reference counts and socket states: a few instructions under one spinlock, never nested.
typedef int sys_prot_t;
void bm_net_short_acquire(void);
void bm_net_short_release(void);

#define SYS_ARCH_DECL_PROTECT(level) ((void)0)
#ifdef SYS_ARCH_PROTECT_INLINE // pbuf.c: for every packet
#include <baremetal/lock.h>
extern struct bm_spinlock bm_net_short_lock;
#define SYS_ARCH_PROTECT(level)   bm_spinlock_acquire_inline(&bm_net_short_lock)
#define SYS_ARCH_UNPROTECT(level) bm_spinlock_release(&bm_net_short_lock)
#else
#define SYS_ARCH_PROTECT(level)   bm_net_short_acquire()
#define SYS_ARCH_UNPROTECT(level) bm_net_short_release()
#endif
