// Socket options: most are lwIP's; those that it lacks or names otherwise are here.
// SPDX-License-Identifier: MIT
#include "../device/device.h"
#include "../lwip/error.h"
#include "../lwip/socket_state.h"
#include "socket.h"
#ifdef BM_TCP_OWN
#include "../tcp/option.h"
#endif

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
    if (level == BM_SOL_SOCKET && true_size == sizeof whole.number && option != BM_SO_RCVBUF)
        whole.number = whole.number != 0; // of lwIP it is a flag's bit
    return bytes_put(&whole, true_size, value, size);
}

static int error_take(struct bm_socket *socket, void *value, uint32_t *size)
{
    int error = 0;
    uint32_t error_size = sizeof error;
    if (lwip_getsockopt(socket->number, BM_SOL_SOCKET, BM_SO_ERROR, &error, &error_size) != 0)
        return -bm_net_error();
    if (error == BM_ENOTCONN) // behind an orderly end
        error = 0;
    if (error)
        error = bm_socket_error(socket, error);
    socket->connecting_failed |= socket->connecting && error;
    if (socket->connecting && error)
        socket->connecting = socket->connected = false;
    else if (socket->connecting && bm_net_socket_state(socket->number) & BM_NET_SOCKET_WRITABLE)
        bm_socket_set_connected(socket);
    return value_put(error, value, size);
}

