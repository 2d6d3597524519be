// Linux' system calls as functions, named as Linux names them: results of 0 or more, or a negative error.
// SPDX-License-Identifier: MIT
//
// The line before each says how much of the call is there; docs/linux-calls.md is made of it, and of the
// calls of absent.c. Those between threads, by names, and of limits and classes: calls_ipc.h.
#pragma once

#include "abi.h"
#include "calls_ipc.h"

#include <baremetal/file.h>

struct bm_epoll_event; // baremetal/epoll.h
struct bm_linux_stack; // signals.h

// What interval timers are told: struct itimerval.
struct bm_linux_interval {
    struct linux_timeval interval, value;
};

// What timers of timer_create and timerfd_create are told: struct itimerspec; and struct sigevent, as far as
// calls look at it.
struct bm_linux_timer_value {
    struct linux_timespec interval, value;
};
struct bm_linux_event {
    uint64_t value;
    int signal, notify, thread;
};

// pselect6's sixth argument: the signals that are blocked meanwhile.
struct bm_linux_mask {
    const uint64_t *set; // NULL: as before
    size_t size;         // of it: 8
};

// descriptor.c: Reading, writing and closing descriptors.
// complete
long bm_linux_write(int descriptor, const void *buffer, size_t size);
// complete
long bm_linux_lseek(int descriptor, long offset, int whence);
// complete
long bm_linux_close(int descriptor);

// vector.c: Writing of several pieces.
// complete
long bm_linux_writev(int descriptor, const struct bm_file_piece *pieces, int count);

// input.c: Reading: from files, and what the terminal received.
// complete
long bm_linux_read(int descriptor, void *buffer, size_t size);
// complete
long bm_linux_readv(int descriptor, const struct bm_file_piece *pieces, int count);

// position.c: Input and output at a position, of one piece or several.
// complete
long bm_linux_pread64(int descriptor, void *buffer, size_t size, long offset);
// complete
long bm_linux_pwrite64(int descriptor, const void *buffer, size_t size, long offset);
// complete
long bm_linux_preadv(int descriptor, const struct bm_file_piece *pieces, int count, long offset);
// complete
long bm_linux_pwritev(int descriptor, const struct bm_file_piece *pieces, int count, long offset);
// part: RWF_HIPRI, RWF_DSYNC, RWF_SYNC
long bm_linux_preadv2(int descriptor, const struct bm_file_piece *pieces, int count, long offset, long upper,
                      int flags);
// part: RWF_HIPRI, RWF_DSYNC, RWF_SYNC
long bm_linux_pwritev2(int descriptor, const struct bm_file_piece *pieces, int count, long offset, long upper,
                       int flags);

// copy.c: From one descriptor to another.
// part: from files, not from pipes and sockets
long bm_linux_sendfile(int to, int from, long *offset, size_t count);
// part: EINVAL, as for descriptors that cannot be spliced; programs copy by read and write then
long bm_linux_splice(int from, long *from_offset, int to, long *to_offset, size_t count, unsigned flags);
// complete
long bm_linux_copy_file_range(int from, long *from_offset, int to, long *to_offset, size_t count,
                              unsigned flags);

// control.c: Duplicates, flags and controls of descriptors.
// part: DUPFD, GETFD, SETFD, GETFL, SETFL, GETOWN, GETPIPE_SZ, SETPIPE_SZ up to the one size that there is;
// locks of records always succeed, since there is one process
long bm_linux_fcntl(int descriptor, int command, long argument);
// complete
long bm_linux_dup(int descriptor);
// complete
long bm_linux_dup2(int from, int to);
// complete
long bm_linux_dup3(int from, int to, int flags);
// part: always succeeds: there is one process
long bm_linux_flock(int descriptor, int operation);

// pipe.c: Pipes.
// part: O_NONBLOCK, O_CLOEXEC; 64 KiB each
long bm_linux_pipe2(int descriptors[2], int flags);
// complete
long bm_linux_pipe(int descriptors[2]);

