// The program whose connections these are: what it does in its callbacks and outside of them.
// SPDX-License-Identifier: MIT
#include "program.h"

#include "diary.h"
#include "machine.h"

#include <stdlib.h>
#include <string.h>

#include "lwip/priv/tcp_priv.h"

enum { TEXT = 1 << 15 };

struct plan {
    uint8_t action, amount;
};
static struct connection {
    bool open; // the program has it: neither closed nor told of its end
    uint8_t options;
    unsigned unread; // bytes of which lwIP was not told yet
    struct plan plans[MOMENTS];
} connections[CONNECTIONS];
static uint8_t text[TEXT]; // what it writes

static unsigned number_of(const struct connection *connection)
{
    return (unsigned)(connection - connections);
}

struct tcp_pcb *program_connection(unsigned number)
{
    struct tcp_pcb *lists[] = {tcp_active_pcbs, tcp_tw_pcbs};
    for (unsigned i = 0; i < 2; i++)
        for (struct tcp_pcb *c = lists[i]; c; c = c->next)
            if (c->remote_port == PEER_PORT + number)
                return c;
    return NULL;
}

static struct tcp_pcb *open_one(struct connection *connection)
{
    struct tcp_pcb *c = connection->open ? program_connection(number_of(connection)) : NULL;
    return c && c->callback_arg == connection ? c : NULL;
}

static void write_some(struct connection *connection, struct tcp_pcb *c, uint8_t amount, u8_t flags)
{
    unsigned length = amount < 128 ? amount : (amount - 127u) * 180;
    const uint8_t *data = text + c->snd_lbb % 8192; // that each byte of the stream is another one
    diary_note(number_of(connection), "what tcp_write returns",
               (uint8_t)tcp_write(c, data, (u16_t)length, flags));
}

static void read_told(struct connection *connection, struct tcp_pcb *c, unsigned bytes)
{
    bytes = bytes < connection->unread ? bytes : connection->unread;
    connection->unread -= bytes;
    for (; bytes; bytes -= LWIP_MIN(bytes, 0xffffu))
        tcp_recved(c, (u16_t)LWIP_MIN(bytes, 0xffffu));
}

static void end(struct connection *connection, err_t answer)
{
    diary_note(number_of(connection), "what closing returns", (uint8_t)answer);
    if (answer == ERR_OK)
        connection->open = false;
}

enum action {
    ACTION_NONE,
    ACTION_WRITE,
    ACTION_WRITE_MORE,
    ACTION_WRITE_BY_REFERENCE,
    ACTION_WRITE_AND_OUTPUT,
    ACTION_OUTPUT,
    ACTION_READ,
    ACTION_NODELAY,
    ACTION_DELAY,
    ACTION_REFUSE, // received data; else nothing
    ACTION_SHUT_WRITE,
    ACTION_SHUT_READ,
    ACTION_SHUT,
    ACTION_CLOSE,
    ACTION_ABORT,
    ACTION_POLL,
    ACTION_DEAF, // no longer called when data comes or has been sent
    ACTION_BIND, // to an interface, perhaps to one that is not there
    ACTION_KEEPALIVE,
    ACTION_SERVICE,
    ACTIONS
};

static err_t set(struct tcp_pcb *c, enum action action, uint8_t amount)
{
    switch (action) {
    case ACTION_NODELAY:
        tcp_nagle_disable(c);
        break;
    case ACTION_DELAY:
        tcp_nagle_enable(c);
        break;
    case ACTION_POLL:
        c->pollinterval = amount;
        break;
    case ACTION_DEAF:
        tcp_recv(c, NULL);
        tcp_sent(c, NULL);
        break;
    case ACTION_BIND:
        c->netif_idx = amount % 3;
        break;
    case ACTION_KEEPALIVE:
        ip_set_option(c, SOF_KEEPALIVE);
        c->keep_idle = c->keep_intvl = amount * 10u;
        break;
    default:
        c->tos = c->ttl = amount | 1;
    }
    return ERR_OK;
}

// Returns what a callback is to return.
static err_t end_by(struct connection *connection, struct tcp_pcb *c, enum action action)
{
    switch (action) {
    case ACTION_SHUT_WRITE:
        diary_note(number_of(connection), "what tcp_shutdown returns", (uint8_t)tcp_shutdown(c, 0, 1));
        return ERR_OK;
    case ACTION_SHUT_READ:
        diary_note(number_of(connection), "what tcp_shutdown returns", (uint8_t)tcp_shutdown(c, 1, 0));
        return ERR_OK;
    case ACTION_SHUT:
        end(connection, tcp_shutdown(c, 1, 1));
        return ERR_OK;
    case ACTION_CLOSE:
        end(connection, tcp_close(c));
        return ERR_OK;
    default:
        tcp_abort(c);
        return ERR_ABRT;
    }
}

