# SPDX-License-Identifier: Apache-2.0
"""What the bench's TCP servers have in common: a thread that accepts, a thread per client, a quick end."""

from __future__ import annotations

import socketserver
import threading

_POLL_S = 0.05
"""How often the accepting thread looks whether it is to end."""


class TcpServer(socketserver.ThreadingTCPServer):
    """A server on a thread of its own; a client that stays connected does not keep the bench from ending."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, handler: type[socketserver.BaseRequestHandler]) -> None:
        """Bind to ``host:port``, 0 for any free port. Nobody is served before :meth:`start`."""
        super().__init__((host, port), handler)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(_POLL_S,), name=type(self).__name__, daemon=True
        )

    @property
    def address(self) -> str:
        """Where clients connect, ``host:port``."""
        host, port = self.server_address[:2]
        return f"{host!s}:{port}"

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening; open connections end with their clients or with the process."""
        self.shutdown()
        self.server_close()
        self._thread.join()
