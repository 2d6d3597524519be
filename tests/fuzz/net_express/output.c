// The short way out under names of its own, and both ways behind the usual names.
// SPDX-License-Identifier: MIT
//
// Several segments are joined (join.c) either way: that forgets how much room the last one has, which lwIP
// alone would fill, so that the same bytes lie in other buffers from then on.
#define tcp_write  short_write
#define tcp_output short_output
#include "../../../net/express_output.c"
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
    if (short_way)
        return short_output(c);
    bool several = tcp_input_pcb != c && c->unsent && c->unsent->next;
    return several ? bm_net_join_output(c) : bm_net_lwip_output(c);
}
