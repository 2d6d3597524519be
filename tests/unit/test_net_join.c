// Joined TCP segments, cut up again as a device does it, are the segments that lwIP alone would have sent.
// SPDX-License-Identifier: MIT
// @sources net/tcp/join.c tests/unit/net_join/tcp.c
// @includes tests/unit/net_join
#include "../../net/device/hooks.h"
#include "../../net/device/interface.h"
#include "../../net/tcp/express.h"

#include "net_join/tcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct bm_netdev device;
static struct bm_net_interface interface;
static bool no_memory, no_route;
static unsigned outputs, most_segments;

void *bm_net_allocate(size_t size)
{
    return no_memory ? NULL : malloc(size);
}

// As net/device/transmit.c does.
static void link(struct pbuf *frame)
{
    if (frame == bm_net_join_first && bm_net_join(&interface, frame))
        return;
    outputs++;
    wire_single(frame);
}

static void link_alone(struct pbuf *frame)
{
    wire_single(frame);
}

err_t bm_net_lwip_output(struct tcp_pcb *c)
{
    if (no_route)
        return -4;
    output(c, link);
    return ERR_OK;
}

err_t bm_net_frame_output(struct bm_net_interface *to, void *frame)
{
    assert_ptr_equal(to, &interface);
    assert_true((uintptr_t)frame & JOINED_TAG);
    struct bm_net_joined *joined = (struct bm_net_joined *)((char *)frame - JOINED_TAG);
    unsigned pieces = 0;
    assert_in_range(joined->count, 2, JOINED_MAX);
    assert_int_equal(joined->is_ip6, is_ip6);
    assert_int_equal(joined->header, is_ip6 ? 74 : 54);
    for (unsigned i = 0; i < joined->count; i++) {
        assert_int_equal(joined->segments[i]->ref, 2); // one is the device's
        pieces += pbuf_clen(joined->segments[i]);
    }
    assert_true(pieces <= BM_NETDEV_SEGMENTS_MAX);
    wire_joined(joined->segments, joined->count, joined->payload);
    for (unsigned i = 0; i < joined->count; i++)
        joined->segments[i]->ref--;
    if (joined->count > most_segments)
        most_segments = joined->count;
    outputs++;
    free(joined);
    return ERR_OK;
}

// The same segments for two connections: random data comes from the same seed.
static struct tcp_pcb *pair[2];

static void add(unsigned count, unsigned length, unsigned flags, unsigned pieces)
{
    while (count--) {
        unsigned seed = (unsigned)rand();
        for (unsigned i = 0; i < 2; i++) {
            srand(seed);
            segment_add(pair[i], length, flags, pieces);
        }
    }
}

static unsigned list_check(const struct tcp_seg *mine, const struct tcp_seg *theirs)
{
    unsigned count = 0;
    for (; mine && theirs; mine = mine->next, theirs = theirs->next, count++) {
        assert_int_equal(mine->tcphdr->seqno, theirs->tcphdr->seqno);
        assert_int_equal(mine->len, theirs->len);
        assert_int_equal(TCPH_FLAGS(mine->tcphdr) & ~TCP_PSH, TCPH_FLAGS(theirs->tcphdr) & ~TCP_PSH);
        assert_true(mine->p->ref == theirs->p->ref);
    }
    assert_null(mine);
    assert_null(theirs);
    return count;
}

// Sends both, one without joining: the wire and the connections cannot tell.
static void send_both(void)
{
    sent_count = outputs = 0;
    output(pair[1], link_alone);
    unsigned alone = sent_count;
    bm_net_join_output(pair[0]);
    assert_null(bm_net_join_first);
    assert_int_equal(sent_count, 2 * alone);
    for (unsigned i = 0; i < alone; i++) {
        assert_int_equal(sent[alone + i].sequence, sent[i].sequence);
        assert_int_equal(sent[alone + i].length, sent[i].length);
        assert_int_equal(sent[alone + i].flags, sent[i].flags);
        assert_memory_equal(sent[alone + i].data, sent[i].data, sent[i].length);
    }
    bool pushed[2] = {false, false};
    for (unsigned i = 0; i < 2 * alone; i++)
        pushed[i < alone] |= sent[i].pushed;
    assert_int_equal(pushed[0], pushed[1]); // perhaps later
    assert_false(alone && sent[alone - 1].pushed && !sent[2 * alone - 1].pushed);
    assert_int_equal(pair[0]->snd_nxt, pair[1]->snd_nxt);
    list_check(pair[0]->unacked, pair[1]->unacked);
    list_check(pair[0]->unsent, pair[1]->unsent);
}

static void fresh(void)
{
    for (unsigned i = 0; i < 2; i++) {
        if (pair[i])
            connection_free(pair[i]);
        pair[i] = connection_make();
    }
}

// Sends what was added and wants it in so many frames.
static void expect(unsigned frames)
{
    send_both();
    assert_int_equal(outputs, frames);
    fresh();
}

static int set_up(void **state)
{
    (void)state;
    device = (struct bm_netdev){.capabilities = BM_NETDEV_CHECKSUM_TX | BM_NETDEV_TSO4 | BM_NETDEV_TSO6};
    interface = (struct bm_net_interface){.device = &device};
    no_memory = no_route = is_ip6 = false;
    most_segments = 0;
    fresh();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        connection_free(pair[i]);
        pair[i] = NULL;
    }
    return 0;
}

static void segments_become_one_frame(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        is_ip6 = i;
        add(2, 1460, 0, 1);
        add(1, 1460, TCP_PSH, 1);
        add(3, 1460, 0, 1);
        expect(1);
        add(100, 1460, 0, 1); // 44 with 1,460 bytes are in 65,535
        expect(3);
        assert_int_equal(most_segments, 44);
        add(24, 1460, 0, 4); // 48 pieces in all
        expect(2);
    }
    add(100, 700, 0, 1);
    pair[0]->flags = pair[1]->flags = TF_NODELAY;
    expect(3);
    assert_int_equal(most_segments, JOINED_MAX);
}

