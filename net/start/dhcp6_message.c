// DHCPv6 messages as bytes.
// SPDX-License-Identifier: MIT
#include "dhcp6_message.h"

#include <string.h>

// Codes of options; section numbers are those of RFC 8415.
enum {
    CLIENT_ID = 1,
    SERVER_ID,
    ADDRESSES,
    ADDRESS = 5,
    WANTED,
    PREFERENCE,
    ELAPSED,
    STATUS = 13,
    DNS = 23,
    REFRESH = 32,
    SOLICIT_MAX = 82,
    INFORMATION_MAX
};
enum { HEADER = 4, OPTION_HEADER = 4, DUID_SIZE = 10, ADDRESSES_SIZE = 12, ADDRESS_SIZE = 24 };

static unsigned number16(const unsigned char *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

static uint32_t number32(const unsigned char *bytes)
{
    return (uint32_t)number16(bytes) << 16 | number16(bytes + 2);
}

static unsigned char *put16(unsigned char *to, unsigned value)
{
    *to++ = (unsigned char)(value >> 8);
    *to++ = (unsigned char)value;
    return to;
}

static unsigned char *put32(unsigned char *to, uint32_t value)
{
    return put16(put16(to, value >> 16), value & 0xffff);
}

static unsigned char *option_put(unsigned char *to, unsigned code, size_t length, const void *data)
{
    to = put16(put16(to, code), (unsigned)length);
    memcpy(to, data, length);
    return to + length;
}

// Section 11.4, with Ethernet's hardware type.
static void duid_make(unsigned char duid[DUID_SIZE], const unsigned char *mac)
{
    static const unsigned char kind[] = {0, 3, 0, 1};
    memcpy(duid, kind, sizeof kind);
    memcpy(duid + sizeof kind, mac, 6);
}

struct reader {
    struct bm_dhcp6_message *message;
    const struct bm_dhcp6_client *client;
    bool is_ours, in_addresses;
};

static void options_walk(struct reader *reader, const unsigned char *data, size_t size);

static bool is_global(const unsigned char *address)
{
    return address[0] != 0 && address[0] < 0xfe;
}

static void address_take(struct bm_dhcp6_message *message, const unsigned char *data)
{
    uint32_t preferred = number32(data + 16), valid = number32(data + 20);
    if (message->has_address || !is_global(data) || preferred > valid) // section 21.6
        return;
    memcpy(message->address, data, 16);
    message->preferred = preferred;
    message->valid = valid;
    message->has_address = true;
}

// Section 21.4: times in the wrong order make the option worthless.
static void addresses_take(struct reader *reader, const unsigned char *data, unsigned length)
{
    struct bm_dhcp6_message *message = reader->message;
    uint32_t t1 = number32(data + 4), t2 = number32(data + 8);
    if (number32(data) != reader->client->association || (t1 > t2 && t2))
        return;
    message->t1 = t1;
    message->t2 = t2;
    message->has_times = t1 && t2;
    reader->in_addresses = true;
    options_walk(reader, data + ADDRESSES_SIZE, length - ADDRESSES_SIZE);
    reader->in_addresses = false;
}

static void dns_take(struct bm_dhcp6_message *message, const unsigned char *data, unsigned length)
{
    for (; length >= 16 && message->dns_count < BM_DHCP6_DNS_MAX; data += 16, length -= 16)
        memcpy(message->dns[message->dns_count++], data, 16);
}

static void option_take(struct reader *reader, unsigned code, const unsigned char *data, unsigned length)
{
    struct bm_dhcp6_message *message = reader->message;
    unsigned char duid[DUID_SIZE];
    if (code == STATUS && length >= 2) {
        message->refused |= number16(data) != 0;
    } else if (reader->in_addresses) {
        if (code == ADDRESS && length >= ADDRESS_SIZE)
            address_take(message, data);
    } else if (code == CLIENT_ID && length == DUID_SIZE) {
        duid_make(duid, reader->client->mac);
        reader->is_ours = memcmp(duid, data, DUID_SIZE) == 0;
    } else if (code == SERVER_ID && length && length <= BM_DHCP6_SERVER_MAX) {
        message->server.length = (uint8_t)length;
        memcpy(message->server.bytes, data, length);
    } else if (code == ADDRESSES && length >= ADDRESSES_SIZE) {
        addresses_take(reader, data, length);
    } else if (code == PREFERENCE && length == 1) {
        message->preference = data[0];
    } else if (code == DNS) {
        dns_take(message, data, length);
    } else if (length == 4) {
        *(code == REFRESH           ? &message->refresh
          : code == SOLICIT_MAX     ? &message->solicit_max
          : code == INFORMATION_MAX ? &message->information_max
                                    : &(uint32_t){0}) = number32(data);
    }
}

// Addresses have no addresses inside, so this calls itself once at most.
static void options_walk(struct reader *reader, const unsigned char *data, size_t size)
{
    while (size >= OPTION_HEADER) {
        unsigned length = number16(data + 2);
        if (length > size - OPTION_HEADER)
            return;
        option_take(reader, number16(data), data + OPTION_HEADER, length);
        data += OPTION_HEADER + length;
        size -= OPTION_HEADER + length;
    }
}

// Section 16: both identifiers have to be there.
bool bm_dhcp6_parse(const unsigned char *data, size_t size, const struct bm_dhcp6_client *client,
                    struct bm_dhcp6_message *message)
{
    struct reader reader = {.message = message, .client = client};
    *message = (struct bm_dhcp6_message){0};
    if (size < HEADER || (number32(data) & 0xffffff) != client->xid)
        return false;
    message->type = data[0];
    options_walk(&reader, data + HEADER, size - HEADER);
    return reader.is_ours && message->server.length;
}

size_t bm_dhcp6_build(unsigned char *data, const struct bm_dhcp6_request *request)
{
    static const unsigned char wanted[] = {0, DNS, 0, REFRESH, 0, SOLICIT_MAX, 0, INFORMATION_MAX};
    unsigned char duid[DUID_SIZE];
    duid_make(duid, request->client.mac);
    unsigned char *to = put32(data, (uint32_t)request->type << 24 | request->client.xid);
    to = option_put(to, CLIENT_ID, sizeof duid, duid);
    to = option_put(to, WANTED, sizeof wanted, wanted);
    to = put16(put16(put16(to, ELAPSED), 2), request->elapsed);
    if (request->server)
        to = option_put(to, SERVER_ID, request->server->length, request->server->bytes);
    if (request->type != BM_DHCP6_INFORMATION) {
        to = put16(put16(to, ADDRESSES),
                   ADDRESSES_SIZE + (request->address ? OPTION_HEADER + ADDRESS_SIZE : 0));
        to = put32(put32(put32(to, request->client.association), 0), 0);
        if (request->address) {
            to = option_put(to, ADDRESS, 16, request->address);
            put16(to - 16 - 2, ADDRESS_SIZE);
            to = put32(put32(to, 0), 0);
        }
    }
    return (size_t)(to - data);
}
