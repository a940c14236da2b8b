"""A cable between a client and a server on this machine that can be cut at any byte, go silent, or be pulled out."""

from __future__ import annotations

import selectors
import socket
import struct
import threading
from contextlib import suppress
from typing import Self

LINGER = struct.pack("ii", 1, 0)  # close with a reset, as a machine that lost its connections does


class Proxy:
    """Listens on `port` and passes everything on to a server on 127.0.0.1.

    up, down: bytes that still pass towards the server, or from it, before every connection is cut; None: all.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.up: int | None = None
        self.down: int | None = None
        self.silent = False  # connections stay, and nothing passes
        self.deaf = False  # what the server says gets lost on its way
        self.refusing = False
        self.passed = [0, 0]  # bytes towards the server, and from it
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._ended = False
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self.cut()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def cut(self) -> None:
        """End all connections there are."""
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def heal(self) -> None:
        """Everything passes again; connections that were silent are ended."""
        self.up = self.down = None
        self.refusing = False
        if self.silent or self.deaf:
            self.cut()
        self.silent = self.deaf = False

    def _accept(self) -> None:
        while not self._ended:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refusing:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._server_port))
            except OSError:
                client.close()
                continue
            with self._lock:
                self._open |= {client, server}
            thread = threading.Thread(target=self._pass_on, args=(client, server), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, (server, "up", 0))
            selector.register(server, selectors.EVENT_READ, (client, "down", 1))
            alive = True
            while alive and not self._ended:
                for key, _ in selector.select(0.05):
                    target, way, place = key.data
                    source = key.fileobj
                    assert isinstance(source, socket.socket)
                    if self.silent:
                        alive = not self._is_over(source)
                    else:
                        alive = alive and self._one(source, target, way, place)
        with self._lock:
            self._open -= {client, server}
        client.close()
        server.close()

    def _is_over(self, source: socket.socket) -> bool:
        """Whether a connection that says nothing was ended; what it has to say stays where it is."""
        threading.Event().wait(0.02)
        try:
            return source.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True

    def _one(self, source: socket.socket, target: socket.socket, way: str, place: int) -> bool:
        try:
            data = source.recv(65_536)
            if not data:
                return False
            with self._lock:
                left: int | None = getattr(self, way)
                if left is not None:
                    setattr(self, way, max(0, left - len(data)))
                self.passed[place] += len(data)
            if not (self.deaf and way == "down"):
                target.sendall(data if left is None else data[:left])
        except OSError:
            return False
        if left is not None and len(data) >= left:
            self.cut()
            return False
        return True
