// Options of TCP sockets (level IPPROTO_TCP).
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

#define TCP_NODELAY   1 // do not hold back small segments
#define TCP_CORK      3 // segments that are not full wait, for 200 ms at most; 0 sends them
#define TCP_KEEPIDLE  4 // seconds of silence before the first probe
#define TCP_KEEPINTVL 5 // seconds between probes
#define TCP_KEEPCNT   6 // probes without an answer before the connection is given up
#define TCP_DEFER_ACCEPT                                                                                     \
    9 // these: with -DBAREMETAL_TCP=own alone; of a listener: accepted with the first data
#define TCP_INFO          11     // struct tcp_info, read only
#define TCP_USER_TIMEOUT  18     // ms without an acknowledgement that end the connection; 0: as usual
#define TCP_NOTSENT_LOWAT 25     // nothing may be written while as many bytes are not sent
#define TCP_KEEPALIVE     0x1000 // TCP_KEEPIDLE in milliseconds; Linux has no such option

// TCP_INFO, in Linux' order. Times in microseconds but for the tcpi_last_… (ms), amounts in segments but for
// those of bytes.
struct tcp_info {
    uint8_t tcpi_state, tcpi_ca_state, tcpi_retransmits, tcpi_probes, tcpi_backoff, tcpi_options;
    uint8_t tcpi_snd_wscale : 4, tcpi_rcv_wscale : 4;
    uint8_t tcpi_delivery_rate_app_limited : 1, tcpi_fastopen_client_fail : 2;
    uint32_t tcpi_rto, tcpi_ato, tcpi_snd_mss, tcpi_rcv_mss;
    uint32_t tcpi_unacked, tcpi_sacked, tcpi_lost, tcpi_retrans, tcpi_fackets;
    uint32_t tcpi_last_data_sent, tcpi_last_ack_sent, tcpi_last_data_recv, tcpi_last_ack_recv;
    uint32_t tcpi_pmtu, tcpi_rcv_ssthresh, tcpi_rtt, tcpi_rttvar, tcpi_snd_ssthresh, tcpi_snd_cwnd;
    uint32_t tcpi_advmss, tcpi_reordering, tcpi_rcv_rtt, tcpi_rcv_space, tcpi_total_retrans;
    uint64_t tcpi_pacing_rate, tcpi_max_pacing_rate, tcpi_bytes_acked, tcpi_bytes_received; // bytes
    uint32_t tcpi_segs_out, tcpi_segs_in, tcpi_notsent_bytes, tcpi_min_rtt;
};
