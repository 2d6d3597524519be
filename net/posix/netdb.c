// getaddrinfo: numbers first, then localhost, then DNS.
// SPDX-License-Identifier: MIT
#include "../device/device.h"
#include "../lwip/memory.h"
#include "../start/option.h"
#include "../start/wait.h"
#include "service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <string.h>

#include "lwip/api.h"
#include "lwip/dns.h"
#include "lwip/netif.h"

enum { FOUND_MAX = 2, NAME_MAX_LENGTH = DNS_MAX_NAME_LENGTH - 1 };

_Thread_local int h_errno;

struct found {
    unsigned count;
    struct {
        int family;
        uint32_t scope;
        uint8_t bytes[16];
    } address[FOUND_MAX];
};

static void found_add(struct found *found, int family, const void *bytes, uint32_t scope)
{
    if (found->count == FOUND_MAX)
        return;
    found->address[found->count].family = family;
    found->address[found->count].scope = scope;
    memcpy(found->address[found->count++].bytes, bytes, family == AF_INET ? 4 : 16);
}

static bool wants(int family, int which)
{
    return family == AF_UNSPEC || family == which;
}

// "fe80::1%eth0": the number of the interface after the percent sign; -1 when there is none such.
static int scope_parse(const char *text)
{
    unsigned index = if_nametoindex(text);
    if (index)
        return (int)index;
    int number = bm_net_port_parse(text);
    return number > 0 && number < 256 ? number : -1;
}

// Returns 0 or an EAI_ error; -1000: no number.
enum { NOT_NUMERIC = -1000 };
static int find_numeric(const char *node, int family, struct found *found)
{
    uint8_t bytes[16];
    struct in_addr ip4;
    const char *percent = strchr(node, '%');
    size_t length = percent ? (size_t)(percent - node) : strlen(node);
    if (!percent && inet_aton(node, &ip4)) {
        if (!wants(family, AF_INET))
            return EAI_NONAME;
        found_add(found, AF_INET, &ip4, 0);
        return 0;
    }
    if (!bm_net_parse_ip6(node, length, bytes))
        return NOT_NUMERIC;
    int scope = percent ? scope_parse(percent + 1) : 0;
    if (!wants(family, AF_INET6) || scope < 0)
        return EAI_NONAME;
    found_add(found, AF_INET6, bytes, (uint32_t)scope);
    return 0;
}

static void find_own(bool passive, int family, struct found *found)
{
    static const uint8_t loopback4[4] = {127, 0, 0, 1}, any4[4];
    if (wants(family, AF_INET))
        found_add(found, AF_INET, passive ? any4 : loopback4, 0);
    if (wants(family, AF_INET6))
        found_add(found, AF_INET6, passive ? &in6addr_any : &in6addr_loopback, 0);
}

static bool have_global6(void)
{
    bool have = false;
    bm_net_lock();
    for (struct netif *netif = netif_list; netif && !have; netif = netif->next)
        for (int i = 1; i < LWIP_IPV6_NUM_ADDRESSES; i++)
            have = have || ip6_addr_isvalid(netif_ip6_addr_state(netif, i));
    bm_net_unlock();
    return have;
}

static err_t ask(const char *node, u8_t type, struct found *found)
{
    ip_addr_t address;
    err_t error = netconn_gethostbyname_addrtype(node, &address, type);
    if (error != ERR_OK)
        return error;
    if (IP_IS_V6_VAL(address))
        found_add(found, AF_INET6, ip_2_ip6(&address)->addr, 0);
    else
        found_add(found, AF_INET, ip_2_ip4(&address), 0);
    return ERR_OK;
}

static bool is_name(const char *node)
{
    size_t length = strlen(node);
    if (length == 0 || length > NAME_MAX_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)node[i] <= ' ' || node[i] == 0x7f)
            return false;
    return true;
}

static bool have_server(void)
{
    for (u8_t i = 0; i < DNS_MAX_SERVERS; i++)
        if (!ip_addr_isany(dns_getserver(i)))
            return true;
    return false;
}

static int find_by_dns(const char *node, int family, struct found *found)
{
    if (!is_name(node))
        return EAI_NONAME;
    bm_net_settle();
    if (!have_server())
        return EAI_AGAIN;
    err_t error6 = ERR_VAL, error4 = ERR_VAL;
    if (family == AF_INET6 || (family == AF_UNSPEC && have_global6()))
        error6 = ask(node, NETCONN_DNS_IPV6, found);
    if (wants(family, AF_INET))
        error4 = ask(node, NETCONN_DNS_IPV4, found);
    if (found->count)
        return 0;
    if (error4 == ERR_MEM || error6 == ERR_MEM)
        return EAI_MEMORY;
    return error4 == ERR_TIMEOUT || error6 == ERR_TIMEOUT ? EAI_AGAIN : EAI_NONAME;
}

static int find_node(const char *node, const struct addrinfo *hints, struct found *found)
{
    if (!node) {
        find_own((hints->ai_flags & AI_PASSIVE) != 0, hints->ai_family, found);
        return 0;
    }
    int error = find_numeric(node, hints->ai_family, found);
    if (error != NOT_NUMERIC)
        return error;
    if (hints->ai_flags & AI_NUMERICHOST)
        return EAI_NONAME;
    if (strcmp(node, "localhost") == 0) {
        find_own(false, hints->ai_family, found);
        return 0;
    }
    return find_by_dns(node, hints->ai_family, found);
}