static err_t act(struct connection *connection, struct tcp_pcb *c, enum action action, uint8_t amount)
{
    switch (action) {
    case ACTION_WRITE:
        write_some(connection, c, amount, TCP_WRITE_FLAG_COPY);
        return ERR_OK;
    case ACTION_WRITE_MORE:
        write_some(connection, c, amount, TCP_WRITE_FLAG_COPY | TCP_WRITE_FLAG_MORE);
        return ERR_OK;
    case ACTION_WRITE_BY_REFERENCE:
        write_some(connection, c, amount, 0);
        return ERR_OK;
    case ACTION_WRITE_AND_OUTPUT:
        write_some(connection, c, amount, TCP_WRITE_FLAG_COPY);
        // fall through
    case ACTION_OUTPUT:
        diary_note(number_of(connection), "what tcp_output returns", (uint8_t)tcp_output(c));
        return ERR_OK;
    case ACTION_READ:
        read_told(connection, c, amount * 1024u);
        return ERR_OK;
    case ACTION_SHUT_WRITE:
    case ACTION_SHUT_READ:
    case ACTION_SHUT:
    case ACTION_CLOSE:
    case ACTION_ABORT:
        return end_by(connection, c, action);
    case ACTION_NONE:
    case ACTION_REFUSE:
    case ACTIONS:
        return ERR_OK;
    default:
        return set(c, action, amount);
    }
}

// The upper half of actions is for the other connection; but not in what the timers call, who serve first
// whom lwIP found last: that differs between the two ways.
static err_t act_somewhere(struct connection *connection, struct tcp_pcb *c, struct plan plan)
{
    enum action action = plan.action % ACTIONS;
    if (plan.action < 128)
        return connection->open ? act(connection, c, action, plan.amount) : ERR_OK;
    if (tcp_input_pcb)
        program_act(!number_of(connection), action, plan.amount);
    return ERR_OK;
}

static struct plan plan_take(struct connection *connection, enum program_moment moment)
{
    struct plan plan = connection->plans[moment];
    connection->plans[moment] = (struct plan){ACTION_NONE, 0};
    return plan;
}

static void data_note(unsigned number, const struct pbuf *buffers)
{
    uint64_t hash = 0;
    for (const struct pbuf *buffer = buffers; buffer; buffer = buffer->next)
        hash = diary_hash(hash, buffer->payload, buffer->len);
    diary_note(number, "the length of data that the program gets", buffers->tot_len);
    diary_note(number, "data that the program gets", hash);
    diary_note(number, "the flags of data that the program gets", buffers->flags);
    diary_note(number, "the interface of data that the program gets", buffers->if_idx);
}

static err_t on_received(void *arg, struct tcp_pcb *c, struct pbuf *buffers, err_t error)
{
    struct connection *connection = arg;
    unsigned number = number_of(connection);
    struct plan plan = plan_take(connection, MOMENT_RECEIVED);
    diary_note(number, "a call of the program with", buffers ? buffers->tot_len : 0);
    diary_note(number, "the error that the program gets with data", (uint8_t)error);
    if (!buffers)
        return act_somewhere(connection, c, plan);
    data_note(number, buffers);
    if (plan.action % ACTIONS == ACTION_REFUSE)
        return ERR_MEM;
    connection->unread += buffers->tot_len;
    pbuf_free(buffers);
    if (connection->open && !(connection->options & OPTION_LAZY))
        read_told(connection, c, connection->unread);
    return act_somewhere(connection, c, plan);
}

static err_t on_sent(void *arg, struct tcp_pcb *c, u16_t length)
{
    struct connection *connection = arg;
    diary_note(number_of(connection), "the bytes that the program hears of as sent", length);
    return act_somewhere(connection, c, plan_take(connection, MOMENT_SENT));
}

static err_t on_poll(void *arg, struct tcp_pcb *c)
{
    struct connection *connection = arg;
    diary_note(number_of(connection), "a poll of the program", 1);
    return act_somewhere(connection, c, plan_take(connection, MOMENT_POLLED));
}

static void on_error(void *arg, err_t error)
{
    struct connection *connection = arg;
    if (!connection)
        return;
    diary_note(number_of(connection), "the error that ends the connection", (uint8_t)error);
    connection->open = false;
}

static err_t on_accept(void *arg, struct tcp_pcb *c, err_t error)
{
    (void)arg;
    unsigned number = c ? c->remote_port - PEER_PORT : CONNECTIONS;
    if (error != ERR_OK || number >= CONNECTIONS)
        return ERR_VAL;
    struct connection *connection = &connections[number];
    *connection = (struct connection){.open = true, .options = connection->options};
    tcp_arg(c, connection);
    tcp_recv(c, on_received);
    tcp_sent(c, on_sent);
    tcp_poll(c, on_poll, 8);
    tcp_err(c, on_error);
    if (connection->options & OPTION_NODELAY)
        tcp_nagle_disable(c);
    return ERR_OK;
}

void program_start(void)
{
    for (unsigned i = 0; i < TEXT; i++)
        text[i] = (uint8_t)(i * 7 + (i >> 8));
    struct tcp_pcb *c = tcp_new();
    ip_addr_t any = IPADDR4_INIT(0);
    if (!c || tcp_bind(c, &any, LOCAL_PORT) != ERR_OK || !(c = tcp_listen(c)))
        abort();
    tcp_accept(c, on_accept);
}

void program_reset(const uint8_t options[])
{
    for (unsigned i = 0; i < CONNECTIONS; i++)
        connections[i] = (struct connection){.options = options[i]};
}

void program_plan(unsigned number, enum program_moment moment, uint8_t action, uint8_t amount)
{
    connections[number].plans[moment] = (struct plan){action, amount};
}

void program_act(unsigned number, uint8_t action, uint8_t amount)
{
    struct tcp_pcb *c = open_one(&connections[number]);
    if (c)
        act(&connections[number], c, action % ACTIONS, amount);
}
