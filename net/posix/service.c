// Services by name: the few that programs ask for, as assigned by IANA.
// SPDX-License-Identifier: MIT
#include "service.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

static const struct {
    uint16_t port;
    char name[8];
} services[] = {
    {7, "echo"},     {13, "daytime"}, {21, "ftp"},    {22, "ssh"},    {23, "telnet"}, {25, "smtp"},
    {37, "time"},    {53, "domain"},  {67, "bootps"}, {68, "bootpc"}, {69, "tftp"},   {80, "http"},
    {110, "pop3"},   {123, "ntp"},    {143, "imap"},  {161, "snmp"},  {389, "ldap"},  {443, "https"},
    {514, "syslog"}, {853, "dot"},    {1883, "mqtt"},
};
enum { SERVICES = sizeof services / sizeof *services };

int bm_net_port_parse(const char *text)
{
    int port = 0;
    if (!*text)
        return -1;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -1;
        port = port * 10 + (*text - '0');
        if (port > 65535)
            return -1;
    }
    return port;
}

int bm_net_service_port(const char *name)
{
    for (unsigned i = 0; i < SERVICES; i++)
        if (strcmp(services[i].name, name) == 0)
            return services[i].port;
    return -1;
}

const char *bm_net_service_name(unsigned port)
{
    for (unsigned i = 0; i < SERVICES; i++)
        if (services[i].port == port)
            return services[i].name;
    return NULL;
}

static struct servent *service_entry(unsigned port, const char *protocol)
{
    static _Thread_local struct servent entry;
    static _Thread_local char name[8], kind[4];
    static char *no_aliases[] = {NULL};
    const char *found = bm_net_service_name(port);
    if (!found || (protocol && strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0))
        return NULL;
    strcpy(name, found);
    strcpy(kind, protocol ? protocol : "tcp");
    entry = (struct servent){
        .s_name = name, .s_aliases = no_aliases, .s_port = htons((uint16_t)port), .s_proto = kind};
    return &entry;
}

struct servent *getservbyname(const char *name, const char *protocol)
{
    int port = bm_net_service_port(name);
    return port < 0 ? NULL : service_entry((unsigned)port, protocol);
}

struct servent *getservbyport(int port, const char *protocol)
{
    return service_entry(ntohs((uint16_t)port), protocol);
}