static void the_last_of_a_frame_may_be_shorter(void **state)
{
    (void)state;
    add(2, 1460, 0, 1);
    add(1, 100, TCP_PSH, 1); // more follow, so it does not wait
    add(2, 1460, 0, 1);
    expect(2);
    add(2, 1400, 0, 1);
    add(1, 1460, 0, 1); // more than the first one
    expect(2);
    add(2, 1460, 0, 1);
    add(1, 100, 0, 1); // waits for an acknowledgement (RFC 896)
    expect(1);
    const unsigned urgent[] = {TF_NODELAY, TF_FIN};
    for (unsigned i = 0; i < 2; i++) {
        add(2, 1460, 0, 1);
        add(1, 100, 0, 1);
        pair[0]->flags = pair[1]->flags = (u16_t)urgent[i];
        expect(1);
    }
}

static void windows_are_kept(void **state)
{
    (void)state;
    for (unsigned window = 0; window < 6 * 1460; window += 365) {
        add(8, 1460, 0, 1);
        pair[0]->cwnd = pair[1]->cwnd = window;
        send_both();
        pair[0]->cwnd = pair[1]->cwnd = 10000;
        pair[0]->snd_wnd = pair[1]->snd_wnd = window + 1460;
        send_both();
        fresh();
    }
}

static void what_is_special_is_sent_alone(void **state)
{
    (void)state;
    const unsigned flags[] = {TCP_FIN, TCP_SYN, TCP_URG};
    for (unsigned i = 0; i < 3; i++) {
        add(2, 1460, 0, 1);
        add(2, 1460, flags[i], 1);
        add(2, 1460, 0, 1);
        expect(5); // what is behind them lwIP sends, too
    }
    add(6, 1460, 0, 1);
    for (unsigned i = 0; i < 2; i++)
        pair[i]->unsent->next->next->flags = 8; // lwIP puts an option in
    expect(5);
    add(6, 1460, 0, 1);
    for (unsigned i = 0; i < 2; i++)
        pair[i]->unsent->next->next->p->ref = 2; // the device has it still
    expect(4);
    add(6, 1460, 0, 1);
    for (unsigned i = 0; i < 2; i++) { // could not be sent before, but has got its headers
        struct pbuf *p = pair[i]->unsent->next->next->p;
        p->payload = (u8_t *)p->payload - 34;
        p->len = (u16_t)(p->len + 34);
        p->tot_len = (u16_t)(p->tot_len + 34);
    }
    expect(5);
    add(6, 1460, 0, 1); // sent again: lwIP has moved the first three back
    send_both();
    for (unsigned i = 0; i < 2; i++) {
        pair[i]->unsent = pair[i]->unacked;
        pair[i]->unacked = NULL;
    }
    expect(6);
    add(6, 1460, 0, 1);
    for (unsigned i = 0; i < 2; i++) { // what lay between was sent and is on its way
        struct tcp_seg *third = pair[i]->unsent->next->next;
        third->tcphdr->seqno = lwip_htonl(lwip_ntohl(third->tcphdr->seqno) + 1);
    }
    send_both();
    assert_true(outputs > 1);
}

static void devices_get_what_they_can_cut(void **state)
{
    (void)state;
    is_ip6 = true;
    device.capabilities &= ~(uint32_t)BM_NETDEV_TSO6;
    add(3, 1460, 0, 1);
    expect(3);
    is_ip6 = false;
    add(3, 1460, 0, 1);
    expect(1);
    device.capabilities = BM_NETDEV_CHECKSUM_TX | BM_NETDEV_TSO6;
    add(3, 1460, 0, 1);
    expect(3);
    is_ip6 = true;
    add(3, 1460, 0, 1);
    expect(1);
}

static void without_memory_room_or_route(void **state)
{
    (void)state;
    no_memory = true;
    add(5, 1460, 0, 1);
    expect(5);
    no_memory = false;
    interface.waiting = INTERFACE_QUEUE_MAX; // whoever is told that it was sent must have a place
    add(5, 1460, 0, 1);
    expect(5);
    interface.waiting = 0;
    no_route = true;
    add(5, 1460, 0, 1);
    bm_net_join_output(pair[0]);
    assert_null(pair[0]->unacked);
    assert_int_equal(list_check(pair[0]->unsent, pair[1]->unsent), 5);
    no_route = false;
    expect(1);
}

static void any_mixture_comes_out_as_it_was(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 300; round++) {
        srand(round);
        is_ip6 = rand() % 2;
        fresh();
        for (unsigned step = 0; step < 6; step++) {
            for (unsigned i = (unsigned)rand() % 30; i; i--)
                add(1, rand() % 6 ? 1440 : 1 + (unsigned)rand() % 1440,
                    (unsigned)(rand() % 40 ? rand() & TCP_PSH : rand() & 63),
                    rand() % 4 ? 1 : 1 + (unsigned)rand() % 4);
            u32_t window = (u32_t)rand() % 100000, flags = rand() % 3 ? 0 : TF_NODELAY;
            for (unsigned i = 0; i < 2; i++) {
                pair[i]->cwnd = window;
                pair[i]->flags = (u16_t)flags;
            }
            send_both();
        }
    }
    assert_true(most_segments > 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(segments_become_one_frame),
        TEST(the_last_of_a_frame_may_be_shorter),
        TEST(windows_are_kept),
        TEST(what_is_special_is_sent_alone),
        TEST(devices_get_what_they_can_cut),
        TEST(without_memory_room_or_route),
        TEST(any_mixture_comes_out_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