// ioctl.c.
// part: what the kind of file has; of the terminal TCGETS, TCSETS, TIOCGWINSZ, FIONREAD
long bm_linux_ioctl(int descriptor, unsigned long request, void *argument);

// open.c: Opening files. Without baremetal::tmpfs the root cannot be written: EROFS.
// part: not FIFOs
long bm_linux_openat(int directory, const char *path, int flags, unsigned mode);
// part: not FIFOs
long bm_linux_open(const char *path, int flags, unsigned mode);
// complete
long bm_linux_creat(const char *path, unsigned mode);
// complete
long bm_linux_umask(unsigned mode);

// status.c: What is known of files and of file systems.
// complete
long bm_linux_fstat(int descriptor, struct linux_stat *status);
// complete
long bm_linux_newfstatat(int directory, const char *path, struct linux_stat *status, int flags);
// complete
long bm_linux_stat(const char *path, struct linux_stat *status);
// complete
long bm_linux_lstat(const char *path, struct linux_stat *status);
// part: STATX_BASIC_STATS, whatever is asked for
long bm_linux_statx(int directory, const char *path, int flags, unsigned mask, struct linux_statx *to);
// complete
long bm_linux_faccessat(int directory, const char *path, int mode);
// complete
long bm_linux_faccessat2(int directory, const char *path, int mode, int flags);
// complete
long bm_linux_access(const char *path, int mode);
// complete
long bm_linux_statfs(const char *path, struct linux_statfs *space);
// complete
long bm_linux_fstatfs(int descriptor, struct linux_statfs *space);

// directory.c: Directories: their entries, and the working directory.
// complete
long bm_linux_getdents64(int descriptor, void *buffer, unsigned size);
// complete
long bm_linux_getdents(int descriptor, void *buffer, unsigned size);
// complete
long bm_linux_getcwd(char *buffer, size_t size);
// complete
long bm_linux_chdir(const char *path);
// complete
long bm_linux_fchdir(int descriptor);

// names.c: Calls that make, move and remove names.
// complete
long bm_linux_mkdirat(int directory, const char *path, unsigned mode);
// complete
long bm_linux_mkdir(const char *path, unsigned mode);
// complete
long bm_linux_mknodat(int directory, const char *path, unsigned mode, unsigned device);
// complete
long bm_linux_mknod(const char *path, unsigned mode, unsigned device);
// complete
long bm_linux_unlinkat(int directory, const char *path, int flags);
// complete
long bm_linux_unlink(const char *path);
// complete
long bm_linux_rmdir(const char *path);
// complete
long bm_linux_linkat(int from_directory, const char *from, int to_directory, const char *to, int flags);
// complete
long bm_linux_link(const char *from, const char *to);
// complete
long bm_linux_symlinkat(const char *target, int directory, const char *path);
// complete
long bm_linux_symlink(const char *target, const char *path);
// part: RENAME_NOREPLACE
long bm_linux_renameat2(int from_directory, const char *from, int to_directory, const char *to,
                        unsigned flags);
// complete
long bm_linux_renameat(int from_directory, const char *from, int to_directory, const char *to);
// complete
long bm_linux_rename(const char *from, const char *to);
// complete
long bm_linux_readlinkat(int directory, const char *path, char *buffer, int size);
// complete
long bm_linux_readlink(const char *path, char *buffer, int size);