static int find_port(const char *service, int flags)
{
    if (!service)
        return 0;
    int port = bm_net_port_parse(service);
    if (port < 0 && !(flags & AI_NUMERICSERV))
        port = bm_net_service_port(service);
    return port < 0 ? (flags & AI_NUMERICSERV ? EAI_NONAME : EAI_SERVICE) : port;
}

// One result: entry, address and name in one block.
struct entry {
    struct addrinfo info;
    struct sockaddr_storage address;
    char name[];
};

static struct addrinfo *entry_new(const struct found *found, unsigned i, uint16_t port,
                                  const struct addrinfo *kind, const char *name)
{
    size_t name_size = name ? strlen(name) + 1 : 0;
    struct entry *entry = bm_net_allocate_zeroed(1, sizeof *entry + name_size);
    if (!entry)
        return NULL;
    entry->info = *kind;
    entry->info.ai_family = found->address[i].family;
    entry->info.ai_addr = (struct sockaddr *)&entry->address;
    entry->address.ss_family = (sa_family_t)found->address[i].family;
    if (found->address[i].family == AF_INET) {
        struct sockaddr_in *ip4 = (struct sockaddr_in *)&entry->address;
        ip4->sin_port = htons(port);
        memcpy(&ip4->sin_addr, found->address[i].bytes, 4);
        entry->info.ai_addrlen = sizeof *ip4;
    } else {
        struct sockaddr_in6 *ip6 = (struct sockaddr_in6 *)&entry->address;
        ip6->sin6_port = htons(port);
        ip6->sin6_scope_id = found->address[i].scope;
        memcpy(&ip6->sin6_addr, found->address[i].bytes, 16);
        entry->info.ai_addrlen = sizeof *ip6;
    }
    if (name) {
        memcpy(entry->name, name, name_size);
        entry->info.ai_canonname = entry->name;
    }
    return &entry->info;
}

// The kinds of socket that the hints allow; returns how many, 0 when the hints contradict each other.
static unsigned kinds_of(const struct addrinfo *hints, struct addrinfo kinds[3])
{
    static const struct {
        int type, protocol;
    } all[] = {{SOCK_STREAM, IPPROTO_TCP}, {SOCK_DGRAM, IPPROTO_UDP}, {SOCK_RAW, 0}};
    unsigned count = 0;
    for (unsigned i = 0; i < 3; i++) {
        bool type_fits = hints->ai_socktype == 0 ? all[i].type != SOCK_RAW || hints->ai_protocol == 0
                                                 : hints->ai_socktype == all[i].type;
        bool protocol_fits =
            hints->ai_protocol == 0 || all[i].protocol == 0 || hints->ai_protocol == all[i].protocol;
        if (type_fits && protocol_fits)
            kinds[count++] =
                (struct addrinfo){.ai_socktype = all[i].type,
                                  .ai_protocol = all[i].protocol ? all[i].protocol : hints->ai_protocol};
    }
    return count;
}

static int hints_check(const struct addrinfo *hints)
{
    const int known =
        AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_NUMERICSERV | AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG;
    if (hints->ai_flags & ~known)
        return EAI_BADFLAGS;
    if (hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET && hints->ai_family != AF_INET6)
        return EAI_FAMILY;
    return 0;
}

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict result)
{
    static const struct addrinfo no_hints;
    struct addrinfo kinds[3], *first = NULL, **link = &first;
    struct found found = {0};
    if (!hints)
        hints = &no_hints;
    int error = !node && !service ? EAI_NONAME : hints_check(hints);
    if (error)
        return error;
    unsigned kind_count = kinds_of(hints, kinds);
    if (kind_count == 0)
        return EAI_SOCKTYPE;
    int port = find_port(service, hints->ai_flags);
    if (port < 0)
        return port;
    error = find_node(node, hints, &found);
    if (error)
        return error;
    const char *name = hints->ai_flags & AI_CANONNAME ? node : NULL;
    for (unsigned i = 0; i < found.count; i++) {
        for (unsigned k = 0; k < kind_count; k++) {
            *link = entry_new(&found, i, (uint16_t)port, &kinds[k], first ? NULL : name);
            if (!*link) {
                freeaddrinfo(first);
                return EAI_MEMORY;
            }
            link = &(*link)->ai_next;
        }
    }
    *result = first;
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    while (list) {
        struct addrinfo *next = list->ai_next;
        bm_net_free(list); // the first member of its block
        list = next;
    }
}

const char *gai_strerror(int error)
{
    switch (error) {
    case EAI_BADFLAGS:
        return "Bad value for ai_flags";
    case EAI_NONAME:
        return "Name or service not known";
    case EAI_AGAIN:
        return "Temporary failure in name resolution";
    case EAI_FAIL:
        return "Non-recoverable failure in name resolution";
    case EAI_FAMILY:
        return "ai_family not supported";
    case EAI_SOCKTYPE:
        return "ai_socktype not supported";
    case EAI_SERVICE:
        return "Servname not supported for ai_socktype";
    case EAI_MEMORY:
        return "Memory allocation failure";
    case EAI_SYSTEM:
        return "System error";
    case EAI_OVERFLOW:
        return "Argument buffer too small";
    default:
        return "Unknown error";
    }
}
