// Socket options: most are lwIP's; those that it lacks or names otherwise are here.
// SPDX-License-Identifier: MIT
#include "../device/device.h"
#include "../lwip/error.h"
#include "../lwip/socket_state.h"
#include "socket.h"

#include <baremetal/error.h>
#include <string.h>

#include "lwip/netif.h"
#include "lwip/sockets.h"

// As Linux does, a value that is longer than the room is cut off.
static int bytes_put(const void *bytes, uint32_t true_size, void *value, uint32_t *size)
{
    if (*size > true_size)
        *size = true_size;
    memcpy(value, bytes, *size);
    return 0;
}

static int value_put(int number, void *value, uint32_t *size)
{
    return bytes_put(&number, sizeof number, value, size);
}

// lwIP wants room for the whole value, does not say how long it is, and of some it writes one byte.
static int lwip_value_put(struct bm_socket *socket, int level, int option, void *value, uint32_t *size)
{
    union {
        int number;
        struct linger linger;
        struct timeval time;
    } whole;
    uint32_t true_size = sizeof whole.number;
    if (level == BM_SOL_SOCKET && option == BM_SO_LINGER)
        true_size = sizeof whole.linger;
    else if (level == BM_SOL_SOCKET && (option == BM_SO_RCVTIMEO || option == BM_SO_SNDTIMEO))
        true_size = sizeof whole.time;
    memset(&whole, 0, sizeof whole);
    if (lwip_getsockopt(socket->number, level, option, &whole, &true_size) != 0)
        return -bm_net_error();
    return bytes_put(&whole, true_size, value, size);
}

static int error_take(struct bm_socket *socket, void *value, uint32_t *size)
{
    int error = 0;
    uint32_t error_size = sizeof error;
    if (lwip_getsockopt(socket->number, BM_SOL_SOCKET, BM_SO_ERROR, &error, &error_size) != 0)
        return -bm_net_error();
    if (error)
        error = bm_socket_error(socket, error);
    if (socket->connecting && error)
        socket->connecting = socket->connected = false;
    else if (socket->connecting && bm_net_socket_state(socket->number) & BM_NET_SOCKET_WRITABLE)
        bm_socket_set_connected(socket);
    return value_put(error, value, size);
}

int bm_socket_option_get(struct bm_socket *socket, int level, int option, void *value, uint32_t *size)
{
    BM_SOCKET_ASSERT(socket);
    if (!value || !size)
        return -BM_EFAULT;
    if (level == BM_SOL_SOCKET) {
        switch (option) {
        case BM_SO_ERROR:
            return error_take(socket, value, size);
        case BM_SO_TYPE:
            return value_put(socket->type, value, size);
        case BM_SO_DOMAIN:
            return value_put(socket->family, value, size);
        case BM_SO_PROTOCOL:
            return value_put(socket->protocol, value, size);
        case BM_SO_ACCEPTCONN:
            return value_put(socket->listening, value, size);
        case BM_SO_SNDBUF:
            return value_put(TCP_SND_BUF, value, size);
        case BM_SO_RCVLOWAT:
        case BM_SO_SNDLOWAT:
            return value_put(1, value, size);
        case BM_SO_REUSEPORT:
            option = BM_SO_REUSEADDR;
            break;
        default:
            break;
        }
    }
    return lwip_value_put(socket, level, option, value, size);
}

// lwIP counts milliseconds, and 0 is for ever: less than one becomes one.
static int timeout_set(struct bm_socket *socket, int option, const void *value, uint32_t size)
{
    struct timeval time;
    if (size < sizeof time)
        return -BM_EINVAL;
    memcpy(&time, value, sizeof time);
    if (time.tv_sec < 0 || time.tv_usec < 0 || time.tv_usec >= 1000000)
        return -BM_EDOM;
    if (time.tv_sec > INT32_MAX / 1000 - 1)
        time.tv_sec = INT32_MAX / 1000 - 1;
    if (time.tv_sec == 0 && time.tv_usec > 0 && time.tv_usec < 1000)
        time.tv_usec = 1000;
    if (lwip_setsockopt(socket->number, BM_SOL_SOCKET, option, &time, sizeof time) != 0)
        return -bm_net_error();
    *(option == BM_SO_RCVTIMEO ? &socket->receive_time : &socket->send_time) =
        (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_usec * 1000;
    return 0;
}

// Programs say eth0; lwIP calls it et0.
static int device_set(struct bm_socket *socket, const void *value, uint32_t size)
{
    struct ifreq request;
    memset(&request, 0, sizeof request);
    memcpy(request.ifr_name, value, size < IF_NAMESIZE - 1 ? size : IF_NAMESIZE - 1);
    if (request.ifr_name[0]) {
        bm_net_lock();
        const struct netif *netif = bm_net_interface_find(request.ifr_name);
        if (netif)
            netif_index_to_name(netif_get_index(netif), request.ifr_name);
        bm_net_unlock();
        if (!netif)
            return -BM_ENODEV;
    }
    return lwip_setsockopt(socket->number, BM_SOL_SOCKET, BM_SO_BINDTODEVICE, &request, sizeof request) == 0
               ? 0
               : -bm_net_error();
}

// RFC 3493 section 5.2: interface 0 lets the system choose. lwIP knows real ones only, up to 255.
static int group_set(struct bm_socket *socket, int option, const void *value, uint32_t size)
{
    struct ipv6_mreq request;
    if (size < sizeof request)
        return -BM_EINVAL;
    memcpy(&request, value, sizeof request);
    if (request.ipv6mr_interface == 0) {
        bm_net_lock();
        request.ipv6mr_interface = netif_default ? netif_get_index(netif_default) : NETIF_NO_INDEX;
        bm_net_unlock();
    }
    if (request.ipv6mr_interface == NETIF_NO_INDEX || request.ipv6mr_interface > UINT8_MAX)
        return -BM_ENODEV;
    return lwip_setsockopt(socket->number, BM_IPPROTO_IPV6, option, &request, sizeof request) == 0
               ? 0
               : -bm_net_error();
}

int bm_socket_option_set(struct bm_socket *socket, int level, int option, const void *value, uint32_t size)
{
    BM_SOCKET_ASSERT(socket);
    if (!value)
        return -BM_EFAULT;
    if (level == BM_SOL_SOCKET) {
        switch (option) {
        case BM_SO_RCVTIMEO:
        case BM_SO_SNDTIMEO:
            return timeout_set(socket, option, value, size);
        case BM_SO_BINDTODEVICE:
            return device_set(socket, value, size);
        case BM_SO_SNDBUF: // as Linux with sizes beyond its limits: the nearest one, and there is one alone
            return size < sizeof(int) ? -BM_EINVAL : 0;
        case BM_SO_REUSEPORT:
            option = BM_SO_REUSEADDR;
            break;
        default:
            break;
        }
    }
    if (level == BM_IPPROTO_IPV6 && (option == BM_IPV6_JOIN_GROUP || option == BM_IPV6_LEAVE_GROUP))
        return group_set(socket, option, value, size);
    if (level == BM_IPPROTO_TCP && option == BM_TCP_NODELAY && socket->listening) {
        if (size < sizeof(int))
            return -BM_EINVAL;
        socket->no_delay = *(const int *)value != 0;
        return 0;
    }
    return lwip_setsockopt(socket->number, level, option, value, size) == 0 ? 0 : -bm_net_error();
}
