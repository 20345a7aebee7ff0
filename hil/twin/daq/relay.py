# SPDX-License-Identifier: Apache-2.0
"""A TCP relay in front of the gRPC server that notices when a client is gone.

grpcio tells a server which connection a call came over, but not when a connection ends. The relay passes
bytes both ways over a connection of its own for each client, whose local address is what gRPC calls the peer.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

_CHUNK_BYTES = 1 << 18


class Relay:
    """Listens on ``host:port`` and relays to ``upstream_port`` on the loopback interface.

    ``on_gone`` is called with the peer name (``ipv4:127.0.0.1:<port>``) of every connection that has ended.
    """

    def __init__(self, host: str, port: int, upstream_port: int, on_gone: Callable[[str], None]) -> None:
        self._upstream_port = upstream_port
        self._on_gone = on_gone
        self._listener = socket.create_server((host, port))
        bound_host, bound_port = self._listener.getsockname()[:2]
        self.address = f"{bound_host}:{bound_port}"
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closed = False
        threading.Thread(target=self._accept, name="daq-relay", daemon=True).start()

    def close(self) -> None:
        """Stop listening and end all connections."""
        with self._lock:
            self._closed = True
            connections = list(self._open)
        # Closing does not wake a thread in accept() everywhere; shutting down or connecting does.
        _shut_down(self._listener)
        with contextlib.suppress(OSError):  # the listener refuses already
            socket.create_connection(self._listener.getsockname()[:2], timeout=1).close()
        self._listener.close()
        for connection in connections:
            _shut_down(connection)

    def drop_clients(self) -> None:
        """A fault: every connection ends; clients may connect again."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            _shut_down(connection)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._closed:
                    client.close()
                    return
            threading.Thread(target=self._serve, args=(client,), name="daq-client", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            upstream = socket.create_connection(("127.0.0.1", self._upstream_port))
        except OSError:  # the server is closing
            client.close()
            return
        peer = "ipv4:{}:{}".format(*upstream.getsockname())
        with self._lock:
            self._open |= {client, upstream}
        for connection in (client, upstream):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=_pump, args=(upstream, client), name="daq-client-back", daemon=True)
        back.start()
        _pump(client, upstream)
        back.join()
        with self._lock:
            self._open -= {client, upstream}
        client.close()
        upstream.close()
        self._on_gone(peer)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Pass bytes on until either side ends, then end both."""
    try:
        while data := source.recv(_CHUNK_BYTES):
            sink.sendall(data)
    except OSError:  # the other side is gone: handled like its orderly end
        pass
    _shut_down(source)
    _shut_down(sink)


def _shut_down(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # it is gone already
        return
