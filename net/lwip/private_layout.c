// The version of lwIP, and the layout of what this port writes of its control blocks (private.h).
// SPDX-License-Identifier: MIT
//
// A file of its own, so that tests with a stand-in for lwIP can use the header. When an assertion fails, lwIP
// has changed: read its changes to the member's use, mend the files that private.h names, then the number.
#include "private.h"

#include "lwip/init.h"

_Static_assert(LWIP_VERSION == 0x020201ff, "this port was read against lwIP 2.2.1");

#define WRITTEN(member, offset, size)                                                                        \
    _Static_assert(offsetof(struct tcp_pcb, member) == (offset) &&                                           \
                       sizeof((struct tcp_pcb){0}.member) == (size),                                         \
                   #member " lies where it lay")

WRITTEN(next, 56, 8);
WRITTEN(flags, 98, 2);
WRITTEN(polltmr, 100, 1);
WRITTEN(tmr, 104, 4);
WRITTEN(rcv_nxt, 108, 4);
WRITTEN(rcv_wnd, 112, 4);
WRITTEN(rcv_ann_right_edge, 120, 4);
WRITTEN(rtime, 156, 2);
WRITTEN(rttest, 160, 4);
WRITTEN(rtseq, 164, 4);
WRITTEN(sa, 168, 2);
WRITTEN(sv, 170, 2);
WRITTEN(rto, 172, 2);
WRITTEN(nrtx, 174, 1);
WRITTEN(dupacks, 175, 1);
WRITTEN(lastack, 176, 4);
WRITTEN(cwnd, 180, 4);
WRITTEN(snd_nxt, 192, 4);
WRITTEN(snd_wl1, 196, 4);
WRITTEN(snd_wl2, 200, 4);
WRITTEN(snd_lbb, 204, 4);
WRITTEN(snd_wnd, 208, 4);
WRITTEN(snd_wnd_max, 212, 4);
WRITTEN(snd_buf, 216, 4);
WRITTEN(snd_queuelen, 220, 2);
WRITTEN(unsent_oversize, 222, 2);
WRITTEN(bytes_acked, 224, 4);
WRITTEN(unsent, 232, 8);
WRITTEN(unacked, 240, 8);
WRITTEN(refused_data, 256, 8);
WRITTEN(persist_backoff, 325, 1);
WRITTEN(persist_probe, 326, 1);
WRITTEN(keep_cnt_sent, 327, 1);
WRITTEN(answer_due, 332, 4);
WRITTEN(ends, 336, 8);
WRITTEN(same_place, 344, 8);
WRITTEN(link, 352, 8);
WRITTEN(older, 360, 8);
WRITTEN(newer, 368, 8);
_Static_assert(sizeof(struct tcp_pcb) == 376, "a control block has the members that it had");

_Static_assert(offsetof(struct tcp_seg, next) == 0 && offsetof(struct tcp_seg, p) == 8 &&
                   offsetof(struct tcp_seg, len) == 16 && offsetof(struct tcp_seg, flags) == 18 &&
                   offsetof(struct tcp_seg, tcphdr) == 24 && sizeof(struct tcp_seg) == 32,
               "express_output.c and join.c write all of a segment");
_Static_assert(sizeof(struct lwip_sock) == 24, "socket_state.c reads what it did");
