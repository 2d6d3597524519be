// What Linux' ioctl tells of the network's interfaces on any socket (netdevice(7)): musl's if_nametoindex and
// if_indextoname ask so.
// SPDX-License-Identifier: MIT
#include "interface.h"
#include "../device/device.h"
#include "linux/calls.h"

#include <baremetal/error.h>
#include <baremetal/socket.h>
#include <string.h>

#include "lwip/netif.h"

// socket.c asks for it, since a weak function does not bring in its file.
extern const char bm_net_interface_linked;
const char bm_net_interface_linked = 0;

enum {
    SIOCGIFNAME = 0x8910,
    SIOCGIFFLAGS = 0x8913,
    SIOCGIFADDR = 0x8915,
    SIOCGIFBRDADDR = 0x8919,
    SIOCGIFNETMASK = 0x891b,
    SIOCGIFMTU = 0x8921,
    SIOCGIFHWADDR = 0x8927,
    SIOCGIFINDEX = 0x8933
};
enum { UP = 1, BROADCAST = 2, LOOPBACK = 8, RUNNING = 0x40, MULTICAST = 0x1000 };
enum { UNLIMITED = 65536 };                      // what Linux says of loopback
enum { TYPE_ETHERNET = 1, TYPE_LOOPBACK = 772 }; // ARPHRD_…

// struct ifreq.
struct request {
    char name[16];
    union {
        int32_t number;
        int16_t flags;
        struct bm_socket_address4 address;
        struct {
            uint16_t type;
            uint8_t bytes[14];
        } hardware;
        uint8_t room[24];
    };
} __attribute__((may_alias));
_Static_assert(sizeof(struct request) == 40, "struct ifreq");

bool bm_net_interface_is_loopback(const struct netif *netif)
{
    return strcmp(bm_net_interface_name(netif), "lo") == 0;
}

int bm_net_interface_flags(const struct netif *netif)
{
    return (netif_is_up(netif) ? UP : 0) | (netif_is_link_up(netif) ? RUNNING : 0) |
           (netif->flags & NETIF_FLAG_BROADCAST ? BROADCAST : 0) |
           (bm_net_interface_is_loopback(netif) ? LOOPBACK : 0) |
           (netif->flags & (NETIF_FLAG_IGMP | NETIF_FLAG_MLD6) ? MULTICAST : 0);
}

uint16_t bm_net_interface_type(const struct netif *netif)
{
    return bm_net_interface_is_loopback(netif) ? TYPE_LOOPBACK : TYPE_ETHERNET;
}

uint32_t bm_net_interface_mtu_of(const struct netif *netif)
{
    return netif->mtu ? netif->mtu : UNLIMITED;
}

static long address_tell(struct request *request, const struct netif *netif, uint32_t address)
{
    if (ip4_addr_isany(netif_ip4_addr(netif)))
        return -BM_EADDRNOTAVAIL;
    request->address = (struct bm_socket_address4){.family = BM_AF_INET, .address = address};
    return 0;
}

static void hardware_tell(struct request *request, const struct netif *netif)
{
    memset(&request->hardware, 0, sizeof request->hardware);
    request->hardware.type = bm_net_interface_type(netif);
    if (netif->hwaddr_len <= sizeof request->hardware.bytes)
        memcpy(request->hardware.bytes, netif->hwaddr, netif->hwaddr_len);
}

static long tell(struct request *request, unsigned long what, const struct netif *netif)
{
    const uint32_t address = ip4_addr_get_u32(netif_ip4_addr(netif)),
                   mask = ip4_addr_get_u32(netif_ip4_netmask(netif));
    switch (what) {
    case SIOCGIFINDEX:
        request->number = netif_get_index(netif);
        return 0;
    case SIOCGIFFLAGS:
        request->flags = (int16_t)bm_net_interface_flags(netif);
        return 0;
    case SIOCGIFMTU:
        request->number = (int32_t)bm_net_interface_mtu_of(netif);
        return 0;
    case SIOCGIFADDR:
        return address_tell(request, netif, address);
    case SIOCGIFNETMASK:
        return address_tell(request, netif, mask);
    case SIOCGIFBRDADDR:
        return address_tell(request, netif, address | ~mask);
    case SIOCGIFHWADDR:
        hardware_tell(request, netif);
        return 0;
    default:
        return -BM_ENOTTY;
    }
}

static const struct netif *by_number(int32_t number)
{
    return number > 0 && number <= UINT8_MAX ? netif_get_by_index((u8_t)number) : NULL;
}

long bm_net_interface_control(unsigned long what, void *argument)
{
    struct request request;
    memcpy(&request, argument, sizeof request);
    request.name[sizeof request.name - 1] = 0;
    bm_net_lock();
    const struct netif *netif =
        what == SIOCGIFNAME ? by_number(request.number) : bm_net_interface_find(request.name);
    long result = -BM_ENODEV;
    if (netif && what == SIOCGIFNAME) {
        strncpy(request.name, bm_net_interface_name(netif), sizeof request.name - 1);
        result = 0;
    } else if (netif) {
        result = tell(&request, what, netif);
    }
    bm_net_unlock();
    if (result == 0)
        memcpy(argument, &request, sizeof request);
    return result;
}
