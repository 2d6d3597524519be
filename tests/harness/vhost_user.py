# The device's side of vhost-user: QEMU shows a virtio device whose queues this program serves.
# SPDX-License-Identifier: MIT
"""Backend: QEMU connects to a socket, hands over the machine's memory and the queues' events, and stays out of the
way. QEMU needs memory that can be shared: see `options`. Split rings without event indexes."""

import mmap
import os
import select
import socket
import struct
import threading

F_VERSION_1, F_PROTOCOL_FEATURES = 1 << 32, 1 << 30
PROTOCOL_CONFIG = 1 << 9
REPLY, NEED_REPLY, VERSION = 4, 8, 1
NO_FD = 1 << 8
NEXT, WRITE = 1, 2

# Requests of the vhost-user protocol.
(GET_FEATURES, SET_FEATURES, SET_MEM_TABLE, SET_VRING_NUM, SET_VRING_ADDR, SET_VRING_BASE, GET_VRING_BASE, SET_VRING_KICK,
 SET_VRING_CALL, GET_PROTOCOL_FEATURES, SET_PROTOCOL_FEATURES, GET_QUEUE_NUM, GET_CONFIG) = 1, 2, 5, 8, 9, 10, 11, 12, 13, 15, 16, 17, 24


class Ring:
    """One split queue, from the device's side (section 2.7)."""

    def __init__(self):
        self.size, self.next, self.kick, self.call = 0, 0, None, None
        self.addresses = None

    @property
    def live(self):
        return self.size and self.kick is not None and self.addresses is not None