// change.c: Changes of files. Permissions and owners are kept and told, not enforced: there is one user.
// complete
long bm_linux_fchmodat(int directory, const char *path, unsigned mode);
// complete
long bm_linux_chmod(const char *path, unsigned mode);
// complete
long bm_linux_fchmod(int descriptor, unsigned mode);
// complete
long bm_linux_fchownat(int directory, const char *path, unsigned user, unsigned group, int flags);
// complete
long bm_linux_chown(const char *path, unsigned user, unsigned group);
// complete
long bm_linux_lchown(const char *path, unsigned user, unsigned group);
// complete
long bm_linux_fchown(int descriptor, unsigned user, unsigned group);
// complete
long bm_linux_truncate(const char *path, long size);
// complete
long bm_linux_ftruncate(int descriptor, long size);
// part: FALLOC_FL_KEEP_SIZE or no flag
long bm_linux_fallocate(int descriptor, int mode, long offset, long size);
// part: advice changes nothing
long bm_linux_fadvise64(int descriptor, long offset, long size, int advice);
// complete
long bm_linux_utimensat(int directory, const char *path, const struct linux_timespec wanted[2], int flags);
// complete
long bm_linux_futimesat(int directory, const char *path, const struct linux_timeval wanted[2]);
// complete
long bm_linux_utimes(const char *path, const struct linux_timeval wanted[2]);
// complete
long bm_linux_utime(const char *path, const int64_t wanted[2]);
// complete
long bm_linux_fsync(int descriptor);
// complete
long bm_linux_fdatasync(int descriptor);
// part: files are in memory
long bm_linux_sync(void);
// part: files are in memory
long bm_linux_syncfs(int descriptor);

// poll.c: poll and select over every kind of descriptor.
// complete
long bm_linux_poll(struct linux_pollfd *descriptors, unsigned count, int timeout);
// complete
long bm_linux_ppoll(struct linux_pollfd *descriptors, unsigned count, const struct linux_timespec *timeout,
                    const uint64_t *mask, size_t size);
// part: the time that is left is not told
long bm_linux_select(int count, uint64_t *readable, uint64_t *writable, uint64_t *exceptional,
                     const struct linux_timeval *timeout);
// complete
long bm_linux_pselect6(int count, uint64_t *readable, uint64_t *writable, uint64_t *exceptional,
                       const struct linux_timespec *timeout, const struct bm_linux_mask *mask);

// epoll.c: Epoll, and eventfd.
// complete
long bm_linux_epoll_create1(int flags);
// complete
long bm_linux_epoll_create(int size);
// part: terminals and devices cannot be watched: EPERM
long bm_linux_epoll_ctl(int epoll, int operation, int descriptor, const struct bm_epoll_event *event);
// complete
long bm_linux_epoll_wait(int epoll, struct bm_epoll_event *events, int max, int timeout);
// complete
long bm_linux_epoll_pwait(int epoll, struct bm_epoll_event *events, int max, int timeout,
                          const uint64_t *mask, size_t size);
// complete
long bm_linux_epoll_pwait2(int epoll, struct bm_epoll_event *events, int max,
                           const struct linux_timespec *timeout, const uint64_t *mask, size_t size);
// complete
long bm_linux_eventfd2(unsigned value, int flags);
// complete
long bm_linux_eventfd(unsigned value);

// signalfd.c: Signals behind descriptors.
// complete
long bm_linux_signalfd4(int descriptor, const uint64_t *set, size_t size, int flags);
// complete
long bm_linux_signalfd(int descriptor, const uint64_t *set, size_t size);

// timerfd.c: Timers behind descriptors.
// part: the realtime, monotonic and boot-time clocks
long bm_linux_timerfd_create(int clock, int flags);
// complete
long bm_linux_timerfd_settime(int descriptor, int flags, const struct bm_linux_timer_value *wanted,
                              struct bm_linux_timer_value *old);
// complete
long bm_linux_timerfd_gettime(int descriptor, struct bm_linux_timer_value *timer);

// memory.c: The program's memory, by pages.
// part: mappings of files that are not in memory have them as they are when mapped, and can only be read if
// shared; executable with JIT; no huge pages are set aside
long bm_linux_mmap(uint64_t address, uint64_t length, int protection, int flags, int descriptor, long offset);
// complete
long bm_linux_munmap(uint64_t address, uint64_t length);
// part: executable with JIT
long bm_linux_mprotect(uint64_t address, uint64_t length, int protection);
// complete
long bm_linux_mremap(uint64_t address, uint64_t length, uint64_t wanted, int flags, uint64_t to);
// part: MADV_DONTNEED, MADV_FREE, MADV_POPULATE_READ and _WRITE; other advice changes nothing
long bm_linux_madvise(uint64_t address, uint64_t length, int advice);
// complete
long bm_linux_mincore(uint64_t address, uint64_t length, unsigned char *there);
// part: the break cannot be moved
long bm_linux_brk(uint64_t address);
// part: nothing is held back
long bm_linux_msync(uint64_t address, uint64_t length, int flags);
// part: memory is never paged out
long bm_linux_mlock(uint64_t address, uint64_t length);
// part: memory is never paged out
long bm_linux_mlock2(uint64_t address, uint64_t length, int flags);
// part: memory is never paged out
long bm_linux_munlock(uint64_t address, uint64_t length);
// part: memory is never paged out
long bm_linux_mlockall(int flags);
// part: memory is never paged out
long bm_linux_munlockall(void);

