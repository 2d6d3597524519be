// VLANs (IEEE 802.1Q): tags are taken off before, and put on behind all that knows nothing of them.
// SPDX-License-Identifier: MIT
//
// A tag with number 0 has a priority only: its frame is the device's own. Whether the device vouches for a
// checksum does not change with the tag. Frames of a VLAN leave as lwIP made them, summed in software and one
// segment each: devices look for headers where untagged frames have them.
#include "interface.h"

#include <string.h>

#include "arch/bm_assert.h"
#include "lwip/pbuf.h"
#include "lwip/prot/ethernet.h"

enum { ADDRESSES = 12, TAG = 4, NUMBER = 0xfff };

struct bm_net_interface *bm_net_vlan_input(struct bm_net_interface *interface, struct pbuf *frame)
{
    BM_NET_ASSERT_LOCKED();
    u8_t *bytes = frame->payload;
    if (frame->len < SIZEOF_ETH_HDR + TAG)
        return NULL;
    unsigned number = ((unsigned)bytes[ADDRESSES + 2] << 8 | bytes[ADDRESSES + 3]) & NUMBER;
    while (interface && interface->vlan != number)
        interface = interface->vlans;
    memmove(bytes + TAG, bytes, ADDRESSES);
    pbuf_remove_header(frame, TAG);
    return interface;
}

err_t bm_net_vlan_output(struct netif *netif, struct pbuf *frame)
{
    BM_NET_ASSERT_LOCKED();
    struct bm_net_interface *interface = netif->state;
    struct bm_net_interface *device = interface->netqueue->stack_state;
    const u8_t tag[TAG] = {ETHTYPE_VLAN >> 8, ETHTYPE_VLAN & 255, (u8_t)(interface->vlan >> 8),
                           (u8_t)interface->vlan};
    struct pbuf *copy = NULL;
    if (pbuf_add_header(frame, TAG)) { // somebody else's memory
        frame = copy = pbuf_clone(PBUF_RAW_TX, PBUF_RAM, frame);
        if (!copy)
            return ERR_MEM;
        pbuf_add_header(copy, TAG);
    }
    memmove(frame->payload, (u8_t *)frame->payload + TAG, ADDRESSES);
    memcpy((u8_t *)frame->payload + ADDRESSES, tag, TAG);
    err_t error = bm_net_buffer_output(device, frame);
    if (copy)
        pbuf_free(copy);
    return error;
}
