// The server on lwIP's raw API, by its altcp names so that TLS can come between. Runs under lwIP's core lock.
// SPDX-License-Identifier: MIT
//
// A connection stands in one of four queues, each in the order of entry, so that time-outs and the choice of
// whom to close look at the first only. What was received is parsed where it lies and forgotten; answers go
// from the image to the wire without a copy (short ones are copied once, since a second piece of a frame
// costs more than its bytes).
#include "server_raw.h"

#include "http_protocol.h"
#include "text.h"

#include <lwip/altcp.h>
#include <lwip/altcp_tcp.h>
#include <lwip/pbuf.h>
#include <lwip/tcp.h>

#include <stdlib.h>
#include <string.h>

enum {
    BODY_COPY_MAX = 1024, // longer bodies are sent from where they lie
    INPUT_MAX = 16384,    // bytes received but not looked at yet, of a client that does not take its answers
    DRAIN_SECONDS = 2,    // from our end of a connection to the client's
    BACKLOG = 255,        // connections that are just being opened
    SEGMENT_COST = 256    // bytes of memory that lwIP takes for one segment that it sends from where it lies
};

_Static_assert(TCP_SND_BUF >= 2 * HTTP_RESPONSE_MAX,
               "an answer that is made in the buffer must fit a connection's send buffer");

enum queue_name { IDLE, READING, SENDING, DRAINING, QUEUES };

struct connection {
    struct altcp_pcb *pcb;
    struct connection *next, *previous; // in its queue
    struct pbuf *input;                 // received, not looked at
    uint16_t input_offset;              // bytes of its first buffer that were
    uint8_t queue;
    bool ended;       // the client has ended its side
    bool closing;     // after this answer
    uint32_t since;   // number of the sweep after which it entered its queue
    uint32_t queued;  // bytes that lwIP has taken and the client has not
    const char *body; // of the answer being sent: what lwIP has not taken yet
    size_t body_length;
    struct http_request request;
};

struct queue {
    struct connection *first, *last;
};

static struct {
    const struct site *site;
    struct server_options options;
    struct server_counters counters;
    struct queue queues[QUEUES];
    uint32_t sweeps; // one a second
    char date[TEXT_DATE_LENGTH];
    char answer[HTTP_RESPONSE_MAX];
} server;

static const uint16_t statuses[SERVER_STATUSES] = {200, 304, 404, 400, 405, 408, 413,
                                                   414, 417, 431, 500, 501, 505};

unsigned server_status(unsigned i)
{
    return statuses[i];
}

const struct server_counters *server_counters_get(void)
{
    return &server.counters;
}

static void count(unsigned status)
{
    unsigned i = 0;
    while (i < SERVER_STATUSES - 1 && statuses[i] != status)
        i++;
    server.counters.requests[i]++;
}

// ---- Queues
// -----------------------------------------------------------------------------------------------------------------

static void queue_remove(struct connection *c)
{
    struct queue *queue = &server.queues[c->queue];
    *(c->previous != NULL ? &c->previous->next : &queue->first) = c->next;
    *(c->next != NULL ? &c->next->previous : &queue->last) = c->previous;
}

static void queue_append(struct connection *c, enum queue_name name)
{
    struct queue *queue = &server.queues[name];
    c->queue = (uint8_t)name;
    c->since = server.sweeps;
    c->next = NULL;
    c->previous = queue->last;
    *(queue->last != NULL ? &queue->last->next : &queue->first) = c;
    queue->last = c;
}

static void queue_move(struct connection *c, enum queue_name name)
{
    queue_remove(c);
    queue_append(c, name);
}

// ---- End of a connection
// ----------------------------------------------------------------------------------------------------

static void connection_free(struct connection *c)
{
    queue_remove(c);
    if (c->input != NULL)
        pbuf_free(c->input);
    server.counters.open--;
    free(c);
}

// Lets go of lwIP's side: no callback comes after it.
static struct altcp_pcb *connection_detach(struct connection *c)
{
    struct altcp_pcb *pcb = c->pcb;
    altcp_arg(pcb, NULL);
    altcp_recv(pcb, NULL);
    altcp_sent(pcb, NULL);
    altcp_err(pcb, NULL);
    return pcb;
}

// Not from the connection's own callbacks: those would have to tell lwIP (ERR_ABRT).
static void connection_abort(struct connection *c)
{
    altcp_abort(connection_detach(c));
    connection_free(c);
}

// Ends it in peace: lwIP sends what it has taken, then FIN.
// Returns what the callback that led here is to return.
static err_t connection_close(struct connection *c)
{
    struct altcp_pcb *pcb = connection_detach(c);
    connection_free(c);
    if (altcp_close(pcb) == ERR_OK)
        return ERR_OK;
    altcp_abort(pcb);
    return ERR_ABRT;
}

static void input_drop(struct connection *c)
{
    if (c->input == NULL)
        return;
    altcp_recved(c->pcb, c->input->tot_len);
    pbuf_free(c->input);
    c->input = NULL;
    c->input_offset = 0;
}

