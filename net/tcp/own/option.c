// Options of TCP sockets that the engine has, and lwIP's sockets have not: with Linux' numbers and values.
// SPDX-License-Identifier: MIT
#include "../option.h"
#include "own.h"

#include "../../lwip/socket_state.h"

#include <baremetal/error.h>
#include <baremetal/socket.h>
#include <string.h>

#include "netinet/tcp.h"

enum { TIMESTAMPS = 1, SACK = 2, WINDOW_SCALE = 4, ECN = 8 };                   // of tcpi_options
enum { LINUX_TIME_WAIT = 6, LINUX_CLOSE = 7, LINUX_LISTEN = 10, MILLI = 1000 }; // of tcpi_state

void own_options_begin(struct own_tcp *own)
{
    if (own->set.user_timeout_ms)
        bm_tcp_set_user_timeout(own->connection, own->set.user_timeout_ms);
    if (own->set.unsent_max)
        bm_tcp_set_unsent_max(own->connection, own->set.unsent_max);
}

static uint8_t state_of(const struct tcp_pcb *pcb)
{
    static const uint8_t states[] = {[CLOSED] = LINUX_CLOSE,
                                     [LISTEN] = LINUX_LISTEN,
                                     [SYN_SENT] = 2,
                                     [SYN_RCVD] = 3,
                                     [ESTABLISHED] = 1,
                                     [FIN_WAIT_1] = 4,
                                     [FIN_WAIT_2] = 5,
                                     [CLOSE_WAIT] = 8,
                                     [CLOSING] = 11,
                                     [LAST_ACK] = 9,
                                     [TIME_WAIT] = LINUX_TIME_WAIT};
    return states[pcb->state];
}

static void info_fill(struct own_tcp *own, struct tcp_info *to)
{
    struct bm_tcp_info from;
    own_show(own);
    to->tcpi_state = state_of(&own->pcb);
    if (!own->connection)
        return;
    bm_tcp_get_info(own->connection, &from);
    uint32_t mss = from.mss ? from.mss : 1;
    to->tcpi_ca_state = from.recovery == 0 ? 0 : (uint8_t)(from.recovery + 2); // TCP_CA_Recovery, TCP_CA_Loss
    to->tcpi_retransmits = to->tcpi_backoff = (uint8_t)LWIP_MIN(from.timeouts_in_a_row, 255);
    to->tcpi_options = (uint8_t)((from.timestamps ? TIMESTAMPS : 0) | (from.sack ? SACK : 0) |
                                 (from.window_scale ? WINDOW_SCALE : 0) | (from.ecn ? ECN : 0));
    to->tcpi_snd_wscale = from.send_scale & 15;
    to->tcpi_rcv_wscale = from.receive_scale & 15;
    to->tcpi_rto = from.rto_ms * MILLI;
    to->tcpi_snd_mss = to->tcpi_rcv_mss = from.mss;
    to->tcpi_advmss = from.mss_peer;
    to->tcpi_unacked = (from.send_queued - from.send_unsent + mss - 1) / mss;
    to->tcpi_sacked = from.sacked_segments;
    to->tcpi_last_data_recv = to->tcpi_last_ack_recv = from.heard_ms;
    to->tcpi_pmtu = from.mss_peer + (IP_IS_V6_VAL(own->pcb.remote_ip) ? 60u : 40u);
    to->tcpi_rcv_ssthresh = to->tcpi_rcv_space = from.receive_window;
    to->tcpi_rtt = from.srtt_us;
    to->tcpi_rttvar = from.rttvar_us;
    to->tcpi_snd_ssthresh = from.slow_start_threshold / mss;
    to->tcpi_snd_cwnd = from.congestion_window / mss;
    to->tcpi_rcv_rtt = from.receive_rtt_us;
    to->tcpi_total_retrans = from.retransmitted;
    to->tcpi_notsent_bytes = from.send_unsent;
    to->tcpi_min_rtt = from.min_rtt_us;
}

static struct own_options *options_of(struct tcp_pcb *pcb)
{
    return pcb->state == LISTEN ? &((struct own_listener *)pcb)->set : &own_of(pcb)->set;
}

static uint32_t *member_of(struct own_options *options, int option)
{
    switch (option) {
    case BM_TCP_DEFER_ACCEPT:
        return &options->deferred_s;
    case BM_TCP_USER_TIMEOUT:
        return &options->user_timeout_ms;
    case BM_TCP_NOTSENT_LOWAT:
        return &options->unsent_max;
    default:
        return NULL;
    }
}

// As Linux does, a value that is longer than the room is cut off.
static int put(const void *bytes, uint32_t true_size, void *value, uint32_t *size)
{
    if (*size > true_size)
        *size = true_size;
    memcpy(value, bytes, *size);
    return 0;
}

static int get_locked(struct tcp_pcb *pcb, int option, void *value, uint32_t *size)
{
    struct own_options none = {0};
    if (option == BM_TCP_INFO) {
        struct tcp_info info = {.tcpi_state = LINUX_CLOSE};
        if (pcb && pcb->state == LISTEN)
            info.tcpi_state = LINUX_LISTEN;
        else if (pcb)
            info_fill(own_of(pcb), &info);
        return put(&info, sizeof info, value, size);
    }
    const uint32_t *member = member_of(pcb ? options_of(pcb) : &none, option);
    return member ? put(member, sizeof *member, value, size) : 1;
}

int bm_net_tcp_option_get(int number, int option, void *value, uint32_t *size)
{
    bm_net_lock();
    int result = get_locked(bm_net_socket_block(number), option, value, size);
    bm_net_unlock();
    return result;
}

static int set_locked(struct tcp_pcb *pcb, int option, uint32_t number)
{
    if (!pcb)
        return -BM_EINVAL; // the connection has ended
    *member_of(options_of(pcb), option) = number;
    if (pcb->state == LISTEN) {
        struct own_listener *own = (struct own_listener *)pcb;
        own->listener.deferred = own->set.deferred_s;
        return 0;
    }
    struct own_tcp *own = own_of(pcb);
    if (own->connection) {
        bm_tcp_set_user_timeout(own->connection, own->set.user_timeout_ms);
        bm_tcp_set_unsent_max(own->connection, own->set.unsent_max);
        own_show(own);
    }
    return 0;
}

int bm_net_tcp_option_set(int number, int option, const void *value, uint32_t size)
{
    struct own_options none;
    int32_t wanted;
    if (option == BM_TCP_INFO)
        return -BM_ENOPROTOOPT;
    if (!member_of(&none, option))
        return 1;
    if (size < sizeof wanted)
        return -BM_EINVAL;
    memcpy(&wanted, value, sizeof wanted);
    if (wanted < 0 && option == BM_TCP_USER_TIMEOUT)
        return -BM_EINVAL;
    if (wanted < 0 && option == BM_TCP_DEFER_ACCEPT)
        wanted = 0;
    bm_net_lock();
    int result = set_locked(bm_net_socket_block(number), option, (uint32_t)wanted);
    bm_net_unlock();
    return result;
}
