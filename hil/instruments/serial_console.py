# SPDX-License-Identifier: Apache-2.0
"""The console on a serial port, through pyserial: a device name or any of pyserial's URLs."""

from __future__ import annotations

import errno
from collections.abc import Sequence

import serial

from hil.errors import ConnectError, DeviceError, DeviceTimeoutError, InstrumentTimeoutError
from hil.instruments import exchange
from hil.instruments.protocols import Clock
from hil.instruments.records import Record, RecordParser

_POLL_INTERVAL_S = 0.01
"""Time between two looks at the port: the length of 115 characters at 115200 baud, about one record."""

_CHUNK = 65536
"""Bytes taken at once."""


_TAKEN_AT_MOST = 1 << 20
"""Bytes taken in one look at the port, 91 s of a line at 115200 baud: a port that floods is looked at again
after its reader has seen whether the time is up."""

_RECORDS_MOST = 100_000
"""Records kept since the last clear (assumption): eight minutes of a line at 115200 baud that is never
silent, some 100 MB of memory."""

_HEARD_MOST = 4096
"""Last bytes that are kept as they came, for looking at what is no record (assumption)."""

_LONGEST_REPORTED = 4096
"""Bytes without a line end that the record of the exchange waits for."""

_WRITE_TIMEOUT_S = 5.0
"""How long a port may refuse bytes (assumption: a command is 6 ms of a line at 115200 baud)."""


_HINTS = {
    errno.EACCES: "join the group that owns the port, then log in again: dialout on Debian and Ubuntu, uucp "
    "on Arch; `ls -l` shows it",
    errno.ENOENT: "is the probe on USB? `ls /dev/serial/by-id` shows its port under a name that stays",
    errno.EBUSY: "close the other program that holds the port: a terminal, or ModemManager, which tries new "
    "ports out (`systemctl stop ModemManager`)",
    errno.EWOULDBLOCK: "close the other program that has locked the port: a terminal, another run",
}
"""What to do, by the operating system's error number."""


def _opening_hint(error: Exception) -> str:
    return _HINTS.get(getattr(error, "errno", None) or 0, "check [console] port; another program may hold it")