class Backend:
    """Serves a device. A subclass has `features`, `config` (bytes), `queues` (how many), and served(queue number)."""

    features, config, queues = 0, b"", 1

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.rings = [Ring() for _ in range(self.queues)]
        self.regions = []  # (guest's address, QEMU's address, size, memory)
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.wake_read, self.wake_write = os.pipe()
        self.failure = None
        self.gone = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    @staticmethod
    def options(path, memory="64"):
        """QEMU's words for memory that is shared, and the connection, named `vhost`."""
        return ["-object", f"memory-backend-memfd,id=shared,size={memory}M,share=on", "-machine", "memory-backend=shared",
                "-chardev", f"socket,id=vhost,path={path}"]

    # --- Memory and rings; under the lock ---

    def memory_at(self, address, size, guest=True):
        for guest_address, user_address, length, memory in self.regions:
            offset = address - (guest_address if guest else user_address)
            if 0 <= offset and offset + size <= length:
                return memory[offset:offset + size]
        raise ValueError(f"{address:#x}+{size} is no memory of the machine")

    def _part(self, ring, which, offset, size):
        return self.memory_at(ring.addresses[which] + offset, size, guest=False)

    def take(self, number):
        """The next chain that the driver has given: (id, bytes to be read, pieces to be written), or None."""
        ring = self.rings[number]
        if not ring.live:
            return None
        available, = struct.unpack("<H", self._part(ring, 2, 2, 2))
        if available == ring.next:
            return None
        head, = struct.unpack("<H", self._part(ring, 2, 4 + 2 * (ring.next % ring.size), 2))
        ring.next = (ring.next + 1) & 0xffff
        read, written, at = b"", [], head
        for _ in range(ring.size):
            address, length, flags, following = struct.unpack("<QIHH", self._part(ring, 0, 16 * at, 16))
            piece = self.memory_at(address, length)
            if flags & WRITE:
                written.append(piece)
            else:
                read += bytes(piece)
            if not flags & NEXT:
                return head, read, written
            at = following
        raise ValueError("a chain in a circle")

    def give(self, number, head, length):
        """Gives a chain back of which `length` bytes were written, and interrupts."""
        ring = self.rings[number]
        used, = struct.unpack("<H", self._part(ring, 1, 2, 2))
        self._part(ring, 1, 4 + 8 * (used % ring.size), 8)[:] = struct.pack("<II", head, length)
        self._part(ring, 1, 2, 2)[:] = struct.pack("<H", (used + 1) & 0xffff)
        if ring.call is not None:
            os.write(ring.call, struct.pack("<Q", 1))

    def write(self, number, data):
        """Puts bytes into the next chain for that; False: the driver has given none."""
        chain = self.take(number)
        if chain is None:
            return False
        head, _, pieces = chain
        length = len(data)
        if sum(map(len, pieces)) < length:
            raise ValueError("the driver's buffer is too small")
        for piece in pieces:
            part, data = data[:len(piece)], data[len(piece):]
            piece[:len(part)] = part
        self.give(number, head, length)
        return True

    # --- The protocol ---

    def _run(self):
        try:
            self.connection, _ = self.listener.accept()
            while self._serve():
                pass
        except Exception as error:  # whoever waits for something is to hear of it
            self.failure = error
        with self.changed:
            self.gone = True
            self.changed.notify_all()

    def _serve(self):
        kicks = {ring.kick: number for number, ring in enumerate(self.rings) if ring.kick is not None}
        ready, _, _ = select.select([self.connection, self.wake_read, *kicks], [], [])
        for one in ready:
            if one is self.connection:
                if not self._request():
                    return False
            elif one == self.wake_read:
                os.read(one, 4096)
            else:
                os.read(one, 8)
                with self.changed:
                    if self.rings[kicks[one]].live:
                        self.served(kicks[one])
                    self.changed.notify_all()
        return True

    def _request(self):
        header, files, _, _ = socket.recv_fds(self.connection, 12, 16, socket.MSG_WAITALL)
        if not header:
            return False
        request, flags, size = struct.unpack("<III", header)
        payload = self.connection.recv(size, socket.MSG_WAITALL) if size else b""
        with self.changed:
            answer = self._answer(request, payload, files)
            self.changed.notify_all()
        if answer is None and flags & NEED_REPLY:
            answer = struct.pack("<Q", 0)
        if answer is not None:
            self.connection.sendall(struct.pack("<III", request, VERSION | REPLY, len(answer)) + answer)
        return True

    def _answer(self, request, payload, files):
        u64 = lambda value: struct.pack("<Q", value)
        if request == GET_FEATURES:
            return u64(self.features | F_VERSION_1 | F_PROTOCOL_FEATURES)
        if request == GET_PROTOCOL_FEATURES:
            return u64(PROTOCOL_CONFIG)
        if request == GET_QUEUE_NUM:
            return u64(self.queues)
        if request == GET_CONFIG:
            offset, size, flags = struct.unpack("<III", payload[:12])
            return payload[:12] + self.config[offset:offset + size].ljust(size, b"\0")
        if request == SET_MEM_TABLE:
            self._memory(payload, files)
        elif request == GET_VRING_BASE:
            index, _ = struct.unpack("<II", payload)
            ring = self.rings[index]
            ring.kick = None
            return struct.pack("<II", index, ring.next)
        elif request in (SET_VRING_NUM, SET_VRING_BASE, SET_VRING_ADDR, SET_VRING_KICK, SET_VRING_CALL):
            self._ring(request, payload, files)
        return None

    def _memory(self, payload, files):
        count, _ = struct.unpack("<II", payload[:8])
        self.regions = []
        for index in range(count):
            guest, size, user, offset = struct.unpack_from("<QQQQ", payload, 8 + 32 * index)
            whole = mmap.mmap(files[index], offset + size)
            self.regions.append((guest, user, size, memoryview(whole)[offset:]))
            os.close(files[index])

    def _ring(self, request, payload, files):
        if request in (SET_VRING_KICK, SET_VRING_CALL):
            word, = struct.unpack("<Q", payload)
            event = None if word & NO_FD else files[0]
            setattr(self.rings[word & 0xff], "kick" if request == SET_VRING_KICK else "call", event)
            return
        ring = self.rings[struct.unpack("<I", payload[:4])[0]]
        if request == SET_VRING_NUM:
            ring.size, = struct.unpack_from("<I", payload, 4)
        elif request == SET_VRING_BASE:
            ring.next, = struct.unpack_from("<I", payload, 4)
        else:
            ring.addresses = struct.unpack_from("<QQQ", payload, 8)  # descriptors, used, available
