// Socket options: most are lwIP's; those that it lacks or names otherwise are here.
// SPDX-License-Identifier: MIT
#include "../device/device.h"
#include "../lwip/error.h"
#include "socket.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/time.h>

#include "lwip/netif.h"
#include "lwip/sockets.h"

static int value_put(int number, void *value, socklen_t *length)
{
    if (*length < sizeof number)
        return -EINVAL;
    memcpy(value, &number, sizeof number);
    *length = sizeof number;
    return 0;
}

static int error_take(struct bm_socket *socket, void *value, socklen_t *length)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (lwip_getsockopt(socket->number, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return -bm_net_error();
    if (error)
        error = bm_socket_error(socket, error);
    if (socket->connecting) {
        socket->connected = error == 0;
        socket->connecting = false;
    }
    return value_put(error, value, length);
}

static int option_get(struct bm_socket *socket, int level, int option, void *value, socklen_t *length)
{
    if (!value || !length)
        return -EFAULT;
    if (level == SOL_SOCKET) {
        switch (option) {
        case SO_ERROR:
            return error_take(socket, value, length);
        case SO_TYPE:
            return value_put(socket->type, value, length);
        case SO_DOMAIN:
            return value_put(socket->family, value, length);
        case SO_PROTOCOL:
            return value_put(socket->protocol, value, length);
        case SO_ACCEPTCONN:
            return value_put(socket->listening, value, length);
        case SO_SNDBUF:
            return value_put(TCP_SND_BUF, value, length);
        case SO_RCVLOWAT:
        case SO_SNDLOWAT:
            return value_put(1, value, length);
        case SO_REUSEPORT:
            option = SO_REUSEADDR;
            break;
        default:
            break;
        }
    }
    return lwip_getsockopt(socket->number, level, option, value, length) == 0 ? 0 : -bm_net_error();
}

int getsockopt(int descriptor, int level, int option, void *restrict value, socklen_t *restrict length)
{
    struct bm_socket *socket = bm_socket_acquire(descriptor);
    if (!socket)
        return -1;
    int result = option_get(socket, level, option, value, length);
    bm_socket_release(socket);
    return (int)bm_socket_result(result);
}

// lwIP counts milliseconds, and 0 is for ever: less than one becomes one.
static int timeout_set(struct bm_socket *socket, int option, const void *value, socklen_t length)
{
    struct timeval time;
    if (length < sizeof time)
        return -EINVAL;
    memcpy(&time, value, sizeof time);
    if (time.tv_sec < 0 || time.tv_usec < 0 || time.tv_usec >= 1000000)
        return -EDOM;
    if (time.tv_sec > INT32_MAX / 1000 - 1)
        time.tv_sec = INT32_MAX / 1000 - 1;
    if (time.tv_sec == 0 && time.tv_usec > 0 && time.tv_usec < 1000)
        time.tv_usec = 1000;
    return lwip_setsockopt(socket->number, SOL_SOCKET, option, &time, sizeof time) == 0 ? 0 : -bm_net_error();
}

// Programs say eth0; lwIP calls it et0.
static int device_set(struct bm_socket *socket, const void *value, socklen_t length)
{
    struct ifreq request;
    memset(&request, 0, sizeof request);
    memcpy(request.ifr_name, value, length < IF_NAMESIZE - 1 ? length : IF_NAMESIZE - 1);
    if (request.ifr_name[0]) {
        const struct netif *netif = bm_net_interface_find(request.ifr_name);
        if (!netif)
            return -ENODEV;
        netif_index_to_name(netif_get_index(netif), request.ifr_name);
    }
    return lwip_setsockopt(socket->number, SOL_SOCKET, SO_BINDTODEVICE, &request, sizeof request) == 0
               ? 0
               : -bm_net_error();
}

// RFC 3493 section 5.2: interface 0 lets the system choose. lwIP knows real ones only, up to 255.
static int group_set(struct bm_socket *socket, int option, const void *value, socklen_t length)
{
    struct ipv6_mreq request;
    if (length < sizeof request)
        return -EINVAL;
    memcpy(&request, value, sizeof request);
    if (request.ipv6mr_interface == 0) {
        bm_net_lock();
        request.ipv6mr_interface = netif_default ? netif_get_index(netif_default) : NETIF_NO_INDEX;
        bm_net_unlock();
    }
    if (request.ipv6mr_interface == NETIF_NO_INDEX || request.ipv6mr_interface > UINT8_MAX)
        return -ENODEV;
    return lwip_setsockopt(socket->number, IPPROTO_IPV6, option, &request, sizeof request) == 0
               ? 0
               : -bm_net_error();
}

static int option_set(struct bm_socket *socket, int level, int option, const void *value, socklen_t length)
{
    if (!value)
        return -EFAULT;
    if (level == SOL_SOCKET) {
        switch (option) {
        case SO_RCVTIMEO:
        case SO_SNDTIMEO:
            return timeout_set(socket, option, value, length);
        case SO_BINDTODEVICE:
            return device_set(socket, value, length);
        case SO_SNDBUF: // as Linux with sizes beyond its limits: the nearest one, and there is one alone
            return length < sizeof(int) ? -EINVAL : 0;
        case SO_REUSEPORT:
            option = SO_REUSEADDR;
            break;
        default:
            break;
        }
    }
    if (level == IPPROTO_IPV6 && (option == IPV6_JOIN_GROUP || option == IPV6_LEAVE_GROUP))
        return group_set(socket, option, value, length);
    if (level == IPPROTO_TCP && option == TCP_NODELAY && socket->listening) {
        if (length < sizeof(int))
            return -EINVAL;
        socket->no_delay = *(const int *)value != 0;
        return 0;
    }
    return lwip_setsockopt(socket->number, level, option, value, length) == 0 ? 0 : -bm_net_error();
}

int setsockopt(int descriptor, int level, int option, const void *value, socklen_t length)
{
    struct bm_socket *socket = bm_socket_acquire(descriptor);
    if (!socket)
        return -1;
    int result = option_set(socket, level, option, value, length);
    bm_socket_release(socket);
    return (int)bm_socket_result(result);
}
