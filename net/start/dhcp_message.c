// DHCP messages as bytes.
// SPDX-License-Identifier: MIT
//
// An option of the wrong length or without sense is left out; one that is cut ends its field. The rest
// counts: servers without an end mark, without a server identifier or with a broken option are many.
#include "dhcp_message.h"

#include <string.h>

// Offsets of fields (RFC 2131 section 2) and codes of options.
enum {
    OP,
    HARDWARE,
    HARDWARE_LENGTH,
    XID = 4,
    SECONDS = 8,
    CLIENT = 12,
    YOURS = 16,
    SERVER = 20,
    MAC = 28,
    SNAME = 44,
    FILE_NAME = 108,
    COOKIE = 236,
    OPTIONS = 240,
    REPLY_MIN = COOKIE,
    REQUEST_MIN = 300 // RFC 1542 section 2.1
};
enum {
    PAD,
    NETMASK,
    ROUTER = 3,
    DNS = 6,
    HOSTNAME = 12,
    MTU = 26,
    REQUESTED = 50,
    LEASE,
    OVERLOAD,
    TYPE,
    SERVER_ID,
    PARAMETERS,
    SIZE_MAX_OPTION = 57,
    T1,
    T2,
    CLASSLESS_ROUTES = 121,
    END = 255
};
enum { ROUTES_SIZE = 255 };

static const unsigned char cookie[4] = {99, 130, 83, 99};