static bool is_cork(const struct bm_socket *socket, int level, int option)
{
    return level == BM_IPPROTO_TCP && option == BM_TCP_CORK && socket->type == BM_SOCK_STREAM;
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
    if (level == BM_IPPROTO_TCP && option == BM_TCP_NODELAY && socket->listening)
        return value_put(socket->no_delay, value, size);
    if (is_cork(socket, level, option)) {
        bm_net_lock();
        bool corked = bm_net_socket_is_corked(socket->number);
        bm_net_unlock();
        return value_put(corked, value, size);
    }
#ifdef BM_TCP_OWN
    if (level == BM_IPPROTO_TCP && socket->type == BM_SOCK_STREAM) {
        int result = bm_net_tcp_option_get(socket->number, option, value, size);
        if (result <= 0)
            return result;
    }
#endif
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

// Under the name that programs know, eth0.
static int device_set(struct bm_socket *socket, const void *value, uint32_t size)
{
    char name[IF_NAMESIZE] = "";
    memcpy(name, value, size < IF_NAMESIZE - 1 ? size : IF_NAMESIZE - 1);
    bm_net_lock();
    const struct netif *netif = name[0] ? bm_net_interface_find(name) : NULL;
    int result = -BM_ENODEV;
    if (netif || !name[0])
        result = bm_net_socket_bind_interface(socket->number, netif);
    bm_net_unlock();
    return result;
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

// An int, or as Linux takes it for options of IP, one byte.
static int number_take(const void *value, uint32_t size, int *number)
{
    if (size >= sizeof *number)
        memcpy(number, value, sizeof *number);
    else if (size > 0)
        *number = *(const uint8_t *)value;
    else
        return -BM_EINVAL;
    return 0;
}

// Passes on a value that lwIP would take as it is. -1: what is so at first.
static int number_set(struct bm_socket *socket, int level, int option, int number)
{
    return lwip_setsockopt(socket->number, level, option, &number, sizeof number) == 0 ? 0 : -bm_net_error();
}

static int linger_set(struct bm_socket *socket, const void *value, uint32_t size)
{
    struct linger linger;
    if (size < sizeof linger)
        return -BM_EINVAL;
    memcpy(&linger, value, sizeof linger);
    if (linger.l_linger < 0 ||
        linger.l_linger > INT16_MAX) // lwIP's counter; Linux takes all, as unsigned ones
        linger.l_linger = INT16_MAX;
    return lwip_setsockopt(socket->number, BM_SOL_SOCKET, BM_SO_LINGER, &linger, sizeof linger) == 0
               ? 0
               : -bm_net_error();
}

// As Linux does with sizes beyond its limits: the nearest one.
static int receive_room_set(struct bm_socket *socket, const void *value, uint32_t size)
{
    enum { ROOM_MIN = 2304 };
    int number;
    if (size < sizeof number)
        return -BM_EINVAL;
    memcpy(&number, value, sizeof number);
    if (number < 0)
        number = INT32_MAX / 2;
    return number_set(socket, BM_SOL_SOCKET, BM_SO_RCVBUF, number < ROOM_MIN ? ROOM_MIN : number);
}

// struct in_addr, struct ip_mreq or struct ip_mreqn, which Linux tells apart by their sizes.
static int multicast_interface_set(struct bm_socket *socket, const void *value, uint32_t size)
{
    struct {
        uint32_t group, address;
        int32_t index;
    } request = {0, 0, 0};
    if (size < sizeof request.address)
        return -BM_EINVAL;
    if (size >= 2 * sizeof request.address)
        memcpy(&request, value, size < sizeof request ? 2 * sizeof request.address : sizeof request);
    else
        memcpy(&request.address, value, sizeof request.address);
    if (request.index) {
        bm_net_lock();
        const struct netif *netif =
            request.index > 0 && request.index <= UINT8_MAX ? netif_get_by_index((u8_t)request.index) : NULL;
        if (netif)
            request.address = ip4_addr_get_u32(netif_ip4_addr(netif));
        bm_net_unlock();
        if (!netif)
            return -BM_EADDRNOTAVAIL;
    }
    return lwip_setsockopt(socket->number, BM_IPPROTO_IP, BM_IP_MULTICAST_IF, &request.address,
                           sizeof request.address) == 0
               ? 0
               : -bm_net_error();
}

// Options of IP and TCP that are numbers; 1: none of them.
static int limited_set(struct bm_socket *socket, int level, int option, const void *value, uint32_t size)
{
    static const struct {
        int level, option, min, max, first; // `first`: what -1 stands for; 0: for nothing
    } limits[] = {
        {BM_IPPROTO_IP, BM_IP_TTL, 1, 255, IP_DEFAULT_TTL},   {BM_IPPROTO_IP, BM_IP_MULTICAST_TTL, 0, 255, 1},
        {BM_IPPROTO_IP, BM_IP_TOS, -INT32_MAX, INT32_MAX, 0}, {BM_IPPROTO_TCP, BM_TCP_KEEPIDLE, 1, 32767, 0},
        {BM_IPPROTO_TCP, BM_TCP_KEEPINTVL, 1, 32767, 0},      {BM_IPPROTO_TCP, BM_TCP_KEEPCNT, 1, 127, 0}};
    for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (level != limits[i].level || option != limits[i].option)
            continue;
        int number = 0;
        if (level == BM_IPPROTO_TCP && size < sizeof number)
            return -BM_EINVAL;
        int error = number_take(value, size, &number);
        if (!error && number == -1 && limits[i].first)
            number = limits[i].first;
        if (error || number < limits[i].min || number > limits[i].max)
            return -BM_EINVAL;
        return number_set(socket, level, option, number); // of which lwIP takes the lowest byte for IP
    }
    return 1;
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
        case BM_SO_LINGER:
            return linger_set(socket, value, size);
        case BM_SO_RCVBUF:
            return receive_room_set(socket, value, size);
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
    if (level == BM_IPPROTO_IP && option == BM_IP_MULTICAST_IF)
        return multicast_interface_set(socket, value, size);
    if (is_cork(socket, level, option)) {
        if (size < sizeof(int))
            return -BM_EINVAL;
        bm_net_lock();
        bm_net_socket_cork(socket->number, *(const int *)value != 0);
        bm_net_unlock();
        return 0;
    }
#ifdef BM_TCP_OWN
    if (level == BM_IPPROTO_TCP && socket->type == BM_SOCK_STREAM) {
        int own = bm_net_tcp_option_set(socket->number, option, value, size);
        if (own <= 0)
            return own;
    }
#endif
    int result = limited_set(socket, level, option, value, size);
    if (result <= 0)
        return result;
    if (level == BM_IPPROTO_TCP && option == BM_TCP_NODELAY && socket->listening) {
        if (size < sizeof(int))
            return -BM_EINVAL;
        socket->no_delay = *(const int *)value != 0;
        return 0;
    }
    return lwip_setsockopt(socket->number, level, option, value, size) == 0 ? 0 : -bm_net_error();
}
