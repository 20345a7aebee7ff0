# SPDX-License-Identifier: Apache-2.0
"""Commands to a PowerShield and their answers, over its serial port (UM2269 Rev 6)."""

from __future__ import annotations

import time
from typing import Any

from hil.errors import ConnectError, InstrumentTimeoutError, ProtocolError
from hil.instruments import exchange
from hil.instruments.interrupts import whole_exchange

WHERE = "power_analyzer"
ANSWER_TIMEOUT_S = 5.0
_LONGEST_ANSWER_BYTES = 1 << 16
_QUIET_S = 0.2
"""Silence after which nothing of an earlier user's stream is on its way any more (assumption)."""
_DRAIN_BYTES_MOST = 1 << 24
_WAIT_S = 1e-3
"""How long one look at the port waits for a byte of an answer."""
_CHUNK_BYTES = 1 << 16
_TAKEN_AT_MOST = 1 << 20
_PROMPT = "PowerShield > "


class PowerShieldLink:
    """Lines to and from a serial port that does not wait."""

    def __init__(self, port: Any) -> None:
        """``port`` is one of pyserial's."""
        self._port = port
        self.text = bytearray()
        """What has arrived and is not read yet."""

    def close(self) -> None:
        """Release the port."""
        self._port.close()

    def silence(self) -> None:
        """End whatever an earlier user has left running, and wait until nothing comes any more."""
        self.write("stop")
        quiet_since_s, drained = time.monotonic(), 0
        deadline_s = quiet_since_s + ANSWER_TIMEOUT_S
        while (data := self.wait()) or time.monotonic() - quiet_since_s < _QUIET_S:
            if data:
                quiet_since_s, drained = time.monotonic(), drained + len(data)
            if drained > _DRAIN_BYTES_MOST or time.monotonic() > deadline_s:
                raise ConnectError(
                    "the port does not fall silent",
                    where=WHERE,
                    operation="connect",
                    expected="a PowerShield that obeys `stop`",
                    hint="check [power_analyzer] port",
                )

    def command(self, command: str) -> str:
        """Send a command; return what its acknowledgement says beside the command itself.

        Raises:
            ProtocolError: the instrument refused it.
            InstrumentTimeoutError: no answer.
        """
        with whole_exchange():
            self.write(command)
            deadline_s, taken = time.monotonic() + ANSWER_TIMEOUT_S, 0
            while True:
                while (line := self.next_line()) is not None:
                    line = line.removeprefix(_PROMPT)
                    if line.startswith(f"ack {command}"):
                        answer = line[len(f"ack {command}") :].lstrip(": ")
                        exchange.message(WHERE, command, answer)
                        return answer
                    if line.startswith("error"):
                        if command == "status":  # which tells an earlier error so, and forgets it
                            return line
                        exchange.message(WHERE, command, line)
                        raise ProtocolError(f"answered {line!r}", where=WHERE, operation=command)
                if time.monotonic() > deadline_s or taken > _LONGEST_ANSWER_BYTES:
                    raise InstrumentTimeoutError("no answer", where=WHERE, operation=command)
                data = self.wait()
                taken += len(data)
                self.text += data

    def next_line(self) -> str | None:
        """The next line of text that is not empty; None if none has arrived whole."""
        while (end := self.text.find(b"\n")) >= 0:
            line = self.text[:end].decode("ascii", "replace").strip("\0 \r\t")
            del self.text[: end + 1]
            if line:
                return line
        return None

    def write(self, command: str) -> None:
        """Send a command, and wait for nothing."""
        try:
            self._port.write(command.encode("ascii") + b"\r\n")
        except OSError as error:  # SerialException and its time-out are
            raise ConnectError(str(error), where=WHERE, operation=command) from error

    def take(self) -> bytes:
        """What has arrived, without waiting."""
        taken = bytearray()
        try:
            while chunk := self._port.read(_CHUNK_BYTES):
                taken += chunk
                if len(taken) > _TAKEN_AT_MOST:
                    break
        except OSError as error:
            raise ConnectError(str(error), where=WHERE, operation="read") from error
        return bytes(taken)

    def wait(self) -> bytes:
        """What has arrived; where nothing has, wait for a moment of the wall's time."""
        data = self.take()
        if not data:
            time.sleep(_WAIT_S)
            data = self.take()
        return data
