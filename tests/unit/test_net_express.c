// Header prediction: which frames take the fast path, and what it leaves behind.
// SPDX-License-Identifier: MIT
// @sources net/tcp/express_input.c tests/unit/net_express/program.c
// @includes tests/unit/net_express
#include "../../net/device/hooks.h"
#include "../../net/tcp/express.h"

#include "net_express/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

// --- Frames ---

enum { LENGTH = 300, ROOM = 2000 };

static struct {
    struct bm_net_headers headers;
    u8_t data[ROOM];
} frame;
static struct pbuf buffer;

static void sum_put(void)
{
    u16_t words[10];
    u32_t sum = 0;
    frame.headers.ip._chksum = 0;
    memcpy(words, &frame.headers.ip, sizeof words);
    for (unsigned i = 0; i < 10; i++)
        sum += words[i];
    sum = (sum & 0xffff) + (sum >> 16);
    frame.headers.ip._chksum = (u16_t) ~((sum & 0xffff) + (sum >> 16));
}

// The next segment of the connection: `length` bytes, acknowledging all but nothing new.
static void make(unsigned length)
{
    memset(&frame, 0, sizeof frame);
    frame.headers =
        (struct bm_net_headers){.ethernet = {.dest = {{0x52, 0x54}}, .type = PP_HTONS(ETHTYPE_IP)},
                                .ip = {._v_hl = 0x45,
                                       ._len = lwip_htons(40 + length),
                                       ._ttl = 64,
                                       ._proto = 6,
                                       .src.addr = 0x0100070a,
                                       .dest.addr = 0x0200070a},
                                .tcp = {.src = lwip_htons(5000),
                                        .dest = lwip_htons(80),
                                        .seqno = lwip_htonl(connection.rcv_nxt),
                                        .ackno = lwip_htonl(connection.lastack),
                                        ._hdrlen_rsvd_flags = PP_HTONS(5 << 12 | TCP_ACK),
                                        .wnd = lwip_htons(500)}};
    sum_put();
    unsigned bytes = 54 + length;
    buffer = (struct pbuf){.payload = &frame, .len = (u16_t)bytes, .tot_len = (u16_t)bytes};
}

static bool taken(void)
{
    sum_put();
    return bm_net_express_input(&netif, &buffer);
}

static int set_up(void **state)
{
    (void)state;
    netif = (struct netif){.number = 1, .up = true};
    connection = (struct tcp_pcb){.state = ESTABLISHED,
                                  .mss = 1460,
                                  .rcv_nxt = 0xffffff00, // wraps
                                  .rcv_wnd = 5000,
                                  .lastack = 0xfffffe00,
                                  .snd_nxt = 0x200,
                                  .snd_wnd = 1000,
                                  .snd_wl1 = 0xfffff000,
                                  .snd_wl2 = 0xfffffe00,
                                  .snd_scale = 2,
                                  .cwnd = 10000,
                                  .ssthresh = 20000,
                                  .rtime = -1,
                                  .sent = on_sent,
                                  .recv = on_received,
                                  .errf = on_error};
    outputs = freed_frames = given_segments = removed = aborted = errors = 0;
    sent_bytes = 0;
    received = NULL;
    receive_answer = sent_answer = ERR_OK;
    close_in_sent = bm_net_raw_used = false;
    make(LENGTH);
    return 0;
}

// The frame is left to lwIP, and so is all else as it was.
static void left(void)
{
    struct tcp_pcb before = connection;
    struct pbuf buffer_before = buffer;
    assert_false(taken());
    assert_memory_equal(&before, &connection, sizeof before);
    assert_memory_equal(&buffer_before, &buffer, sizeof buffer);
    assert_int_equal(outputs + freed_frames, 0);
    set_up(NULL);
}

static void data_in_order_is_given_to_the_program(void **state)
{
    (void)state;
    frame.headers.tcp._hdrlen_rsvd_flags |= PP_HTONS(TCP_PSH);
    buffer.len = buffer.tot_len = (u16_t)(buffer.len + 6); // the wire's padding
    assert_true(taken());
    assert_ptr_equal(received, &buffer);
    assert_ptr_equal(buffer.payload, frame.data);
    assert_int_equal(buffer.len, LENGTH);
    assert_int_equal(buffer.tot_len, LENGTH);
    assert_int_equal(buffer.flags, PBUF_FLAG_PUSH);
    assert_int_equal(buffer.if_idx, 1);
    assert_int_equal(connection.rcv_nxt, 0xffffff00 + LENGTH);
    assert_int_equal(connection.rcv_wnd, 5000 - LENGTH);
    assert_int_equal(connection.rcv_ann_wnd, 5000 - LENGTH);
    assert_int_equal(connection.flags, TF_ACK_DELAY);
    assert_int_equal(connection.snd_wnd, 500 << 2);
    assert_int_equal(connection.tmr, tcp_ticks);
    assert_int_equal(outputs, 1);
    assert_int_equal(freed_frames, 0);
    make(LENGTH);
    assert_true(taken());
    assert_int_equal(connection.flags, TF_ACK_NOW); // each second one
}