// memfd.c: Files in memory without a name.
// part: not of huge pages
long bm_linux_memfd_create(const char *name, unsigned flags);

// time.c: Clocks and sleeping.
// part: the clocks of the process and of threads count the machine's time
long bm_linux_clock_gettime(int clock, struct linux_timespec *time);
// complete
long bm_linux_clock_getres(int clock, struct linux_timespec *resolution);
// complete
long bm_linux_clock_settime(int clock, const struct linux_timespec *time);
// complete
long bm_linux_gettimeofday(struct linux_timeval *time, void *zone);
// complete
long bm_linux_clock_nanosleep(int clock, int flags, const struct linux_timespec *wanted,
                              struct linux_timespec *left);
// complete
long bm_linux_nanosleep(const struct linux_timespec *wanted, struct linux_timespec *left);
// part: the machine's time
long bm_linux_times(int64_t times[4]);
// complete
long bm_linux_pause(void);
// complete
long bm_linux_time(int64_t *time);
// part: without a time zone
long bm_linux_settimeofday(const struct linux_timeval *time, const void *zone);
// part: tells; changes are refused
long bm_linux_adjtimex(void *adjustment);
// part: tells; changes are refused
long bm_linux_clock_adjtime(int clock, void *adjustment);

// interval.c: Interval timers, which send signals.
// part: ITIMER_VIRTUAL and ITIMER_PROF count the machine's time
long bm_linux_setitimer(int which, const struct bm_linux_interval *wanted, struct bm_linux_interval *old);
// part: ITIMER_VIRTUAL and ITIMER_PROF count the machine's time
long bm_linux_getitimer(int which, struct bm_linux_interval *now);
// complete
long bm_linux_alarm(unsigned seconds);

// timer_create.c: Timers of POSIX.
// part: the clocks of the process and of threads count the machine's time
long bm_linux_timer_create(int clock, const struct bm_linux_event *wanted, int *number);
// complete
long bm_linux_timer_settime(int number, int flags, const struct bm_linux_timer_value *wanted,
                            struct bm_linux_timer_value *old);
// complete
long bm_linux_timer_gettime(int number, struct bm_linux_timer_value *now);
// complete
long bm_linux_timer_getoverrun(int number);
// complete
long bm_linux_timer_delete(int number);

// random.c: Random bytes.
// complete
long bm_linux_getrandom(void *buffer, size_t size, unsigned flags);

// system.c: The machine and its one process, as programs ask for them.
// complete
long bm_linux_uname(char *names);
// complete
long bm_linux_sysinfo(void *buffer);
// complete
long bm_linux_getpid(void);
// complete
long bm_linux_getppid(void);
// complete
long bm_linux_getpgid(int process);
// complete
long bm_linux_getsid(int process);
// part: the process leads its group already
long bm_linux_setsid(void);
// part: to the one group that there is
long bm_linux_setpgid(int process, int group);
// complete
long bm_linux_getuid(void);
// complete
long bm_linux_geteuid(void);
// complete
long bm_linux_getgid(void);
// complete
long bm_linux_getegid(void);
// complete
long bm_linux_getgroups(int size, uint32_t *groups);
// complete
long bm_linux_getresuid(uint32_t *real, uint32_t *effective, uint32_t *saved);
// complete
long bm_linux_getresgid(uint32_t *real, uint32_t *effective, uint32_t *saved);
// part: the machine's time and memory
long bm_linux_getrusage(int who, int64_t usage[18]);
// part: there are no children
long bm_linux_wait4(int process, int *status, int options, void *usage);
// part: there are no children
long bm_linux_waitid(int type, int process, void *information, int options);

