# SPDX-License-Identifier: Apache-2.0
"""The SWD wires behind a virtual probe: DAP transfers, handed to the virtual part's remote probe port."""

from __future__ import annotations

import json
import socket
from enum import IntEnum
from typing import Any

_PROTOCOL_VERSION = 1
_ANSWER_TIMEOUT_S = 60.0


class Ack(IntEnum):
    """A transfer's acknowledgement on the wire (ADIv5.2, B4.2); 7: nobody drives the line."""

    OK = 1
    WAIT = 2
    FAULT = 4
    NONE = 7


class TransferError(Exception):
    """A transfer was not acknowledged with OK."""

    def __init__(self, ack: Ack) -> None:
        super().__init__(ack.name)
        self.ack = ack


_ACKS = {10: Ack.NONE, 11: Ack.WAIT, 12: Ack.FAULT}
"""What the status codes of pyOCD's remote probe protocol were on the wire."""


class Swd:
    """One connection to the part's probe port, opened at the first transfer."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._socket: socket.socket | None = None
        self._number = 0

    def line_reset(self, length: int, bits: int) -> None:
        """A sequence on SWDIO: line reset, or the change from JTAG to SWD."""
        self._ask("swj_sequence", length, bits)

    def connect(self) -> None:
        """Drive the lines."""
        self._ask("connect", "SWD")

    def disconnect(self) -> None:
        """Let go of the lines."""
        self._ask("disconnect")

    def set_clock(self, frequency_hz: float) -> None:
        """Set the clock."""
        self._ask("set_clock", frequency_hz)

    def set_nrst(self, low: bool) -> None:
        """Pull NRST low, or release it."""
        self._ask("assert_reset", low)

    def read_dp(self, address: int) -> int:
        """Read a DP register."""
        return int(self._ask("read_dp", address))

    def write_dp(self, address: int, value: int) -> None:
        """Write a DP register."""
        self._ask("write_dp", address, value)

    def read_ap(self, address: int, count: int = 1) -> list[int]:
        """Read a register of the AP that SELECT names."""
        return list(self._ask("read_ap_multiple", address, count))

    def write_ap(self, address: int, values: list[int]) -> None:
        """Write a register of the AP that SELECT names."""
        self._ask("write_ap_multiple", address, values)

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._lines.close()
            self._socket.close()
            self._socket = None

    def _ask(self, request: str, *arguments: Any) -> Any:
        if self._socket is None:
            host, _, port = self._address.rpartition(":")
            self._socket = socket.create_connection((host, int(port)), timeout=_ANSWER_TIMEOUT_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._lines = self._socket.makefile("rb")
            self._ask("hello", _PROTOCOL_VERSION)
            self._ask("open")
        self._number += 1
        message = {"id": self._number, "request": request, "arguments": arguments}
        self._socket.sendall(json.dumps(message).encode() + b"\n")
        answer = json.loads(self._lines.readline())
        if answer["status"] in _ACKS:
            raise TransferError(_ACKS[answer["status"]])
        if answer["status"] != 0:
            raise ConnectionError(answer.get("error"))
        return answer.get("result")
