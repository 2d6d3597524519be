# Frames as bytes: made from their fields, right or wrong as a test wants them, and taken apart.
# SPDX-License-Identifier: MIT
"""Addresses are bytes: 6 for Ethernet, 4 for IPv4, 16 for IPv6 (ip("10.7.0.2"), mac("52:54:00:12:34:56")). Whoever makes a
header may give each computed field (length, checksum) by name to have it wrong."""

import socket
import struct
from types import SimpleNamespace

BROADCAST = b"\xff" * 6
TYPE_IP4, TYPE_ARP, TYPE_VLAN, TYPE_IP6 = 0x0800, 0x0806, 0x8100, 0x86DD
HOP_BY_HOP, ICMP, IGMP, TCP, UDP, ROUTING, FRAGMENT, ICMP6, DESTINATION = 0, 1, 2, 6, 17, 43, 44, 58, 60
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128
ECHO6, ECHO_REPLY6, RS, RA, NS, NA, REDIRECT = 128, 129, 133, 134, 135, 136, 137


def ip(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def text(address):
    return socket.inet_ntop(socket.AF_INET6 if len(address) == 16 else socket.AF_INET, address)


def mac(text_of_it):
    return bytes.fromhex(text_of_it.replace(":", ""))


def link_local(hardware):
    """RFC 4291, appendix A: the link-local address made of an Ethernet address."""
    return ip("fe80::")[:8] + bytes([hardware[0] ^ 2]) + hardware[1:3] + b"\xff\xfe" + hardware[3:]


def solicited_node(address):
    return ip("ff02::1:ff00:0")[:13] + address[13:]


def multicast_mac(address):
    return b"\x33\x33" + address[12:] if len(address) == 16 else b"\x01\x00\x5e" + bytes([address[1] & 127]) + address[2:]


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(destination, source, kind, payload, vlan=None):
    """vlan: the tag control information, of 802.1Q: priority << 13 | identifier."""
    tag = b"" if vlan is None else struct.pack("!HH", TYPE_VLAN, vlan)
    return destination + source + tag + struct.pack("!H", kind) + payload


def arp(operation, sender_mac, sender, target_mac, target):
    return struct.pack("!HHBBH", 1, TYPE_IP4, 6, 4, operation) + sender_mac + sender + target_mac + target


def ip4(source, destination, protocol, payload, ttl=64, identification=1, fragment=0, options=b"", total=None, check=None,
        version=4, tos=0):
    """fragment: flags and offset, the 16 bits of the header."""
    words = 5 + len(options) // 4
    total = words * 4 + len(payload) if total is None else total
    head = struct.pack("!BBHHHBBH", version << 4 | words, tos, total, identification, fragment, ttl, protocol, 0) + \
        source + destination + options
    check = checksum(head) if check is None else check
    return head[:10] + struct.pack("!H", check) + head[12:] + payload


def ip6(source, destination, following, payload, hop_limit=64, length=None, flow=0):
    length = len(payload) if length is None else length
    return struct.pack("!IHBB", 6 << 28 | flow, length, following, hop_limit) + source + destination + payload


def pseudo(source, destination, protocol, length):
    form = "!BBH" if len(source) == 4 else "!IHBB"
    fields = (0, protocol, length) if len(source) == 4 else (length, 0, 0, protocol)
    return source + destination + struct.pack(form, *fields)


def summed(source, destination, protocol, data, at, check):
    """The transport's bytes with their checksum at that offset."""
    value = checksum(pseudo(source, destination, protocol, len(data)) + data) if check is None else check
    if protocol == UDP and check is None and value == 0:
        value = 0xFFFF
    return data[:at] + struct.pack("!H", value) + data[at + 2:]


def packet(source, destination, protocol, payload, **fields):
    """IPv4 or IPv6, by the length of the addresses."""
    return (ip4 if len(source) == 4 else ip6)(source, destination, protocol, payload, **fields)


def mss(value):
    return struct.pack("!BBH", 2, 4, value)


def window_scale(shift):
    return bytes([3, 3, shift])


SACK_PERMITTED = b"\x04\x02"


def timestamps(value, echo):
    return struct.pack("!BBII", 8, 10, value & 0xFFFFFFFF, echo & 0xFFFFFFFF)


def tcp(source, destination, source_port, port, flags, sequence=0, acknowledged=0, window=65535, options=b"", data=b"",
        urgent=0, check=None, words=None):
    """words: the data offset. Options are padded with zero."""
    options += b"\0" * (-len(options) % 4)
    words = 5 + len(options) // 4 if words is None else words
    segment = struct.pack("!HHIIBBHHH", source_port, port, sequence & 0xFFFFFFFF, acknowledged & 0xFFFFFFFF, words << 4, flags,
                          window, 0, urgent) + options + data
    return summed(source, destination, TCP, segment, 16, check)


def udp(source, destination, source_port, port, data, length=None, check=None):
    datagram = struct.pack("!HHHH", source_port, port, 8 + len(data) if length is None else length, 0) + data
    return summed(source, destination, UDP, datagram, 6, check)


def icmp4(kind, code, body, check=None):
    data = struct.pack("!BBH", kind, code, 0) + body
    return data[:2] + struct.pack("!H", checksum(data) if check is None else check) + data[4:]


def icmp6(source, destination, kind, code, body, check=None):
    return summed(source, destination, ICMP6, struct.pack("!BBH", kind, code, 0) + body, 2, check)


def echo(source, destination, identifier, sequence=1, data=b"hostile"):
    """An echo request as an IP packet."""
    body = struct.pack("!HH", identifier, sequence) + data
    if len(source) == 4:
        return ip4(source, destination, ICMP, icmp4(8, 0, body))
    return ip6(source, destination, ICMP6, icmp6(source, destination, ECHO6, 0, body))


def nd_option(kind, body):
    """RFC 4861 section 4.6: padded to units of 8 bytes."""
    body += b"\0" * (-(len(body) + 2) % 8)
    return bytes([kind, (len(body) + 2) // 8]) + body


def source_link(hardware):
    return nd_option(1, hardware)


def target_link(hardware):
    return nd_option(2, hardware)


def prefix_information(prefix, length, flags=0xC0, valid=3600, preferred=3600):
    return nd_option(3, struct.pack("!BBIII", length, flags, valid, preferred, 0) + prefix)


def mtu_option(value):
    return nd_option(5, struct.pack("!HI", 0, value))


def neighbour_solicitation(source, target, options=b"", destination=None):
    destination = destination or solicited_node(target)
    return ip6(source, destination, ICMP6, icmp6(source, destination, NS, 0, b"\0" * 4 + target + options), hop_limit=255)


def neighbour_advertisement(source, destination, target, hardware, flags=0x60):
    """flags: 0x80 router, 0x40 solicited, 0x20 override."""
    body = bytes([flags, 0, 0, 0]) + target + target_link(hardware)
    return ip6(source, destination, ICMP6, icmp6(source, destination, NA, 0, body), hop_limit=255)


def router_advertisement(source, options=b"", lifetime=1800, hop_limit=64, flags=0, reachable=0, retransmit=0,
                         destination=None):
    destination = destination or ip("ff02::1")
    body = struct.pack("!BBHII", hop_limit, flags, lifetime, reachable, retransmit) + options
    return ip6(source, destination, ICMP6, icmp6(source, destination, RA, 0, body), hop_limit=255)


def redirect(source, destination, target, of, options=b""):
    body = b"\0" * 4 + target + of + options
    return ip6(source, destination, ICMP6, icmp6(source, destination, REDIRECT, 0, body), hop_limit=255)


def packet_too_big(source, destination, mtu, quoted):
    return ip6(source, destination, ICMP6, icmp6(source, destination, 2, 0, struct.pack("!I", mtu) + quoted[:1232]))


def unreachable(source, destination, code, quoted, next_mtu=0):
    """ICMP destination unreachable; code 4 is fragmentation needed (RFC 1191)."""
    return ip4(source, destination, ICMP, icmp4(3, code, struct.pack("!HH", 0, next_mtu) + quoted[:548]))


# ---- Taking frames apart

def parse_options(raw):
    """{kind: value} of TCP's options."""
    found, i = {}, 0
    while i < len(raw) and raw[i] != 0:
        if raw[i] == 1:
            i += 1
            continue
        length = raw[i + 1] if i + 1 < len(raw) else 0
        if length < 2:
            break
        found[raw[i]] = raw[i + 2:i + length]
        i += length
    return found


def parse_tcp(data):
    source_port, port, sequence, acknowledged, words, flags, window, _, urgent = struct.unpack("!HHIIBBHHH", data[:20])
    at = (words >> 4) * 4
    return SimpleNamespace(source_port=source_port, port=port, sequence=sequence, acknowledged=acknowledged, flags=flags,
                           window=window, urgent=urgent, options=parse_options(data[20:at]), data=data[at:])


def parse(frame):
    """The fields of a frame. Those of layers that it does not have are None; `payload` is what follows the IP header."""
    f = SimpleNamespace(raw=frame, destination_mac=frame[:6], source_mac=frame[6:12], vlan=None, arp=None, source=None,
                        destination=None, protocol=None, tcp=None, udp=None, icmp=None, icmp6=None, payload=b"", ip=b"")
    kind, at = int.from_bytes(frame[12:14], "big"), 14
    if kind == TYPE_VLAN:
        f.vlan, kind, at = int.from_bytes(frame[14:16], "big"), int.from_bytes(frame[16:18], "big"), 18
    f.kind, f.ip = kind, frame[at:]
    if kind == TYPE_ARP:
        body = frame[at:]
        f.arp = SimpleNamespace(operation=int.from_bytes(body[6:8], "big"), sender_mac=body[8:14], sender=body[14:18],
                                target=body[24:28])
    elif kind == TYPE_IP4:
        head = frame[at:]
        f.ip = head[:int.from_bytes(head[2:4], "big")]
        f.source, f.destination, f.protocol, f.hops = head[12:16], head[16:20], head[9], head[8]
        f.identification, f.fragment = struct.unpack("!HH", head[4:8])
        f.payload = f.ip[(head[0] & 15) * 4:]
    elif kind == TYPE_IP6:
        head = frame[at:]
        f.ip = head[:40 + int.from_bytes(head[4:6], "big")]
        f.source, f.destination, f.protocol, f.hops, f.payload = head[8:24], head[24:40], head[6], head[7], f.ip[40:]
    if kind == TYPE_IP4 and f.fragment & 0x1FFF:
        return f
    if f.protocol == TCP and len(f.payload) >= 20:
        f.tcp = parse_tcp(f.payload)
    elif f.protocol == UDP and len(f.payload) >= 8:
        f.udp = SimpleNamespace(source_port=int.from_bytes(f.payload[:2], "big"), port=int.from_bytes(f.payload[2:4], "big"),
                                data=f.payload[8:])
    elif f.protocol == ICMP or f.protocol == ICMP6:
        message = SimpleNamespace(type=f.payload[0], code=f.payload[1], body=f.payload[4:])
        if f.protocol == ICMP:
            f.icmp = message
        else:
            f.icmp6 = message
    return f