// credentials.c: Users and groups. They are the process's, also when a thread alone asks.
// part: of all threads
long bm_linux_setuid(unsigned user);
// part: of all threads
long bm_linux_setgid(unsigned group);
// part: of all threads
long bm_linux_setreuid(unsigned real, unsigned effective);
// part: of all threads
long bm_linux_setregid(unsigned real, unsigned effective);
// part: of all threads
long bm_linux_setresuid(unsigned real, unsigned effective, unsigned saved);
// part: of all threads
long bm_linux_setresgid(unsigned real, unsigned effective, unsigned saved);
// part: of all threads
long bm_linux_setfsuid(unsigned user);
// part: of all threads
long bm_linux_setfsgid(unsigned group);
// part: of all threads
long bm_linux_setgroups(int count, const uint32_t *groups);

// capabilities.c: Capabilities.
// complete
long bm_linux_capget(void *header, void *data);
// part: of all threads
long bm_linux_capset(void *header, const void *data);

// process.c: What a process says of itself and asks of the machine.
// part: names of threads; what is kept and told without effect; else EINVAL
long bm_linux_prctl(int option, unsigned long first, unsigned long second, unsigned long third,
                    unsigned long fourth);
// part: kept and told, without effect
long bm_linux_personality(unsigned long wanted);
// complete
long bm_linux_getpgrp(void);
// part: the log is not kept
long bm_linux_syslog(int type, char *buffer, int size);
// part: power off and halt
long bm_linux_reboot(int first, int second, unsigned command);
// complete
long bm_linux_sethostname(const char *name, int size);
// complete
long bm_linux_setdomainname(const char *name, int size);

// range.c: Calls on ranges.
// complete
long bm_linux_close_range(unsigned first, unsigned last, unsigned flags);
// part: nothing is read before it is asked for
long bm_linux_readahead(int descriptor, long offset, size_t count);
// part: as fdatasync
long bm_linux_sync_file_range(int descriptor, long offset, long size, unsigned flags);

// thread.c: What threads ask for: who they are, where they run, and their end.
// complete
long bm_linux_gettid(void);
// complete
long bm_linux_set_tid_address(int *address);
// part: ARCH_SET_FS, ARCH_GET_FS
long bm_linux_arch_prctl(int code, uint64_t address);
// complete
long bm_linux_exit(int status);
// complete
long bm_linux_sched_yield(void);
// complete
long bm_linux_sched_getaffinity(int thread, unsigned size, void *mask);
// part: taken, without effect
long bm_linux_sched_setaffinity(int thread, unsigned size, const void *mask);
// complete
long bm_linux_getcpu(unsigned *core, unsigned *node);
// part: QUERY, GLOBAL, PRIVATE_EXPEDITED and its registration, which nobody needs
long bm_linux_membarrier(int command, unsigned flags);

// robust.c: Robust futexes, which an ending thread leaves to others.
// complete
long bm_linux_set_robust_list(void *head, size_t size);
// complete
long bm_linux_get_robust_list(int thread, void **head, size_t *size);

// futex.c: Waiting for a word of memory to change.
// part: WAIT, WAKE, REQUEUE, CMP_REQUEUE, WAIT_BITSET, WAKE_BITSET; LOCK_PI, LOCK_PI2, TRYLOCK_PI, UNLOCK_PI
// without priorities
long bm_linux_futex(uint32_t *word, int operation, unsigned value, const struct linux_timespec *timeout,
                    uint32_t *other, unsigned third);