// Ends our side. What the client still sends is thrown away until it ends its own: closing at once would
// answer it with a reset, and that can overtake the answer.
static err_t connection_finish(struct connection *c)
{
    input_drop(c);
    if (c->ended || altcp_shutdown(c->pcb, 0, 1) != ERR_OK)
        return connection_close(c);
    queue_move(c, DRAINING);
    return ERR_OK;
}

// ---- Answers
// ----------------------------------------------------------------------------------------------------------------

// A connection's share of the memory for answers on their way. Clients that do not take theirs must not use
// up all of it.
static size_t share(void)
{
    return server.options.send_memory / (server.counters.open + 1);
}

// Bytes that lwIP may be given now to send from where they lie.
static size_t room_in_place(const struct connection *c)
{
    const size_t room = altcp_sndbuf(c->pcb);
    size_t most = share() / SEGMENT_COST * TCP_MSS;
    if (most < 4 * TCP_MSS)
        most = 4 * TCP_MSS;
    if (most <= c->queued)
        return 0;
    return most - c->queued < room ? most - c->queued : room;
}

// Whether lwIP may be given a copy of that length: always when nothing of the connection is on its way, so
// that each gets on.
static bool room_for_copy(const struct connection *c, size_t length)
{
    return length <= altcp_sndbuf(c->pcb) && (c->queued == 0 || c->queued + length <= share());
}

// Gives lwIP what it takes of the body. Returns whether that was all of it.
static bool body_push(struct connection *c)
{
    while (c->body_length > 0) {
        size_t piece = room_in_place(c);
        if (piece > c->body_length)
            piece = c->body_length;
        if (piece > UINT16_MAX)
            piece = UINT16_MAX;
        err_t error = ERR_MEM;
        while (piece > 0 && error == ERR_MEM) { // its queue of segments may be shorter than its send buffer
            error = altcp_write(c->pcb, c->body, (uint16_t)piece,
                                piece < c->body_length ? TCP_WRITE_FLAG_MORE : 0);
            if (error == ERR_MEM)
                piece = piece > altcp_mss(c->pcb) ? piece / 2 : 0;
        }
        if (error != ERR_OK || piece == 0)
            return false;
        c->body += piece;
        c->body_length -= piece;
        c->queued += (uint32_t)piece;
        server.counters.sent += piece;
    }
    return true;
}

// Makes the answer of a request that is done and gives it to lwIP. Returns false when there is no room for it
// now; it is then made anew later.
static bool answer(struct connection *c)
{
    struct http_response response =
        http_response_make(&c->request, server.date, server.answer, sizeof(server.answer));
    size_t length = response.head_length;
    if (response.body_length > 0 && response.body_length <= BODY_COPY_MAX) {
        memcpy(server.answer + length, response.body, response.body_length);
        length += response.body_length;
        response.body_length = 0;
    }
    if (!room_for_copy(c, length))
        return false;
    const uint8_t flags = TCP_WRITE_FLAG_COPY | (response.body_length > 0 ? TCP_WRITE_FLAG_MORE : 0);
    if (altcp_write(c->pcb, server.answer, (uint16_t)length, flags) != ERR_OK)
        return false;
    count(response.status);
    server.counters.sent += length;
    c->queued += (uint32_t)length;
    c->body = response.body;
    c->body_length = response.body_length;
    c->closing = response.close;
    http_request_reset(&c->request);
    return true;
}

// Parses from the first buffer of the input and lets go of it once it is used up.
static void feed(struct connection *c)
{
    struct pbuf *p = c->input;
    const char *bytes = (const char *)p->payload + c->input_offset;
    c->input_offset =
        (uint16_t)(c->input_offset + http_request_feed(&c->request, bytes, (size_t)p->len - c->input_offset));
    if (c->input_offset < p->len)
        return;
    altcp_recved(c->pcb, p->len);
    c->input_offset = 0;
    c->input = p->next;
    p->next = NULL;
    p->tot_len = p->len;
    pbuf_free(p);
}

// Input that must wait is moved out of the network device's receive buffers: a few clients that do not read
// could hold all of them.
static void input_hold(struct connection *c)
{
    const bool in_heap = c->input->next == NULL && pbuf_match_type(c->input, PBUF_RAM);
    if (!in_heap)
        c->input = pbuf_coalesce(c->input, PBUF_RAW); // stays as it is when memory is short
}

// Does all that can be done now: sends, parses, answers. Returns what the calling callback is to return; the
// connection may be gone.
static err_t connection_run(struct connection *c)
{
    bool blocked = false;
    while (!blocked) {
        if (c->body_length > 0)
            blocked = !body_push(c);
        else if (c->closing)
            return connection_finish(c);
        else if (c->request.done)
            blocked = !answer(c);
        else if (c->input != NULL)
            feed(c);
        else
            break;
    }
    if (!blocked && c->ended)
        return connection_close(c);
    altcp_output(c->pcb);
    if (blocked) {
        if (c->input != NULL)
            input_hold(c);
        if (c->queue != SENDING)
            queue_move(c, SENDING);
    } else if (http_request_idle(&c->request)) {
        queue_move(c, IDLE);
    } else if (c->queue != READING) {
        queue_move(c, READING);
    }
    return ERR_OK;
}