static void what_is_not_plain_is_left_to_lwip(void **state)
{
    (void)state;
    struct bm_net_headers *h = &frame.headers;
    h->ethernet.type = PP_HTONS(0x86dd);
    left();
    h->ethernet.dest.addr[0] |= 1;
    left();
    h->ip._v_hl = 0x46;
    left();
    h->ip._proto = 17;
    left();
    h->ip._offset = PP_HTONS(IP_MF);
    left();
    h->ip._offset = PP_HTONS(1);
    left();
    const unsigned lengths[] = {0, 39, 41 + LENGTH, 0xffff};
    for (unsigned i = 0; i < 4; i++) {
        h->ip._len = lwip_htons(lengths[i]);
        left();
    }
    for (unsigned length = 0; length < 54; length++) {
        buffer.len = buffer.tot_len = (u16_t)length;
        left();
    }
    const unsigned flags[] = {
        0, TCP_ACK | TCP_FIN, TCP_ACK | TCP_SYN, TCP_ACK | TCP_RST, TCP_ACK | TCP_URG, TCP_PSH, TCP_ACK | 64};
    for (unsigned i = 0; i < 7; i++) {
        h->tcp._hdrlen_rsvd_flags = (u16_t)__builtin_bswap16((u16_t)(5 << 12 | flags[i]));
        left();
    }
    h->tcp._hdrlen_rsvd_flags = PP_HTONS(6 << 12 | TCP_ACK);
    left();
    h->ip._chksum ^= 0x100;
    assert_false(bm_net_express_input(&netif, &buffer));
    h->ip.src = h->ip.dest; // the machine's own connections do not come by a wire
    left();
    h->ip.src.addr = h->ip.dest.addr = 0x0100007f;
    left();
    h->tcp.src = lwip_htons(5001); // nobody's
    left();
    struct pbuf more = {.len = 1};
    buffer.next = &more;
    left();
    netif.up = false;
    left();
    bm_net_raw_used = true;
    left();
}

static void what_was_not_predicted_is_left_to_lwip(void **state)
{
    (void)state;
    struct tcp_hdr *tcp = &frame.headers.tcp;
    struct tcp_seg segment = {.tcphdr = tcp};
    tcp->seqno = lwip_htonl(connection.rcv_nxt + 1);
    left();
    tcp->seqno = lwip_htonl(connection.rcv_nxt - 1);
    left();
    tcp->ackno = lwip_htonl(connection.lastack - 1);
    left();
    tcp->ackno = lwip_htonl(connection.snd_nxt + 1);
    left();
    make(0); // nothing new at all: perhaps the third of its kind
    left();
    const unsigned flags[] = {TF_INFR, TF_RTO, TF_RXCLOSED, TF_FIN, TF_CLOSEPEND};
    for (unsigned i = 0; i < 5; i++) {
        connection.flags = (u16_t)flags[i];
        left();
    }
    connection.state = SYN_RCVD;
    left();
    connection.state = FIN_WAIT_1;
    left();
    connection.ooseq = &segment;
    left();
    connection.refused_data = &buffer;
    left();
    connection.sack_valid = true;
    left();
    connection.rcv_wnd = LENGTH - 1;
    left();
    const u32_t full[] = {0, 0xfffffff0}; // also by more than there is room for
    for (unsigned i = 0; i < 2; i++) {
        connection.rcv_wnd = full[i];
        left();
        connection.rcv_wnd = full[i];
        make(0);
        tcp->ackno = lwip_htonl(connection.lastack + 10);
        left();
    }
    connection.netif_idx = 2;
    left();
    make(TCP_MSS + 1);
    left();
    struct tcp_hdr lost = {.seqno = lwip_htonl(connection.lastack)}; // to be sent again, and acknowledged now
    struct tcp_seg again = {.tcphdr = &lost};
    connection.unsent = &again;
    tcp->ackno = lwip_htonl(connection.lastack + 10);
    left();
}

static struct tcp_hdr headers[3];
static struct pbuf buffers[3];
static struct tcp_seg segments[3];

// Three segments of 256 bytes are on their way.
static void give_three(void)
{
    for (unsigned i = 0; i < 3; i++) {
        headers[i].seqno = lwip_htonl(connection.lastack + 256 * i);
        segments[i] = (struct tcp_seg){i < 2 ? &segments[i + 1] : NULL, &buffers[i], 256, 0, &headers[i]};
    }
    connection.unacked = segments;
    connection.snd_queuelen = 3;
    connection.rtime = 5;
    connection.nrtx = 2;
}

