// What is seen of a run, event by event: written down in the first run, compared in the second.
// SPDX-License-Identifier: MIT
#include "diary.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lwip/priv/tcp_priv.h"

enum { NOTES_MAX = 1 << 17 };

struct note {
    unsigned event;
    const char *what;
    uint64_t value;
};
// Each has notes of its own: in which order the timers serve the connections is nobody's business.
static struct {
    struct note notes[NOTES_MAX];
    unsigned count, read;
} diaries[CONNECTIONS + 1];
static bool comparing;
static unsigned event;
static const char *event_name;

void diary_start(bool compare)
{
    comparing = compare;
    event = 0;
    event_name = "start";
    for (unsigned i = 0; i <= CONNECTIONS; i++) {
        diaries[i].read = 0;
        if (!compare)
            diaries[i].count = 0;
    }
}

void diary_event(const char *name)
{
    event++;
    event_name = name;
}

_Noreturn void diary_fail(const char *sentence)
{
    fprintf(stderr, "event %u (%s): %s\n", event, event_name, sentence);
    abort();
}

static _Noreturn void differs(unsigned whom, const char *sentence)
{
    char text[200], whose[24] = "outside of connections";
    if (whom < CONNECTIONS)
        snprintf(whose, sizeof whose, "connection %u", whom);
    snprintf(text, sizeof text, "%s: %s", whose, sentence);
    diary_fail(text);
}

static void compare(unsigned whom, const char *what, uint64_t value)
{
    char text[160];
    const struct note *note = &diaries[whom].notes[diaries[whom].read];
    if (diaries[whom].read++ == diaries[whom].count || note->event != event) {
        snprintf(text, sizeof text, "%s is %" PRIu64 " by the fast path, lwIP has nothing of it", what,
                 value);
        differs(whom, text);
    }
    if (note->what != what) {
        snprintf(text, sizeof text, "the fast path has %s %" PRIu64 " where lwIP has %s %" PRIu64, what,
                 value, note->what, note->value);
        differs(whom, text);
    }
    if (note->value != value) {
        snprintf(text, sizeof text, "%s is %" PRIu64 " by the fast path, %" PRIu64 " by lwIP", what, value,
                 note->value);
        differs(whom, text);
    }
}

void diary_note(unsigned whom, const char *what, uint64_t value)
{
    if (comparing) {
        compare(whom, what, value);
        return;
    }
    if (diaries[whom].count == NOTES_MAX)
        diary_fail("the diary is full; NOTES_MAX is too low for @max_len");
    diaries[whom].notes[diaries[whom].count++] = (struct note){event, what, value};
}

void diary_event_end(void)
{
    for (unsigned i = 0; comparing && i <= CONNECTIONS; i++) {
        const struct note *note = &diaries[i].notes[diaries[i].read];
        if (diaries[i].read == diaries[i].count || note->event != event)
            continue;
        char text[160];
        snprintf(text, sizeof text, "%s is %" PRIu64 " by lwIP, the fast path has nothing of it", note->what,
                 note->value);
        differs(i, text);
    }
}

static unsigned word_bytes(unsigned count)
{
    return count < sizeof(uint64_t) ? count : sizeof(uint64_t);
}

uint64_t diary_hash(uint64_t so_far, const void *bytes, unsigned count)
{
    const char *at = bytes;
    uint64_t hash = (so_far ^ 0xcbf29ce484222325) + count, word;
    for (; count; at += word_bytes(count), count -= word_bytes(count)) {
        word = 0;
        memcpy(&word, at, word_bytes(count));
        hash = (hash ^ word) * 0x9e3779b97f4a7c15;
        hash ^= hash >> 29;
    }
    return hash;
}

#define FIELD(name)                                                                                          \
    {                                                                                                        \
#name, offsetof(struct tcp_pcb, name), sizeof((struct tcp_pcb *)0)->name                             \
    }

// All numbers of a control block but the mark that lwIP's timers set when they have looked at it.
static const struct {
    const char *name;
    size_t offset, size;
} fields[] = {
    FIELD(state),
    FIELD(flags),
    FIELD(rcv_nxt),
    FIELD(rcv_wnd),
    FIELD(rcv_ann_wnd),
    FIELD(snd_nxt),
    FIELD(lastack),
    FIELD(rcv_ann_right_edge),
    FIELD(snd_wnd),
    FIELD(snd_wnd_max),
    FIELD(snd_wl1),
    FIELD(snd_wl2),
    FIELD(snd_lbb),
    FIELD(snd_buf),
    FIELD(snd_queuelen),
    FIELD(unsent_oversize),
    FIELD(cwnd),
    FIELD(ssthresh),
    FIELD(bytes_acked),
    FIELD(dupacks),
    FIELD(rtime),
    FIELD(rttest),
    FIELD(rtseq),
    FIELD(sa),
    FIELD(sv),
    FIELD(rto),
    FIELD(nrtx),
    FIELD(rto_end),
    FIELD(mss),
    FIELD(polltmr),
    FIELD(pollinterval),
    FIELD(tmr),
    FIELD(keep_cnt_sent),
    FIELD(persist_cnt),
    FIELD(snd_scale),
    FIELD(rcv_scale),
    FIELD(persist_backoff),
    FIELD(persist_probe),
    FIELD(netif_idx),
};

// ACK is left out: lwIP sets it when it sends the segment, the fast path earlier.
static void queue_note(unsigned whom, const char *what, const struct tcp_seg *segment)
{
    uint64_t hash = 0;
    for (; segment; segment = segment->next) {
        u32_t words[] = {segment->len, segment->flags, segment->p->tot_len - segment->len,
                         segment->tcphdr->seqno, TCPH_FLAGS(segment->tcphdr) & ~(unsigned)TCP_ACK};
        hash = diary_hash(hash, words, sizeof words);
    }
    diary_note(whom, what, hash);
}

void diary_state(unsigned whom, const struct tcp_pcb *connection)
{
    diary_note(whom, "whether it exists", connection != NULL);
    if (!connection)
        return;
    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++) {
        uint64_t value = 0; // of a little-endian machine
        memcpy(&value, (const char *)connection + fields[i].offset, fields[i].size);
        diary_note(whom, fields[i].name, value);
    }
    diary_note(whom, "SACK", diary_hash(0, connection->rcv_sacks, sizeof connection->rcv_sacks));
    diary_note(whom, "refused data", connection->refused_data ? connection->refused_data->tot_len : 0);
    queue_note(whom, "the queue of unsent segments", connection->unsent);
    queue_note(whom, "the queue of unacknowledged segments", connection->unacked);
    queue_note(whom, "the queue of segments out of order", connection->ooseq);
}
