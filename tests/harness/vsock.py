# The host's side of virtio sockets: a device that tests drive, connection by connection.
# SPDX-License-Identifier: MIT
"""Host, behind QEMU's vhost-user-vsock device: section 5.10 of VIRTIO 1.2 from the device's side. It keeps to the
credit that the machine gives, and takes any break of the rules by the machine for a failure of the test."""

import struct
import time

from .guest import PATIENCE, TestFailure
from .vhost_user import Backend

HOST = 2  # its CID
RECEIVE, SEND = 0, 1  # the driver's queues
STREAM = 1
REQUEST, RESPONSE, RESET, SHUTDOWN, BYTES, CREDIT, CREDIT_ASK = range(1, 8)
NO_RECEIVE, NO_SEND, BOTH = 1, 2, 3
HEADER = struct.Struct("<QQIIIHHIII")
PART = 4052


class Stream:
    """A connection, from the host's side."""

    def __init__(self, host, port, guest_port, room):
        self.host, self.port, self.guest_port, self.room = host, port, guest_port, room
        self.connected, self.reset, self.peer_shut, self.shut = False, False, 0, 0
        self.received, self.came, self.taken = bytearray(), 0, 0
        self.sent, self.peer_taken, self.peer_room = 0, 0, 0
        self.credits = 0  # packets of credit alone that came
        self.packets = 0

    def packet(self, operation, data=b"", flags=0):
        self.host.send_packet(self.port, self.guest_port, operation, data, flags, self.room, self.taken)

    def credit(self):
        return self.peer_room - ((self.sent - self.peer_taken) & 0xffffffff)

    def send(self, data):
        """Sends all, as the machine has room for it."""
        while data:
            self.host.wait(lambda: self.credit() > 0 or self.reset, f"credit for {len(data)} bytes")
            with self.host.lock:
                if self.reset:
                    raise TestFailure("the machine has reset the connection")
                part, data = data[:min(PART, self.credit())], data[min(PART, self.credit()):]
                self.sent += len(part)
                self.packet(BYTES, part)

    def receive(self, size, tell=True):
        """`size` bytes, or what there was before the end. Without `tell` the machine hears of no new room."""
        self.host.wait(lambda: self.received or self.peer_shut & NO_SEND or self.reset, "bytes of the machine")
        with self.host.lock:
            part = bytes(self.received[:size])
            del self.received[:size]
            self.taken += len(part)
            if tell and part and not self.reset:
                self.packet(CREDIT)
        return part

    def receive_all(self, size=None):
        """Everything up to `size` bytes or the end of the machine's sending."""
        data = b""
        while size is None or len(data) < size:
            part = self.receive(65536 if size is None else size - len(data))
            if not part:
                break
            data += part
        return data

    def shutdown(self, flags):
        with self.host.lock:
            self.shut |= flags
            self.packet(SHUTDOWN, flags=self.shut)


class Host(Backend):
    """`answers`: host ports that take connections, with the room that they give."""

    queues = 3

    def __init__(self, path, cid=42):
        self.cid, self.config = cid, struct.pack("<Q", cid)
        self.answers, self.silent = {}, set()  # port: room; ports that say nothing
        self.streams, self.waiting = {}, []    # (port, the machine's port): stream; packets for the machine
        self.refused, self.heard = [], []
        super().__init__(path)

    # --- Packets ---

    def send_packet(self, port, guest_port, operation, data=b"", flags=0, room=0, taken=0, kind=STREAM, cid=None):
        packet = HEADER.pack(HOST, self.cid if cid is None else cid, port, guest_port, len(data), kind, operation, flags, room,
                             taken & 0xffffffff) + data
        with self.lock:
            self.waiting.append(packet)
            self._flush()

    def raw(self, packet):
        with self.lock:
            self.waiting.append(packet)
            self._flush()

    def _flush(self):
        while self.waiting and self.write(RECEIVE, self.waiting[0]):
            self.waiting.pop(0)

    def served(self, number):
        if number == SEND:
            while (chain := self.take(SEND)) is not None:
                head, packet, _ = chain
                self.give(SEND, head, 0)
                self._packet(packet)
        self._flush()

    def _packet(self, packet):
        source, destination, guest_port, port, length, kind, operation, flags, room, taken = HEADER.unpack_from(packet)
        data = packet[HEADER.size:]
        if (source, destination, kind, length) != (self.cid, HOST, STREAM if operation != RESET else kind, len(data)):
            raise ValueError(f"a wrong header: {HEADER.unpack_from(packet)} and {len(data)} bytes")
        stream = self.streams.get((port, guest_port))
        if operation == REQUEST and port in self.answers:
            stream = self.streams[port, guest_port] = Stream(self, port, guest_port, self.answers[port])
        self.heard.append((port, guest_port, operation))
        if stream is None:
            if operation != RESET and port not in self.silent:
                self.send_packet(port, guest_port, RESET)
            return
        stream.peer_room, stream.peer_taken = room, taken
        stream.packets += 1
        self._stream(stream, operation, data, flags)

    def _stream(self, stream, operation, data, flags):
        if operation == REQUEST:
            stream.connected = True
            stream.packet(RESPONSE)
        elif operation == RESPONSE:
            stream.connected = True
        elif operation == RESET:
            stream.reset = True
        elif operation == SHUTDOWN:
            stream.peer_shut |= flags
            if stream.peer_shut == BOTH and not stream.reset:
                stream.reset = True
                stream.packet(RESET)
        elif operation == BYTES:
            stream.came += len(data)
            if stream.came - stream.taken > stream.room or stream.peer_shut & NO_SEND:
                raise ValueError("the machine sends more than there is room for, or after its end")
            stream.received += data
        elif operation == CREDIT_ASK:
            stream.packet(CREDIT)
        elif operation == CREDIT:
            stream.credits += 1

    # --- What tests do ---

    def wait(self, condition, what, timeout=30):
        end = time.monotonic() + timeout * PATIENCE
        with self.changed:
            while not condition():
                left = end - time.monotonic()
                if self.failure or self.gone:
                    raise TestFailure(f"the device is gone ({self.failure}) without {what}")
                if left <= 0:
                    raise TestFailure(f"without {what}")
                self.changed.wait(left)

    def accept(self, port):
        """The next connection of the machine to that port."""
        def fresh():
            return [one for (at, _), one in self.streams.items() if at == port and not getattr(one, "accepted", False)]
        self.wait(fresh, f"a connection to port {port}")
        stream = fresh()[0]
        stream.accepted = True
        return stream

    def begin(self, guest_port, port, room=65536):
        with self.lock:
            stream = self.streams[port, guest_port] = Stream(self, port, guest_port, room)
            stream.packet(REQUEST)
        return stream

    def connect(self, guest_port, port, room=65536):
        """A connection to the machine, which answers or resets it."""
        stream = self.begin(guest_port, port, room)
        self.wait(lambda: stream.connected or stream.reset, f"an answer from port {guest_port}")
        return stream
