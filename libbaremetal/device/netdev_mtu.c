// The MTU that the command line asks of a network device, in images whose drivers have a choice.
// SPDX-License-Identifier: MIT
#include <baremetal/assert.h>
#include <baremetal/netdev.h>
#include <baremetal/option.h>

enum { VALUE_SIZE = 64, MTU_MIN = 576, MTU_MAX = UINT16_MAX };

static unsigned hex_value(char c)
{
    return c >= '0' && c <= '9'                     ? (unsigned)(c - '0')
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (unsigned)((c | 0x20) - 'a' + 10)
                                                    : 16;
}

// What stands behind "52:54:00:12:34:56:", if that is the device's address, else NULL.
static const char *behind_mac(const char *text, const struct bm_netdev *device)
{
    for (unsigned i = 0; i < sizeof device->mac; i++, text += 3) {
        unsigned high = hex_value(text[0]), low = high < 16 ? hex_value(text[1]) : 16;
        if (low > 15 || text[2] != ':' || (high << 4 | low) != device->mac[i])
            return NULL;
    }
    return text;
}

// … Behind "eth1:" or "eth1.5:", a VLAN of it, if the device has that place.
static const char *behind_name(const char *text, unsigned place)
{
    unsigned number = 0, digits = 0;
    for (text += 3; *text >= '0' && *text <= '9' && digits < 2; text++, digits++)
        number = number * 10 + (unsigned)(*text - '0');
    if (!digits || number != place)
        return NULL;
    if (*text == '.')
        while (*++text >= '0' && *text <= '9')
            ;
    return *text == ':' ? text + 1 : NULL;
}

static unsigned mtu_of(const char *text)
{
    unsigned number = 0;
    for (unsigned i = 0; text[i]; i++) {
        if (text[i] < '0' || text[i] > '9' || i == 5)
            return 0;
        number = number * 10 + (unsigned)(text[i] - '0');
    }
    return number;
}

static unsigned place_of(const struct bm_netdev *device)
{
    unsigned place = 0;
    for (const struct bm_netdev *other = bm_netdev_first(); other && other != device; other = other->next)
        place++;
    return place;
}

void bm_netdev_mtu_ask(struct bm_netdev *device, unsigned max)
{
    BM_ASSERT(!device->queue_count, "an MTU must be asked for while the device is at rest");
    BM_ASSERT(max >= MTU_MIN && max <= MTU_MAX, "the largest MTU must be 576 to 65535");
    char value[VALUE_SIZE];
    unsigned place = place_of(device);
    int length;
    for (unsigned i = 0; (length = bm_option_get_nth("mtu", i, value, sizeof value)) >= 0; i++) {
        const char *text = behind_mac(value, device);
        if (!text && value[0] == 'e' && value[1] == 't' && value[2] == 'h')
            text = behind_name(value, place);
        else if (!text && !place)
            text = value; // a word without a name is the first device's
        unsigned mtu = text && length < VALUE_SIZE ? mtu_of(text) : 0;
        if (mtu > device->mtu && mtu <= max)
            device->mtu = (uint16_t)mtu;
    }
}
