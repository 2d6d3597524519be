// The server on lwIP's raw API, by its altcp names so that TLS can come between. Runs under lwIP's core lock.
// SPDX-License-Identifier: MIT
//
// A connection stands in one of five queues, each in the order of entry, so that time-outs look at the first
// only, but for answers that the client is slow to take. What was received is parsed where it lies and
// forgotten; answers go from the image to the wire without a copy (short ones are copied once, since a second
// piece of a frame costs more than its bytes).
#include "server_raw.h"

#include "connection.h"
#include "text.h"

#include <lwip/altcp.h>
#include <lwip/altcp_tcp.h>
#include <lwip/pbuf.h>
#include <lwip/tcp.h>

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
    BODY_COPY_MAX = 1024, // longer bodies are sent from where they lie
    INPUT_MAX = 16384,    // bytes received but not looked at yet, of a client that does not take its answers
    INPUT_MIN = 2048,     // … of which that much is always taken
    INPUT_PIECES = 32,    // pieces of that before they are put together
    FRESH_SECONDS = 1,    // in which most clients have taken their answer
    DRAIN_SECONDS = 2,    // from when the client has all, and our end, to its own end
    BACKLOG = 255,        // connections that are just being opened
    SEGMENT_COST = 256,   // bytes of memory that lwIP takes for one segment that it sends from where it lies
    SEGMENT_MIN = 64,     // bytes in a segment, however small the client's window (toolchain/lwip)
};

_Static_assert(TCP_SND_BUF >= 2 * HTTP_RESPONSE_MAX,
               "an answer that is made in the buffer must fit a connection's send buffer");

struct server server;

