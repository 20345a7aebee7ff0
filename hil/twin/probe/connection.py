# SPDX-License-Identifier: Apache-2.0
"""One client's connection to the probe: pyOCD's protocol, with little time between request and answer.

A load of 64 KiB is some 7600 requests, each answered before the next is sent, and two of three only lock the
probe or unlock it: what a request costs besides its access counts.
"""

from __future__ import annotations

import io
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from pyocd.core import exceptions
from pyocd.probe.tcp_probe_server import DebugProbeRequestHandler

from hil.twin.web_page import comes_from_a_browser

_decode = json.JSONDecoder().raw_decode
_CHUNK = 1 << 16
_WATCHED_NS = 1_000_000
"""How long a connection is watched before its thread sleeps, and the most that watching an idle one costs.
Waking two processes for every request is a good part of a load's time on an idle machine
(``python -m benchmarks twin-dap``)."""
_WITHOUT_WAITING: int | None = getattr(socket, "MSG_DONTWAIT", None)  # None on Windows, where it just sleeps


class Requests:
    """The lines that a client sends."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = b""

    def next(self) -> bytes:
        """The next line with its end; when the client has hung up what came of it, at last nothing."""
        received = self._received
        while not (end := received.find(b"\n") + 1):
            chunk = self._receive()
            if not chunk:
                self._received = b""
                return received
            received += chunk
        self._received = received[end:]
        return received[:end]

    def _receive(self) -> bytes:
        """What comes next, watched for awake at first: a client that was answered asks again at once."""
        if sys.platform != "win32" and _WITHOUT_WAITING is not None:
            until_ns = time.perf_counter_ns() + _WATCHED_NS
            while time.perf_counter_ns() < until_ns:
                try:
                    return self._connection.recv(_CHUNK, _WITHOUT_WAITING)
                except BlockingIOError:
                    os.sched_yield()  # who else wants this processor, the client perhaps, goes first
        return self._connection.recv(_CHUNK)


class Connection(DebugProbeRequestHandler):  # type: ignore[misc]  # pyOCD has no type information
    """pyOCD's handler, with a short way for what a well-behaved client sends."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer requests until the client hangs up."""
        requests = Requests(self.connection)
        while line := requests.next():
            call = self._parse(line)
            if call is None:
                if comes_from_a_browser(line):
                    return
                self._answer_at_length(line)
            else:
                self._carry_out(*call)

    def _answer_at_length(self, line: bytes) -> None:
        """Leave a request to pyOCD's handler, which knows what to say to those that make no sense."""
        stream = self.rfile  # type: ignore[has-type]  # pyOCD has no type information
        self.rfile = io.BytesIO(line)
        try:
            super().handle()
        finally:
            self.rfile = stream

    def _parse(self, line: bytes) -> tuple[int, Callable[..., Any], list[Any]] | None:
        """Number, handler and arguments of a request that has all it needs."""
        try:
            text = line.decode()
            request, end = _decode(text)
            handler, argument_count = self._REQUEST_HANDLERS[request["request"]]
            number, arguments = request["id"], request.get("arguments", [])
        except (ValueError, LookupError, TypeError, RecursionError):
            return None
        if type(number) is not int or type(arguments) is not list or len(arguments) != argument_count:
            return None
        if text[end:] != "\n":
            return None
        return number, handler, arguments

    def _carry_out(self, number: int, handler: Callable[..., Any], arguments: list[Any]) -> None:
        self._current_request_id = number
        try:
            result = handler(*arguments)
        except Exception as error:
            self._send_error_response(self._get_exception_status_code(error), str(error))
            if not isinstance(error, exceptions.Error):
                raise
            return
        if result is None:
            self.connection.sendall(b'{"id": %d, "status": 0}\n' % number)
        elif type(result) is int:
            self.connection.sendall(b'{"id": %d, "status": 0, "result": %d}\n' % (number, result))
        else:
            self._send_response(result)