static uint32_t load32(const unsigned char *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static uint32_t number32(const unsigned char *bytes)
{
    return __builtin_bswap32(load32(bytes));
}

struct reader {
    struct bm_dhcp_message *message;
    unsigned char overload;
    bool lease_said;
    unsigned routes_size; // of the route option, whose parts belong together (RFC 3396)
    unsigned char routes[ROUTES_SIZE];
};

static void routes_keep(struct reader *reader, const unsigned char *data, unsigned length)
{
    if (length > ROUTES_SIZE - reader->routes_size)
        length = ROUTES_SIZE - reader->routes_size;
    memcpy(reader->routes + reader->routes_size, data, length);
    reader->routes_size += length;
}

static void dns_take(struct bm_dhcp_message *message, const unsigned char *data, unsigned length)
{
    for (; length >= 4 && message->dns_count < BM_DHCP_DNS_MAX; data += 4, length -= 4)
        if (load32(data))
            message->dns[message->dns_count++] = load32(data);
}

static void word_take(struct reader *reader, unsigned code, const unsigned char *data)
{
    struct bm_dhcp_message *message = reader->message;
    uint32_t number = number32(data);
    if (code == NETMASK && (~number & (~number + 1)) == 0)
        message->netmask = load32(data);
    else if (code == SERVER_ID)
        message->server = load32(data);
    else if (code == T1)
        message->t1 = number * 1000ull;
    else if (code == T2)
        message->t2 = number * 1000ull;
    else if (code == LEASE) {
        message->lease = number;
        reader->lease_said = true;
    }
}

static void option_take(struct reader *reader, unsigned code, const unsigned char *data, unsigned length)
{
    struct bm_dhcp_message *message = reader->message;
    if (code == TYPE && length == 1)
        message->type = data[0];
    else if (code == OVERLOAD && length == 1)
        reader->overload |= data[0];
    else if (code == MTU && length == 2)
        message->mtu = (uint16_t)(data[0] << 8 | data[1]);
    else if (code == DNS)
        dns_take(message, data, length);
    else if (code == ROUTER && length >= 4 && !message->gateway)
        message->gateway = load32(data);
    else if (code == CLASSLESS_ROUTES)
        routes_keep(reader, data, length);
    else if (length == 4)
        word_take(reader, code, data);
}

static void options_walk(struct reader *reader, const unsigned char *data, size_t size)
{
    while (size && *data != END) {
        size_t step = 1;
        if (*data != PAD) {
            if (size < 2 || size - 2 < data[1])
                return;
            option_take(reader, data[0], data + 2, data[1]);
            step = 2u + data[1];
        }
        data += step;
        size -= step;
    }
}

// RFC 3442: each is a width, as many bytes of the destination as it needs, and a router. When there is one,
// the router option does not count.
static void routes_take(struct reader *reader)
{
    struct bm_dhcp_message *message = reader->message;
    const unsigned char *data = reader->routes, *end = data + reader->routes_size;
    bool first = true;
    while (data < end && *data <= 32) {
        unsigned width = *data++, bytes = (width + 7) / 8;
        unsigned char destination[4] = {0};
        if ((size_t)(end - data) < bytes + 4)
            return;
        memcpy(destination, data, bytes);
        data += bytes;
        uint32_t gateway = load32(data), netmask = width ? __builtin_bswap32(UINT32_MAX << (32 - width)) : 0;
        data += 4;
        if (first)
            message->gateway = 0;
        first = false;
        if (gateway == message->address || (gateway && !bm_net_ip4_is_host(gateway)))
            continue;
        if (!width)
            message->gateway = gateway;
        else if (message->route_count < BM_DHCP_ROUTES_MAX)
            message->routes[message->route_count++] =
                (struct bm_net_route){load32(destination) & netmask, netmask, gateway};
    }
}

// RFC 2131 section 4.4.5: half and seven eighths of the lease, unless the server says something that makes
// sense.
static void times_complete(struct bm_dhcp_message *message, bool lease_said)
{
    if (!lease_said)
        message->lease = BM_DHCP_FOREVER;
    uint64_t lease = message->lease * 1000ull;
    if (!message->t2 || message->t2 >= lease)
        message->t2 = lease - lease / 8;
    if (!message->t1 || message->t1 >= message->t2)
        message->t1 = lease / 2 < message->t2 ? lease / 2 : message->t2 / 2;
}

bool bm_dhcp_parse(const unsigned char *data, size_t size, uint32_t xid, const unsigned char mac[6],
                   struct bm_dhcp_message *message)
{
    struct reader reader = {.message = message};
    *message = (struct bm_dhcp_message){0};
    if (size < REPLY_MIN || data[OP] != 2 || load32(data + XID) != xid || memcmp(data + MAC, mac, 6) != 0)
        return false;
    message->address = load32(data + YOURS);
    if (size >= OPTIONS && memcmp(data + COOKIE, cookie, sizeof cookie) == 0) {
        options_walk(&reader, data + OPTIONS, size - OPTIONS);
        unsigned overload = reader.overload;
        if (overload & 1)
            options_walk(&reader, data + FILE_NAME, COOKIE - FILE_NAME);
        if (overload & 2)
            options_walk(&reader, data + SNAME, FILE_NAME - SNAME);
    }
    if (message->type == BM_DHCP_NAK)
        return true;
    if (!bm_net_ip4_is_host(message->address) || (reader.lease_said && !message->lease))
        return false;
    routes_take(&reader);
    times_complete(message, reader.lease_said);
    if (message->gateway == message->address || !bm_net_ip4_is_host(message->gateway))
        message->gateway = 0;
    if (!message->netmask) { // that of the address's class
        unsigned first = message->address & 255;
        message->netmask = __builtin_bswap32(UINT32_MAX << (first < 128 ? 24 : first < 192 ? 16 : 8));
    }
    return bm_net_ip4_is_host_of(message->address, message->netmask);
}

static unsigned char *option_put(unsigned char *to, unsigned code, const void *data, size_t length)
{
    *to++ = (unsigned char)code;
    *to++ = (unsigned char)length;
    memcpy(to, data, length);
    return to + length;
}

size_t bm_dhcp_build(unsigned char *data, const struct bm_dhcp_request *request)
{
    // RFC 3442 wants its routes named before the router option.
    static const unsigned char parameters[] = {NETMASK, CLASSLESS_ROUTES, ROUTER, DNS, MTU, LEASE, T1, T2};
    const uint16_t seconds = __builtin_bswap16(request->seconds), max = __builtin_bswap16(request->size_max);
    const unsigned char type = (unsigned char)request->type;
    memset(data, 0, BM_DHCP_MESSAGE_MAX);
    data[OP] = data[HARDWARE] = 1;
    data[HARDWARE_LENGTH] = 6;
    memcpy(data + XID, &request->xid, 4);
    memcpy(data + SECONDS, &seconds, 2);
    memcpy(data + CLIENT, &request->client, 4);
    memcpy(data + MAC, request->mac, 6);
    memcpy(data + COOKIE, cookie, sizeof cookie);
    unsigned char *to = option_put(data + OPTIONS, TYPE, &type, 1);
    to = option_put(to, SIZE_MAX_OPTION, &max, 2);
    if (request->requested)
        to = option_put(to, REQUESTED, &request->requested, 4);
    if (request->server)
        to = option_put(to, SERVER_ID, &request->server, 4);
    to = option_put(to, PARAMETERS, parameters, sizeof parameters);
    to = option_put(to, HOSTNAME, request->hostname, strlen(request->hostname));
    *to++ = END;
    size_t length = (size_t)(to - data);
    return length < REQUEST_MIN ? REQUEST_MIN : length;
}