// signal.c, signal_*.c: signals. A handler runs at the end of a call, in one that waits, and in the program's
// own text.
// part: SIGSTOP and its kin stop nobody, and there are no children
long bm_linux_rt_sigaction(int signal, const void *wanted, void *old, size_t size);
// complete
long bm_linux_kill(int process, int signal);
// complete
long bm_linux_tkill(int thread, int signal);
// complete
long bm_linux_tgkill(int process, int thread, int signal);
// complete
long bm_linux_rt_sigqueueinfo(int process, int signal, const void *information);
// complete
long bm_linux_rt_tgsigqueueinfo(int process, int thread, int signal, const void *information);
// complete
long bm_linux_rt_sigprocmask(int how, const uint64_t *set, uint64_t *old, size_t size);
// complete
long bm_linux_rt_sigpending(uint64_t *set, size_t size);
// complete
long bm_linux_rt_sigsuspend(const uint64_t *set, size_t size);
// complete
long bm_linux_rt_sigtimedwait(const uint64_t *set, void *information, const struct linux_timespec *timeout,
                              size_t size);
// complete
long bm_linux_rt_sigreturn(void);
// complete
long bm_linux_sigaltstack(const struct bm_linux_stack *wanted, struct bm_linux_stack *old);

// exit.c: the program's end.
// complete
long bm_linux_exit_group(int status) __attribute__((noreturn));

// clone.c: how the C library starts a thread: function(arg) on the stack.
long bm_linux_clone_thread(int (*function)(void *), void *stack, unsigned long flags, void *arg, int *parent,
                           void *tls, int *child);
// clone.c: how it ends one that has unmapped its stack.
long bm_linux_exit_unmapping(void *stack, size_t size);

// table.c: a call by its number; brings in all of them.
long bm_linux_call(long number, long a, long b, long c, long d, long e, long f);

// socket.c: Sockets; `socket` itself in no_sockets.c and, with baremetal::net, in net/linux.
// part: AF_UNIX; with baremetal::net AF_INET and AF_INET6: TCP, UDP, raw; NETLINK_ROUTE as far as
// getifaddrs needs it; with baremetal::virtio_vsock AF_VSOCK
long bm_linux_socket(int family, int type, int protocol);
// complete
long bm_linux_socketpair(int family, int type, int protocol, int descriptors[2]);
// complete
long bm_linux_bind(int descriptor, const void *address, unsigned size);
// complete
long bm_linux_listen(int descriptor, int backlog);
// complete
long bm_linux_accept(int descriptor, void *address, unsigned *size);
// complete
long bm_linux_accept4(int descriptor, void *address, unsigned *size, int flags);
// complete
long bm_linux_connect(int descriptor, const void *address, unsigned size);
// part: no urgent data
long bm_linux_sendto(int descriptor, const void *data, size_t size, int flags, const void *address,
                     unsigned address_size);
// part: no urgent data
long bm_linux_recvfrom(int descriptor, void *buffer, size_t size, int flags, void *address,
                       unsigned *address_size);
// part: ancillary data of AF_UNIX alone
long bm_linux_sendmsg(int descriptor, const void *message, int flags);
// part: ancillary data of AF_UNIX alone
long bm_linux_recvmsg(int descriptor, void *message, int flags);
// part: ancillary data of AF_UNIX alone
long bm_linux_sendmmsg(int descriptor, void *messages, unsigned count, unsigned flags);
// part: ancillary data of AF_UNIX alone
long bm_linux_recvmmsg(int descriptor, void *messages, unsigned count, unsigned flags,
                       const struct linux_timespec *timeout);
// complete
long bm_linux_shutdown(int descriptor, int how);
// complete
long bm_linux_getsockname(int descriptor, void *address, unsigned *size);
// complete
long bm_linux_getpeername(int descriptor, void *address, unsigned *size);
// part: the options of <baremetal/socket.h>
long bm_linux_getsockopt(int descriptor, int level, int option, void *value, unsigned *size);
// part: the options of <baremetal/socket.h>
long bm_linux_setsockopt(int descriptor, int level, int option, const void *value, unsigned size);

// No call, ioctl asks: what there is to tell of the network's interfaces, `what` into the struct ifreq
// `argument`. Weak, since there may be no network (net/linux/interface.c).
long bm_net_interface_control(unsigned long what, void *argument) __attribute__((weak));

// No call, musl's resolver asks (toolchain/musl/0006): the address of a name server of the network as text;
// false: there are not so many.
bool bm_linux_name_server(unsigned index, char *text, size_t size);
