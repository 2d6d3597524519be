// Names from addresses, and the interface before getaddrinfo.
// SPDX-License-Identifier: MIT
#include "service.h"

#include <arpa/inet.h>
#include <baremetal/log.h>
#include <net/if.h>
#include <netdb.h>
#include <string.h>

static int put_text(const char *from, char *text, socklen_t size)
{
    size_t length = strlen(from);
    if (length >= size)
        return EAI_OVERFLOW;
    memcpy(text, from, length + 1);
    return 0;
}

// No reverse look-ups: the name of a host is its address.
static int host_text(const struct sockaddr *address, socklen_t length, char *host, socklen_t size)
{
    char text[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE];
    const void *bytes;
    if (address->sa_family == AF_INET && length >= sizeof(struct sockaddr_in))
        bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    else if (address->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6))
        bytes = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    else
        return EAI_FAMILY;
    inet_ntop(address->sa_family, bytes, text, INET6_ADDRSTRLEN);
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *ip6 = (const struct sockaddr_in6 *)(const void *)address;
        char name[IF_NAMESIZE];
        if (ip6->sin6_scope_id && if_indextoname(ip6->sin6_scope_id, name)) {
            strcat(text, "%");
            strcat(text, name);
        }
    }
    return put_text(text, host, size);
}

static int service_text(const struct sockaddr *address, char *service, socklen_t size, int flags)
{
    unsigned port = ntohs(
        ((const struct sockaddr_in *)(const void *)address)->sin_port); // the same place in both families
    const char *name = flags & NI_NUMERICSERV ? NULL : bm_net_service_name(port);
    char number[8];
    bm_format(number, sizeof number, "%u", port);
    return put_text(name ? name : number, service, size);
}

int getnameinfo(const struct sockaddr *restrict address, socklen_t length, char *restrict host,
                socklen_t host_size, char *restrict service, socklen_t service_size, int flags)
{
    if (!address || length < sizeof(struct sockaddr_in))
        return EAI_FAMILY;
    if (flags & NI_NAMEREQD)
        return EAI_NONAME;
    int error = host && host_size ? host_text(address, length, host, host_size) : 0;
    if (!error && service && service_size)
        error = service_text(address, service, service_size, flags);
    return error;
}

struct hostent *gethostbyname(const char *name)
{
    static _Thread_local struct hostent entry;
    static _Thread_local struct in_addr address;
    static _Thread_local char host[NI_MAXHOST];
    static _Thread_local char *addresses[2];
    static char *no_aliases[] = {NULL};
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int error = getaddrinfo(name, NULL, &hints, &found);
    if (error || put_text(name, host, sizeof host)) {
        h_errno = error == EAI_AGAIN ? TRY_AGAIN : error == EAI_MEMORY ? NO_RECOVERY : HOST_NOT_FOUND;
        return NULL;
    }
    address = ((const struct sockaddr_in *)(const void *)found->ai_addr)->sin_addr;
    freeaddrinfo(found);
    addresses[0] = (char *)&address;
    entry = (struct hostent){.h_name = host,
                             .h_aliases = no_aliases,
                             .h_addrtype = AF_INET,
                             .h_length = sizeof address,
                             .h_addr_list = addresses};
    return &entry;
}