class SerialConsole:
    """Records from a serial port. Reading never blocks: waiting is the clock's business."""

    def __init__(self, port: str, baud: int, clock: Clock) -> None:
        """Open the port. Raises ConnectError."""
        self._where = f"console {port}"
        self._clock = clock
        self._unreported = b""
        self._looked_s = clock.now_s()
        try:
            # Exclusive: a terminal that is opened later would take every second record away.
            self._serial = serial.serial_for_url(
                port, baudrate=baud, timeout=0, write_timeout=_WRITE_TIMEOUT_S, exclusive=True
            )
        except (OSError, ValueError) as error:  # SerialException is an OSError; ValueError: a bad URL or rate
            raise ConnectError(
                str(error), where=self._where, operation="open", hint=_opening_hint(error)
            ) from error
        self.clear()

    @property
    def records(self) -> Sequence[Record]:
        """Valid records since the last :meth:`clear`, in order of arrival."""
        return tuple(self._records)

    @property
    def garbage_lines(self) -> int:
        """Lines that were no valid record."""
        return self._parser.garbage_lines

    @property
    def lost_records(self) -> int:
        """Gaps in the sequence numbers, summed."""
        return self._parser.lost_records

    @property
    def repeated_records(self) -> int:
        """Records whose sequence number does not go on from the one before."""
        return self._parser.repeated_records

    @property
    def heard(self) -> bytes:
        """The last bytes since the last :meth:`clear`, records or not: 4 KB at most."""
        return bytes(self._heard)

    @property
    def heard_bytes(self) -> int:
        """How many bytes have come since the last :meth:`clear`."""
        return self._heard_bytes

    def poll(self) -> list[Record]:
        """Take what has arrived, without waiting.

        Raises:
            ConnectError: the port is gone.
            DeviceError: more records came than anybody can want.
        """
        before_s = self._looked_s
        data = self._take()
        new = self._parser.feed(data, self._looked_s, before_s) if data else []
        if len(self._records) + len(new) > _RECORDS_MOST:
            raise DeviceError(
                f"more than {_RECORDS_MOST} records since the last clear",
                where=self._where,
                operation="read",
                hint="the firmware does not stop reporting, or the port is no console",
            )
        self._records.extend(new)
        return new

    def send(self, data: bytes) -> None:
        """Send bytes to the part.

        Raises:
            ConnectError: the port is gone.
            InstrumentTimeoutError: the port takes no bytes.
        """
        try:
            self._serial.write(data)
        except serial.SerialTimeoutException as error:
            raise InstrumentTimeoutError(
                f"the port has taken no bytes for {_WRITE_TIMEOUT_S:g} s",
                where=self._where,
                operation="write",
            ) from error
        except OSError as error:  # SerialException is one
            raise ConnectError(str(error), where=self._where, operation="write") from error
        exchange.message("console", data.decode("latin-1").rstrip())

    def wait_for(self, kind: str, timeout_s: float) -> Record:
        """The next record of ``kind`` that was not returned before. Raises DeviceTimeoutError."""
        deadline_s = self._clock.now_s() + timeout_s
        while True:
            self.poll()
            while self._next < len(self._records):
                record = self._records[self._next]
                self._next += 1
                if record.kind == kind:
                    return record
            remaining_s = deadline_s - self._clock.now_s()
            if remaining_s <= 0:
                if not self._anything:
                    raise DeviceTimeoutError(
                        f"no {kind} record within {timeout_s:g} s, and nothing else either: "
                        "the device is silent, or the wire to it is",
                        where=self._where,
                        operation="wait",
                        hint="a marker that moves, or a core that the probe sees run, means the wire; "
                        "sensor_readback that follows the sensor means that the DAQ's wires are sound",
                    )
                raise DeviceTimeoutError(
                    f"no {kind} record within {timeout_s:g} s; since the last clear "
                    f"{len(self._records)} record(s), {self.garbage_lines} garbage line(s), "
                    f"{self.lost_records} lost",
                    where=self._where,
                    operation="wait",
                    hint="many garbage lines mean a wrong baud rate or clock",
                )
            self._clock.sleep(min(_POLL_INTERVAL_S, remaining_s))

    def clear(self) -> None:
        """Forget what has arrived, all counts, and bytes still waiting in the port.

        Raises:
            ConnectError: the port is gone.
        """
        self._anything = False
        self._heard, self._heard_bytes = b"", 0
        self._take()
        self._parser = RecordParser()
        self._records: list[Record] = []
        self._next = 0
        self._heard, self._heard_bytes = b"", 0
        self._anything = False

    def _take(self) -> bytes:
        """The bytes that wait in the port, of a flood the first."""
        data = bytearray()
        self._looked_s = self._clock.now_s()
        try:
            # A socket hands over what its window holds, and gets the rest only then.
            while len(data) < _TAKEN_AT_MOST and (chunk := self._serial.read(_CHUNK)):
                data += chunk
        except OSError as error:  # SerialException is one
            raise ConnectError(str(error), where=self._where, operation="read") from error
        self._anything = self._anything or bool(data)
        self._heard = (self._heard + bytes(data))[-_HEARD_MOST:]
        self._heard_bytes += len(data)
        if exchange.listening():
            self._report(bytes(data))
        return bytes(data)

    def _report(self, data: bytes) -> None:
        """Put the lines that are complete on the record of the exchange."""
        *lines, self._unreported = (self._unreported + data).split(b"\n")
        for line in lines:
            exchange.message("console", "", line.decode("latin-1").rstrip())
        if len(self._unreported) > _LONGEST_REPORTED:
            exchange.message("console", "", f"{len(self._unreported)} bytes without a line end")
            self._unreported = b""

    def close(self) -> None:
        """Release the port."""
        self._serial.close()