// ---- What lwIP calls
// --------------------------------------------------------------------------------------------------------

static err_t on_received(void *arg, struct altcp_pcb *pcb, struct pbuf *p, err_t error)
{
    struct connection *c = arg;
    (void)error; // always ERR_OK in lwIP 2.2
    if (p == NULL) {
        c->ended = true;
        return c->queue == DRAINING ? connection_close(c) : connection_run(c);
    }
    if (c->queue == DRAINING) {
        altcp_recved(pcb, p->tot_len);
        pbuf_free(p);
        return ERR_OK;
    }
    if (c->input == NULL)
        c->input = p;
    else if (c->input->tot_len + p->tot_len <= INPUT_MAX)
        pbuf_cat(c->input, p);
    else
        return ERR_MEM; // lwIP keeps it and offers it again
    return connection_run(c);
}

static err_t on_sent(void *arg, struct altcp_pcb *pcb, uint16_t length)
{
    struct connection *c = arg;
    (void)pcb;
    c->queued -= length < c->queued ? length : c->queued; // our FIN counts as a byte there
    if (c->queue != SENDING)
        return ERR_OK;
    queue_move(c, SENDING); // the client takes something: its time begins anew
    return connection_run(c);
}

// lwIP has given the connection up (reset by the client, or no memory) and freed its own part.
static void on_error(void *arg, err_t error)
{
    (void)error;
    connection_free(arg);
}

// Closes the connection that will be missed least. Returns false when all of them are busy.
static bool make_room(void)
{
    struct connection *c = server.queues[IDLE].first;
    if (c != NULL) {
        connection_close(c);
    } else {
        c = server.queues[DRAINING].first != NULL ? server.queues[DRAINING].first
                                                  : server.queues[READING].first;
        if (c == NULL)
            return false;
        connection_abort(c);
    }
    server.counters.evicted++;
    return true;
}

static struct connection *connection_new(struct altcp_pcb *pcb)
{
    struct connection *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return NULL;
    c->pcb = pcb;
    http_request_init(&c->request, server.site);
    queue_append(c, IDLE);
    server.counters.accepted++;
    server.counters.open++;
    return c;
}

static err_t on_accepted(void *arg, struct altcp_pcb *pcb, err_t error)
{
    (void)arg;
    if (error != ERR_OK || pcb == NULL) { // no memory for it
        server.counters.refused++;
        return ERR_VAL;
    }
    struct connection *c = NULL;
    if (server.counters.open < server.options.connections || make_room())
        c = connection_new(pcb);
    if (c == NULL && make_room())
        c = connection_new(pcb);
    if (c == NULL) {
        server.counters.refused++;
        return ERR_MEM;
    }
    altcp_arg(pcb, c);
    altcp_recv(pcb, on_received);
    altcp_sent(pcb, on_sent);
    altcp_err(pcb, on_error);
    altcp_setprio(
        pcb,
        TCP_PRIO_MIN); // without memory for a new one lwIP gives up the one that has been silent for longest
    altcp_nagle_disable(pcb); // answers are complete when they are given to lwIP: nothing to wait for
    return ERR_OK;
}

// ---- Time
// -------------------------------------------------------------------------------------------------------------------

static void expire(struct connection *c)
{
    server.counters.expired++;
    switch ((enum queue_name)c->queue) {
    case READING: // half a request: told so
        http_request_expire(&c->request);
        connection_run(c);
        break;
    case IDLE:
        connection_close(c);
        break;
    case SENDING:
    case DRAINING:
    case QUEUES:
        connection_abort(c);
        break;
    }
}

void server_sweep(uint64_t now)
{
    const unsigned limits[QUEUES] = {
        [IDLE] = server.options.idle_seconds,
        [READING] = server.options.head_seconds,
        [SENDING] = server.options.progress_seconds,
        [DRAINING] = DRAIN_SECONDS,
    };
    text_date(server.date, now);
    server.sweeps++;
    for (unsigned name = 0; name < QUEUES; name++) {
        struct connection *c;
        while ((c = server.queues[name].first) != NULL && server.sweeps - c->since > limits[name])
            expire(c);
    }
    // An answer that found no memory is tried again even if nothing of the connection is on its way.
    struct connection *next;
    for (struct connection *c = server.queues[SENDING].first; c != NULL; c = next) {
        next = c->next;
        connection_run(c);
    }
}

int server_start(const struct site *site, const struct server_options *options, uint64_t now)
{
    server.site = site;
    server.options = *options;
    text_date(server.date, now);

    struct altcp_pcb *pcb = altcp_new_ip_type(NULL, IPADDR_TYPE_ANY);
    if (pcb == NULL)
        return ERR_MEM;
    err_t error = altcp_bind(pcb, IP_ANY_TYPE, (uint16_t)options->port);
    struct altcp_pcb *listener = NULL;
    if (error == ERR_OK)
        listener = altcp_listen_with_backlog_and_err(pcb, BACKLOG, &error);
    if (listener == NULL) {
        altcp_close(pcb);
        return error;
    }
    altcp_accept(listener, on_accepted);
    return ERR_OK;
}
