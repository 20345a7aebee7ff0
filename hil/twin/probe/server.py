# SPDX-License-Identifier: Apache-2.0
"""pyOCD's probe server around the virtual bench, for ``remote:host:port`` clients."""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
import threading
from types import SimpleNamespace
from typing import Any

from pyocd.core.session import Session
from pyocd.probe.tcp_probe_server import DebugProbeRequestHandler, TCPProbeServer

from hil.twin.probe.connection import Connection
from hil.twin.probe.debug_probe import TwinProbe
from hil.twin.probe.swd_line import DebuggedBench, SwdLine

LOG = logging.getLogger(__name__)

_POLL_S = 0.05
"""How soon the accepting thread notices that it is to end."""

UNIQUE_ID = "virtual-bench"


class ProbeServer(TCPProbeServer):  # type: ignore[misc]  # pyOCD has no type information
    """Serves every client a ``TwinProbe`` of its own; pyOCD's handler speaks the protocol."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, bench: DebuggedBench, host: str, port: int, request_s: float | None = None) -> None:
        """``request_s`` is the bench time of a request besides its bits, if not the line's own."""
        self._bench = bench
        self._request_s = request_s
        # no_config: a pyocd.yaml in the folder the bench was started from is meant for other probes.
        session = Session(None, options={"no_config": True})
        super().__init__((host, port), session, TwinProbe(SwdLine(bench, request_s), UNIQUE_ID))
        # What a client's request raises goes to that client; pyOCD's handler would log it here as well.
        logging.getLogger(DebugProbeRequestHandler.__module__).setLevel(logging.CRITICAL)
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        self.server_bind()
        self.server_activate()
        self._thread = threading.Thread(
            target=self.serve_forever, args=(_POLL_S,), name="probe server", daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Where clients connect, ``host:port``."""
        host, port = self.server_address[:2]
        return f"{host!s}:{port}"

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Handle one connection until its client hangs up; NRST is released then."""
        line = SwdLine(self._bench, self._request_s)
        with self._connections_lock:
            self._connections.add(request)
        # The handler takes its session and its probe from its server: here from a view with this client's
        # probe.
        view = SimpleNamespace(session=self.session, probe=TwinProbe(line, UNIQUE_ID))
        try:
            Connection(request, client_address, view)
        finally:
            with self._connections_lock:
                self._connections.discard(request)
            if line.nrst_asserted:
                line.set_nrst(False)  # nobody else could

    def drop_clients(self) -> None:
        """A fault: the probe is unplugged under its clients, which may connect again."""
        with self._connections_lock:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):  # it closed in the meantime
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what ended a connection, unless it is only that the client's program died."""
        error = sys.exception()
        if not isinstance(error, ConnectionError):
            # pyOCD's handler has answered, and hangs up on a request that makes no sense to it at all.
            LOG.warning("probe connection of %s:%s ended: %r", *client_address, error)

    def close(self) -> None:
        """Stop serving; open connections end with the process."""
        self.shutdown()
        self.server_close()
        self._thread.join()