const struct server_counters *server_counters_get(void)
{
    return &server.counters;
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

// From now on the least rate counts.
static void sending_begin(struct connection *c)
{
    queue_move(c, SENDING);
    c->taken = c->speed = 0;
    c->late = 0;
}

// ---- End of a connection
// ----------------------------------------------------------------------------------------------------

static void connection_free(struct connection *c)
{
    queue_remove(c);
    if (c->input != NULL)
        pbuf_free(c->input);
    client_leave(c->client);
    struct connection *last = server.all[--server.counters.open];
    server.all[last->number = c->number] = last;
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
// answer it with a reset, and that can overtake the answer. Until the client has all of that it stays ours:
// what lwIP keeps for a client that does not take it is then bounded in time and number.
static err_t connection_finish(struct connection *c)
{
    input_drop(c);
    if ((c->ended && c->queued == 0) || altcp_shutdown(c->pcb, 0, 1) != ERR_OK)
        return connection_close(c);
    c->shut = true;
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

// Bytes that lwIP puts into a segment: the client may want them small.
static size_t segment_size(const struct connection *c)
{
    const size_t largest = altcp_mss(c->pcb), half_window = c->pcb->snd_wnd_max / 2;
    const size_t size = half_window > SEGMENT_MIN ? half_window : SEGMENT_MIN;
    return size < largest ? size : largest;
}

// Bytes that lwIP may be given now to send from where they lie.
static size_t room_in_place(const struct connection *c)
{
    const size_t room = altcp_sndbuf(c->pcb), segment = segment_size(c);
    size_t most = share() / SEGMENT_COST * segment;
    if (most < 4 * segment)
        most = 4 * segment;
    if (most <= c->queued)
        return 0;
    return most - c->queued < room ? most - c->queued : room;
}

// Whether lwIP may be given a copy of that length: always when nothing of the connection is on its way, so
// that each gets on.
static bool room_for_copy(const struct connection *c, size_t length)
{
    if (length > altcp_sndbuf(c->pcb))
        return false;
    if (c->queued == 0)
        return true;
    const size_t segment = segment_size(c);
    return c->queued + length <= share() * segment / (segment + SEGMENT_COST);
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
    server.counters.requests[http_status_number(response.status)]++;
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
static struct pbuf *copied(struct pbuf *p)
{
    struct pbuf *copy = pbuf_clone(PBUF_RAW, PBUF_RAM, p);
    if (copy == NULL) // it stays where it is when memory is short
        return p;
    pbuf_free(p);
    return copy;
}

// Adds to input that waits. Pieces, which may be of one byte each, are put together now and then.
static void input_add(struct connection *c, struct pbuf *p)
{
    pbuf_cat(c->input, copied(p));
    if (pbuf_clen(c->input) >= INPUT_PIECES)
        c->input = copied(c->input);
}

// Bytes of it that may wait: less when memory is wanted by many.
static size_t input_most(void)
{
    const size_t most = share() / 2;
    return most < INPUT_MIN ? INPUT_MIN : most < INPUT_MAX ? most : INPUT_MAX;
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
        return connection_finish(c);
    altcp_output(c->pcb);
    if (blocked && c->input != NULL && !pbuf_match_type(c->input, PBUF_RAM))
        c->input = copied(c->input);
    if (c->queue == SENDING && (blocked || c->queued > 0))
        return ERR_OK; // its time goes on until the client has all
    if (blocked) {
        sending_begin(c);
    } else if (http_request_idle(&c->request)) {
        queue_move(c, FRESH);
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
        if (!c->shut)
            return connection_run(c);
        return c->queued > 0 ? ERR_OK : connection_close(c);
    }
    if (c->shut) {
        altcp_recved(pcb, p->tot_len);
        pbuf_free(p);
        return ERR_OK;
    }
    if (c->input == NULL)
        c->input = p;
    else if (c->input->tot_len + p->tot_len <= input_most())
        input_add(c, p);
    else
        return ERR_MEM; // lwIP keeps it and offers it again
    return connection_run(c);
}

// Apart, so that what most answers need takes no more than it needs.
static __attribute__((noinline)) err_t taken(struct connection *c, uint16_t length)
{
    c->taken += length;
    if (!c->shut)
        return connection_run(c);
    if (c->queued > 0)
        return ERR_OK;
    if (c->ended)
        return connection_close(c);
    if (c->queue == SENDING)
        queue_move(c, DRAINING);
    c->since = server.sweeps; // it has all: now it has some time to end its side
    return ERR_OK;
}

static err_t on_sent(void *arg, struct altcp_pcb *pcb, uint16_t length)
{
    struct connection *c = arg;
    (void)pcb;
    c->queued -= length < c->queued ? length : c->queued;
    return c->queue < SENDING ? ERR_OK : taken(c, length);
}

// lwIP has given the connection up (reset by the client, or no memory) and freed its own part.
static void on_error(void *arg, err_t error)
{
    (void)error;
    connection_free(arg);
}

// Closes the connection that will be missed least. Returns false when the new one is to give way.
static bool make_room(const struct client *newcomer)
{
    struct connection *c = connection_dispensable(newcomer);
    if (c == NULL)
        return false;
    if (c->queued == 0 && c->queue != READING && c->queue != SENDING)
        connection_close(c);
    else
        connection_abort(c);
    server.counters.evicted++;
    return true;
}

static struct connection *connection_new(struct altcp_pcb *pcb, struct client *client)
{
    struct connection *c = malloc(sizeof(*c));
    if (c == NULL)
        return NULL;
    memset(c, 0, offsetof(struct connection, request));
    c->pcb = pcb;
    c->client = client;
    c->number = (uint32_t)server.counters.open;
    server.all[c->number] = c;
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
    struct client *client = client_enter(altcp_get_ip(pcb, 0));
    const bool room = server.counters.open < server.options.connections || make_room(client);
    struct connection *c = room ? connection_new(pcb, client) : NULL;
    if (room && c == NULL && make_room(client)) // no memory
        c = connection_new(pcb, client);
    if (c == NULL) {
        client_leave(client);
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
    case SENDING:
        connection_abort(c);
        break;
    case FRESH:
    case IDLE:
    case DRAINING: // the client has all
    case QUEUES:
        connection_close(c);
        break;
    }
}

// The end of a connection's time in its queue, for those that may stay.
static bool goes_on(struct connection *c)
{
    const uint32_t since = c->since;
    if ((c->queue == FRESH || c->queue == DRAINING) && c->queued > 0) {
        sending_begin(c);
        return true;
    }
    if (c->queue != FRESH)
        return false;
    queue_move(c, IDLE);
    c->since = since;
    return true;
}

// A second more of an answer.
static void sending_look(struct connection *c)
{
    const uint64_t due = c->late + server.options.rate;
    c->late = due > c->taken ? due - c->taken : 0;
    c->speed = (c->speed + c->taken) / 2;
    c->taken = 0;
    if (c->late > (uint64_t)server.options.progress_seconds * server.options.rate)
        expire(c);
    else if (c->queued == 0) // it found no memory, and nothing is on its way that would bring us back
        connection_run(c);
}

void server_sweep(uint64_t now)
{
    const unsigned limits[QUEUES] = {
        [FRESH] = FRESH_SECONDS,
        [IDLE] = server.options.idle_seconds,
        [READING] = server.options.head_seconds,
        [SENDING] = UINT_MAX, // sending_look
        [DRAINING] = DRAIN_SECONDS,
    };
    text_date(server.date, now);
    server.sweeps++;
    for (unsigned name = 0; name < QUEUES; name++) {
        struct connection *c;
        while ((c = server.queues[name].first) != NULL && server.sweeps - c->since > limits[name]) {
            if (!goes_on(c))
                expire(c);
        }
    }
    struct connection *next;
    for (struct connection *c = server.queues[SENDING].first; c != NULL; c = next) {
        next = c->next;
        sending_look(c);
    }
}

int server_start(const struct site *site, const struct server_options *options, uint64_t now)
{
    server.site = site;
    server.options = *options;
    text_date(server.date, now);
    free(server.all);
    server.all = calloc(options->connections, sizeof(struct connection *));
    if (server.all == NULL || !clients_init(options->connections))
        return ERR_MEM;

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
