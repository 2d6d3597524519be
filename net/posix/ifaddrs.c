// The machine's interfaces and their addresses (net/if.h, ifaddrs.h).
// SPDX-License-Identifier: MIT
#include "../device/device.h"
#include "../lwip/memory.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "lwip/netif.h"

unsigned if_nametoindex(const char *name)
{
    bm_net_lock();
    const struct netif *netif = bm_net_interface_find(name);
    unsigned index = netif ? netif_get_index(netif) : 0;
    bm_net_unlock();
    if (!index)
        errno = ENODEV;
    return index;
}

char *if_indextoname(unsigned index, char *name)
{
    bm_net_lock();
    const struct netif *netif = index < 256 ? netif_get_by_index((u8_t)index) : NULL;
    if (netif)
        strcpy(name, bm_net_interface_name(netif));
    bm_net_unlock();
    if (!netif)
        errno = ENXIO;
    return netif ? name : NULL;
}

struct if_nameindex *if_nameindex(void)
{
    enum { INTERFACES_MAX = 16 };
    struct list {
        struct if_nameindex entries[INTERFACES_MAX + 1];
        char names[INTERFACES_MAX][IF_NAMESIZE];
    } *list = bm_net_allocate_zeroed(1, sizeof *list);
    if (!list) {
        errno = ENOBUFS;
        return NULL;
    }
    bm_net_lock();
    unsigned count = 0;
    for (struct netif *netif = netif_list; netif && count < INTERFACES_MAX; netif = netif->next, count++) {
        strcpy(list->names[count], bm_net_interface_name(netif));
        list->entries[count] = (struct if_nameindex){netif_get_index(netif), list->names[count]};
    }
    bm_net_unlock();
    return list->entries;
}

void if_freenameindex(struct if_nameindex *list)
{
    bm_net_free(list);
}

// One entry of the list, in one block.
struct entry {
    struct ifaddrs info;
    char name[IF_NAMESIZE];
    struct sockaddr_storage address, netmask, broadcast;
};

static unsigned flags_of(const struct netif *netif)
{
    unsigned flags = 0;
    if (netif_is_up(netif))
        flags |= IFF_UP;
    if (netif_is_link_up(netif))
        flags |= IFF_RUNNING;
    if (netif->flags & NETIF_FLAG_BROADCAST)
        flags |= IFF_BROADCAST;
    if (netif->flags & (NETIF_FLAG_IGMP | NETIF_FLAG_MLD6))
        flags |= IFF_MULTICAST;
    if (strcmp(bm_net_interface_name(netif), "lo") == 0)
        flags |= IFF_LOOPBACK;
    return flags;
}

static struct entry *entry_add(const struct netif *netif, struct ifaddrs ***link)
{
    struct entry *entry = bm_net_allocate_zeroed(1, sizeof *entry);
    if (!entry)
        return NULL;
    strcpy(entry->name, bm_net_interface_name(netif));
    entry->info.ifa_name = entry->name;
    entry->info.ifa_flags = flags_of(netif);
    entry->info.ifa_addr = (struct sockaddr *)&entry->address;
    entry->info.ifa_netmask = (struct sockaddr *)&entry->netmask;
    **link = &entry->info;
    *link = &entry->info.ifa_next;
    return entry;
}

static void put4(struct sockaddr_storage *to, u32_t address)
{
    struct sockaddr_in *ip4 = (struct sockaddr_in *)to;
    ip4->sin_family = AF_INET;
    ip4->sin_addr.s_addr = address;
}

static bool add4(const struct netif *netif, struct ifaddrs ***link)
{
    struct entry *entry = entry_add(netif, link);
    if (!entry)
        return false;
    u32_t address = ip4_addr_get_u32(netif_ip4_addr(netif)),
          mask = ip4_addr_get_u32(netif_ip4_netmask(netif));
    put4(&entry->address, address);
    put4(&entry->netmask, mask);
    if (netif->flags & NETIF_FLAG_BROADCAST) {
        put4(&entry->broadcast, address | ~mask);
        entry->info.ifa_broadaddr = (struct sockaddr *)&entry->broadcast;
    }
    return true;
}

static bool add6(const struct netif *netif, int i, struct ifaddrs ***link)
{
    struct entry *entry = entry_add(netif, link);
    if (!entry)
        return false;
    struct sockaddr_in6 *ip6 = (struct sockaddr_in6 *)&entry->address,
                        *mask = (struct sockaddr_in6 *)&entry->netmask;
    ip6->sin6_family = mask->sin6_family = AF_INET6;
    memcpy(&ip6->sin6_addr, netif_ip6_addr(netif, i)->addr, 16);
    ip6->sin6_scope_id = ip6_addr_zone(netif_ip6_addr(netif, i));
    memset(&mask->sin6_addr, 0xff, ip6_addr_isloopback(netif_ip6_addr(netif, i)) ? 16 : 8);
    return true;
}

int getifaddrs(struct ifaddrs **list)
{
    struct ifaddrs *first = NULL, **link = &first;
    bool complete = true;
    bm_net_lock();
    for (struct netif *netif = netif_list; netif; netif = netif->next) {
        if (!ip4_addr_isany_val(*netif_ip4_addr(netif)))
            complete = complete && add4(netif, &link);
        for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
            if (ip6_addr_isvalid(netif_ip6_addr_state(netif, i)))
                complete = complete && add6(netif, i, &link);
    }
    bm_net_unlock();
    if (!complete) {
        freeifaddrs(first);
        errno = ENOMEM;
        return -1;
    }
    *list = first;
    return 0;
}

void freeifaddrs(struct ifaddrs *list)
{
    while (list) {
        struct ifaddrs *next = list->ifa_next;
        bm_net_free(list);
        list = next;
    }
}