static void acknowledgements_free_what_has_arrived(void **state)
{
    (void)state;
    give_three();
    make(0);
    frame.headers.tcp.ackno = lwip_htonl(connection.lastack + 600); // two of them, and a part
    assert_true(taken());
    assert_int_equal(given_segments, 2);
    assert_int_equal(sent_bytes, 512);
    assert_int_equal(connection.snd_buf, 512);
    assert_int_equal(connection.snd_queuelen, 1);
    assert_ptr_equal(connection.unacked, &segments[2]);
    assert_int_equal(connection.rtime, 0); // starts again
    assert_int_equal(connection.nrtx, 0);
    assert_int_equal(connection.cwnd, 10600); // slow start, byte by byte
    assert_int_equal(freed_frames, 1);
    assert_null(received);
    assert_int_equal(connection.flags, 0); // an acknowledgement is not acknowledged
    assert_int_equal(outputs, 1);
    make(0);
    frame.headers.tcp.ackno = lwip_htonl(connection.lastack + 168);
    assert_true(taken());
    assert_null(connection.unacked);
    assert_int_equal(connection.rtime, -1);
    assert_int_equal(connection.snd_buf, 768);
}

static void windows_grow_as_rfc_5681_says(void **state)
{
    (void)state;
    connection.snd_nxt = connection.lastack + 100000;
    make(0);
    frame.headers.tcp.ackno = lwip_htonl(connection.lastack + 50000);
    assert_true(taken());
    assert_int_equal(connection.cwnd, 10000 + 2 * 1460); // at most two segments an acknowledgement
    connection.cwnd = connection.ssthresh = 20000;
    for (unsigned i = 0; i < 4; i++) { // a segment a round trip
        make(0);
        frame.headers.tcp.ackno = lwip_htonl(connection.lastack + 5000);
        assert_true(taken());
    }
    assert_int_equal(connection.cwnd, 20000 + 1460);
    connection.cwnd = UINT32_MAX - 10;
    connection.ssthresh = UINT32_MAX;
    make(0);
    frame.headers.tcp.ackno = lwip_htonl(connection.lastack + 5000);
    assert_true(taken());
    assert_int_equal(connection.cwnd, UINT32_MAX);
}

static void old_windows_are_not_taken(void **state)
{
    (void)state;
    connection.snd_wl1 = connection.rcv_nxt + 10; // a later segment has told already
    connection.snd_wl2 = connection.snd_nxt;
    connection.snd_wnd = 3000;
    assert_true(taken());
    assert_int_equal(connection.snd_wnd, 3000);
    set_up(NULL);
    connection.snd_wl1 = connection.rcv_nxt + 10; // … even if this one acknowledges more
    connection.snd_wnd = 3000;
    frame.headers.tcp.ackno = lwip_htonl(connection.lastack + 10);
    assert_true(taken());
    assert_int_equal(connection.snd_wnd, 3000);
}

// A round trip whose end was acknowledged by a segment that lwIP took, such as the answer to a window probe.
static void round_trips_end_without_news(void **state)
{
    (void)state;
    connection.rttest = tcp_ticks - 3;
    connection.rtseq = connection.lastack - 1;
    assert_true(taken());
    assert_int_equal(connection.rttest, 0);
    assert_int_equal(connection.sa, 3);
    assert_int_equal(connection.rto, 3);
}

static void programs_may_refuse_close_and_abort(void **state)
{
    (void)state;
    receive_answer = ERR_MEM;
    assert_true(taken());
    assert_ptr_equal(connection.refused_data, &buffer); // lwIP offers it again
    set_up(NULL);
    receive_answer = ERR_ABRT; // the connection is gone
    assert_true(taken());
    assert_int_equal(outputs, 0);
    assert_null(tcp_input_pcb);
    set_up(NULL);
    sent_answer = ERR_ABRT;
    give_three();
    frame.headers.tcp.ackno = lwip_htonl(connection.lastack + 256);
    assert_true(taken());
    assert_null(received);
    assert_int_equal(freed_frames, 1);
    assert_int_equal(outputs, 0);
    set_up(NULL);
    close_in_sent = true;
    give_three();
    frame.headers.tcp.ackno = lwip_htonl(connection.lastack + 256);
    assert_true(taken());
    assert_int_equal(removed, 1);
    assert_int_equal(errors, 1);
    assert_int_equal(freed_frames, 1);
    assert_int_equal(outputs, 0);
    set_up(NULL);
    connection.recv = NULL;
    assert_true(taken());
    assert_int_equal(freed_frames, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(data_in_order_is_given_to_the_program),  TEST(what_is_not_plain_is_left_to_lwip),
        TEST(what_was_not_predicted_is_left_to_lwip), TEST(acknowledgements_free_what_has_arrived),
        TEST(windows_grow_as_rfc_5681_says),          TEST(old_windows_are_not_taken),
        TEST(round_trips_end_without_news),           TEST(programs_may_refuse_close_and_abort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
