// Bringing the network up: options, interfaces, addresses.
// SPDX-License-Identifier: MIT
#include "../device/device.h"
#include "../device/hooks.h"
#include "../tcp/tcp.h"
#include "address_text.h"
#include "configuration.h"
#include "dns_servers.h"
#include "option.h"
#include "wait.h"
#include "words.h"

#include <baremetal/assert.h>
#include <baremetal/console.h>
#include <baremetal/log.h>
#include <baremetal/net.h>
#include <baremetal/option.h>
#include <string.h>

#include "lwip/dns.h"
#include "lwip/netif.h"
#include "lwip/tcpip.h"

BM_OPTION(dns, "ADDRESS[,ADDRESS]...: name servers");
BM_OPTION(hostname, "name that DHCP is told");

enum { VALUE_SIZE = 192 };

static char hostname[BM_NET_HOSTNAME_MAX + 1] = "baremetal";
static bool dhcp_runs;

static bool option_read(const char *key, char value[VALUE_SIZE])
{
    return bm_option_get(key, value, VALUE_SIZE) >= 0;
}

static void options_read(struct bm_net_dns *dns)
{
    char value[VALUE_SIZE];
    const char *wrong;
    *dns = (struct bm_net_dns){0};
    if (option_read("dns", value) && (wrong = bm_net_option_dns(value, dns)) != NULL)
        bm_log_error("net", "dns=%s: %s; ignored (write dns=10.0.2.3,fec0::3)", value, wrong);
    if (!option_read("hostname", value))
        return;
    wrong = bm_net_option_hostname(value);
    if (wrong)
        bm_log_error("net", "hostname=%s: %s; ignored", value, wrong);
    else
        memcpy(hostname, value, strlen(value) + 1);
}

// Addresses are worth a line whatever the log level, but for log=error.
static void notice(const char *line, size_t size)
{
    char level[8];
    if (bm_option_get("log", level, sizeof level) >= 0 && strcmp(level, "error") == 0)
        return;
    bm_console_write_line(line, size);
}

static void notice_ip4(const struct netif *netif)
{
    char line[192], text[IPADDR_STRLEN_MAX];
    unsigned prefix = (unsigned)__builtin_popcount(ip4_addr_get_u32(netif_ip4_netmask(netif)));
    int used = bm_format(line, sizeof line, "net: %s %s/%u", bm_net_interface_name(netif),
                         bm_net_address_text(netif_ip_addr4(netif), text, sizeof text), prefix);
    if (!ip4_addr_isany_val(*netif_ip4_gw(netif)))
        used += bm_format(line + used, sizeof line - (size_t)used, " gateway %s",
                          bm_net_address_text(netif_ip_gw4(netif), text, sizeof text));
    if (!ip_addr_isany(dns_getserver(0)))
        used += bm_format(line + used, sizeof line - (size_t)used, " dns %s",
                          bm_net_address_text(dns_getserver(0), text, sizeof text));
    line[used++] = '\n';
    notice(line, (size_t)used);
}

static void notice_ip6(const struct netif *netif, int i)
{
    char line[96], text[IPADDR_STRLEN_MAX];
    int used = bm_format(line, sizeof line, "net: %s %s/64\n", bm_net_interface_name(netif),
                         bm_net_address_text(netif_ip_addr6(netif, i), text, sizeof text));
    notice(line, (size_t)used);
}

// Called by lwIP under the core lock whenever an address or the state of the interface changes.
static void status_changed(struct netif *netif)
{
    static ip4_addr_t known4[INTERFACES_MAX];
    static uint8_t known6[INTERFACES_MAX];
    unsigned number = 0;
    while (number < bm_net_interface_count && &bm_net_interfaces[number]->netif != netif)
        number++;
    if (number == bm_net_interface_count)
        return;
    if (!ip4_addr_eq(&known4[number], netif_ip4_addr(netif))) {
        known4[number] = *netif_ip4_addr(netif);
        if (!ip4_addr_isany_val(known4[number]))
            notice_ip4(netif);
    }
    for (int i = 1; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        uint8_t bit = (uint8_t)(1 << i);
        bool valid = ip6_addr_isvalid(netif_ip6_addr_state(netif, i)) != 0;
        if (valid && !(known6[number] & bit))
            notice_ip6(netif, i);
        known6[number] = (uint8_t)(valid ? known6[number] | bit : known6[number] & ~bit);
    }
}

static void interface_configure(struct bm_net_interface *interface)
{
    struct netif *netif = &interface->netif;
    const struct bm_net_ip *ip = &bm_net_configuration_of(interface)->ip;
    netif_set_hostname(netif, hostname);
    netif_set_status_callback(netif, status_changed);
    // A device with VLANs is used for them alone, unless a word names it.
    if (ip->mode == BM_NET_OFF || (!interface->vlan && interface->vlans && !ip->is_named))
        return;
    netif_set_up(netif);
    if (!netif_default)
        netif_set_default(netif);
    bm_net_ip6_static(interface);
    if (ip->mode == BM_NET_STATIC) {
        ip4_addr_t address = {ip->address}, netmask = {ip->netmask}, gateway = {ip->gateway};
        netif_set_addr(netif, &address, &netmask, &gateway);
        return;
    }
    if (bm_net_dhcp_start(interface))
        dhcp_runs = true;
    else
        bm_log_error("net", "%s: no memory for DHCP", interface->name);
}

void bm_net_link_came(struct bm_net_interface *interface)
{
    bm_net_dhcp_link_up(interface);
    bm_net_dhcp6_link_up(interface);
}

void bm_net_start(void)
{
    struct bm_net_dns dns;
    options_read(&dns);
    bm_net_tcp_isn_start();
    BM_CHECK(bm_net_lock()); // nobody else is there yet; lwIP asks for it all the same
    tcpip_init(NULL, NULL);
    BM_CHECK(bm_net_unlock());
    bm_net_tcp_lookup_start();
    for (struct bm_netdev *device = bm_netdev_first(); device; device = device->next)
        bm_net_interface_add(device, sizeof(struct bm_net_configuration));
    bm_net_lock();
    bm_net_dns_choose(dns.servers, dns.count);
    bm_net_words_apply();
    for (unsigned i = 0; i < bm_net_interface_count; i++)
        interface_configure(bm_net_interfaces[i]);
    bm_net_unlock();
    bm_net_poller_start();
    bm_net_lock_watch();
    if (bm_net_interface_count == 0)
        bm_log_warn("net",
                    "no network device: sockets reach this machine only. The machine needs one that a linked "
                    "driver knows (QEMU: -netdev user,id=n -device virtio-net-pci,netdev=n, on microvm "
                    "-device virtio-net-device,netdev=n; with baremetal::virtio_net or baremetal::drivers)");
}

bool bm_net_expected(void)
{
    return dhcp_runs && bm_net_interface_count != 0;
}
