// What lwIP keeps to itself: the one header that includes lwip/priv/.
// SPDX-License-Identifier: MIT
//
// Files of lwip/ and tcp/ include it, nobody else. All that is read and written is read and written under the
// core lock. lwIP may change any of it with the next version: private_layout.c asserts version and layout of
// what is written here, by these files of tcp/ (names of lwIP's own members first):
//
//   struct tcp_pcb        written by              what
//   next, tcp_active_pcbs tcp_lookup.c            the lists
//   flags                 tcp_acceptable.c        TF_ACK_DELAY: segments that the device has joined
//                         express_output.c        acknowledged; TF_NAGLEMEMERR: the device refused
//                         express_input.c         tcp_ack(): an acknowledgement is due
//   rcv_nxt, rcv_wnd      express_input.c         data that was taken
//   rcv_ann_right_edge    express_output.c        the window that was announced
//   tmr, keep_cnt_sent    express_input.c         the peer was heard
//   polltmr               express_input.c         acknowledged: tcp_poll begins anew
//   rtime, nrtx, dupacks  express_input.c         acknowledged: nothing is sent again
//   rtime                 express_output.c        the clock of retransmission starts
//   rttest, rtseq         express_output.c        a round trip is measured …
//   rttest, sa, sv, rto   express_input.c         … was measured (RFC 6298)
//   lastack               express_input.c         acknowledged
//   cwnd, bytes_acked     express_input.c         RFC 5681, RFC 3465
//   snd_wnd, snd_wl1,     express_input.c         the peer's window
//   snd_wl2, snd_wnd_max
//   persist_probe         express_input.c         the peer was heard
//   persist_backoff       express_output.c        data goes out
//   refused_data          express_input.c         what the program did not take
//   snd_nxt               express_output.c, join.c  sent
//   snd_lbb               express_output.c        written
//   snd_buf, snd_queuelen express_output.c        written …
//                         express_input.c         … and acknowledged
//   unsent                express_output.c, join.c
//   unacked               express_output.c, express_input.c
//   unsent_oversize       express_output.c, express_input.c, join.c
//   LWIP_TCP_PCB_EXTRA    tcp_acceptable.c (answer_due), tcp_lookup.c, half_open.c
//
//   struct tcp_seg        written by
//   next                  join.c
//   all                   express_output.c, express_segment.c
//
//   struct netconn        written by
//   current_msg, state    socket_state.c          a write that is ended
//   pcb                   socket_state.c          of one that listens no more
//
//   tcp_input_pcb         express_input.c         the connection whose callback runs
#pragma once

#include "lwip/priv/api_msg.h"
#include "lwip/priv/sockets_priv.h"
#include "lwip/priv/tcp_priv.h"
