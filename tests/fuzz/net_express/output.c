// The fast path out under names of its own, and both ways behind the usual names.
// SPDX-License-Identifier: MIT
#define tcp_write  short_write
#define tcp_output short_output
#include "../../../net/tcp/express_output.c"
#undef tcp_write
#undef tcp_output

#include "machine.h"

err_t tcp_write(struct tcp_pcb *c, const void *data, u16_t length, u8_t flags);
err_t tcp_output(struct tcp_pcb *c);

err_t tcp_write(struct tcp_pcb *c, const void *data, u16_t length, u8_t flags)
{
    return short_way ? short_write(c, data, length, flags) : bm_net_lwip_write(c, data, length, flags);
}

err_t tcp_output(struct tcp_pcb *c)
{
    return short_way ? short_output(c) : bm_net_lwip_output(c);
}
