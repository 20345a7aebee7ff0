# SPDX-License-Identifier: Apache-2.0
"""A CMSIS-DAP probe at its packets: version 2 on bulk endpoints, or version 1 on HID reports.

Contract: "CMSIS-DAP Firmware", command by command, as Arm publishes it. A request has one length, in version
1 it is padded with zeros to a report; transfers need a connected and configured port.
"""

from __future__ import annotations

import struct

from tests.usb_probes.bus import BULK, INTERRUPT, Device, Endpoint
from tests.usb_probes.swd import Ack, Swd, TransferError

SERIAL = "024000001234567890"

_AP, _READ, _ADDRESS = 0x01, 0x02, 0x0C
_MATCH = 0x30
_NRST = 0x80
_SWD_PORT = 1
_OK = b"\0"


class CmsisDap(Device):
    """One probe of protocol version 2 (``bulk``) or 1."""

    def __init__(self, swd: Swd, serial: str = SERIAL, *, bulk: bool = True) -> None:
        self._packet_bytes = 512 if bulk else 64
        kind = BULK if bulk else INTERRUPT
        out, back = (
            Endpoint(0x01, kind, 64 if bulk else self._packet_bytes),
            Endpoint(0x81, kind, 64 if bulk else self._packet_bytes),
        )
        super().__init__(
            vendor=0xC251,
            product=0xF00A,
            manufacturer="The probe's maker",
            name="Probe CMSIS-DAP",
            serial=serial,
            interface_class=0xFF if bulk else 0x03,
            interface_name="CMSIS-DAP v2" if bulk else "CMSIS-DAP v1",
            endpoints=(out, back),
        )
        self._swd = swd
        self._bulk = bulk
        self._connected = self._transfers_configured = self._swd_configured = False
        self._nrst_low = False
        self._information = {
            0x01: self._text(""),
            0x02: self._text(""),
            0x03: self._text(serial),
            0x04: self._text("2.1.1" if bulk else "1.3.0"),
            0x05: self._text(""),
            0x06: self._text(""),
            0x07: self._text(""),
            0x08: self._text(""),
            0x09: self._text("1.0.7"),
            0xF0: b"\x01\x01",  # SWD only
            0xFE: b"\x01\x04",  # packets under way
            0xFF: b"\x02" + self._packet_bytes.to_bytes(2, "little"),
        }

    def unplug(self) -> None:
        self._swd.close()

    def receive(self, data: bytes) -> None:
        if self._bulk:
            if not data:  # ends a transfer whose last packet was full
                return
            self.require(len(data) <= self._packet_bytes, f"a packet of {len(data)} bytes")
        else:
            self.require(len(data) == self._packet_bytes, f"a report of {len(data)} bytes")
        handlers = {
            0x00: self._info,
            0x01: self._led,
            0x02: self._connect,
            0x03: self._disconnect,
            0x04: self._configure_transfers,
            0x05: self._transfer,
            0x06: self._transfer_block,
            0x08: self._write_abort,
            0x10: self._pins,
            0x11: self._clock,
            0x12: self._sequence,
            0x13: self._configure_swd,
        }
        self.require(data[0] in handlers, f"unknown command {data[:8].hex()}")
        answer = data[:1] + handlers[data[0]](data)
        self.require(
            len(answer) <= self._packet_bytes, f"an answer of {len(answer)} bytes to {data[:8].hex()}"
        )
        self.send(answer if self._bulk else answer.ljust(self._packet_bytes, b"\0"))

    @staticmethod
    def _text(text: str) -> bytes:
        content = text.encode() + b"\0" if text else b""
        return bytes([len(content)]) + content

    def _ends(self, data: bytes, size: int) -> None:
        rest = data[size:]
        right = len(data) == size if self._bulk else len(data) >= size and not any(rest)
        self.require(right, f"{data[:16].hex()} is not a command of {size} bytes")

    def _info(self, data: bytes) -> bytes:
        self._ends(data, 2)
        self.require(data[1] in self._information, f"information {data[1]:#x}")
        return self._information[data[1]]

    def _led(self, data: bytes) -> bytes:
        self._ends(data, 3)
        self.require(data[1] in (0, 1) and data[2] in (0, 1), f"host status {data[1:3].hex()}")
        return _OK

    def _connect(self, data: bytes) -> bytes:
        self._ends(data, 2)
        self.require(data[1] == _SWD_PORT, f"port {data[1]}, not SWD")
        self._swd.connect()
        self._connected = True
        return bytes([_SWD_PORT])

    def _disconnect(self, data: bytes) -> bytes:
        self._ends(data, 1)
        self._swd.disconnect()
        self._connected = self._transfers_configured = self._swd_configured = False
        return _OK

    def _configure_transfers(self, data: bytes) -> bytes:
        self._ends(data, 6)
        self._transfers_configured = True
        return _OK

    def _configure_swd(self, data: bytes) -> bytes:
        self._ends(data, 2)
        self.require(data[1] == 0, "an Arm debug port has a turnaround of one cycle and no forced data phase")
        self._swd_configured = True
        return _OK

    def _clock(self, data: bytes) -> bytes:
        self._ends(data, 5)
        (frequency_hz,) = struct.unpack_from("<I", data, 1)
        self.require(frequency_hz > 0, "an SWD clock of 0 Hz")
        self._swd.set_clock(frequency_hz)
        return _OK

    def _pins(self, data: bytes) -> bytes:
        self._ends(data, 7)
        output, selected = data[1], data[2]
        self.require(selected in (0, _NRST), f"pins {selected:#x} are driven by hand")
        if selected:
            self._nrst_low = not output & _NRST
            self._swd.set_nrst(self._nrst_low)
        return bytes([0 if self._nrst_low else _NRST])

    def _sequence(self, data: bytes) -> bytes:
        self._usable(configured=False)
        length = data[1] or 256
        size = (length + 7) // 8
        self._ends(data, 2 + size)
        self._swd.line_reset(length, int.from_bytes(data[2 : 2 + size], "little"))
        return _OK

    def _write_abort(self, data: bytes) -> bytes:
        self._usable()
        self._ends(data, 6)
        self._swd.write_dp(0x0, int.from_bytes(data[2:6], "little"))
        return _OK

    def _transfer(self, data: bytes) -> bytes:
        self._usable()
        self.require(data[1] == 0, f"DAP index {data[1]}")
        count, position, done = data[2], 3, 0
        ack, values = Ack.OK, b""
        for _ in range(count):
            self.require(position < len(data), "fewer transfers than announced")
            request = data[position]
            self.require(not request & ~(_AP | _READ | _ADDRESS), f"transfer request {request:#x}")
            position += 1
            written = []
            if not request & _READ:
                self.require(position + 4 <= len(data), "a transfer without its data")
                written = [int.from_bytes(data[position : position + 4], "little")]
                position += 4
            if ack is Ack.OK:
                try:
                    values += self._carry_out(request, 1, written)
                    done += 1
                except TransferError as error:
                    ack = error.ack
        self._ends(data, position)
        return bytes([done, ack]) + values

    def _transfer_block(self, data: bytes) -> bytes:
        self._usable()
        index, count, request = struct.unpack_from("<BHB", data, 1)
        self.require(index == 0, f"DAP index {index}")
        self.require(count > 0, "a block of no transfers")
        self.require(not request & ~(_AP | _READ | _ADDRESS), f"transfer request {request:#x}")
        size = 0 if request & _READ else 4 * count
        self._ends(data, 5 + size)
        written = list(struct.unpack_from(f"<{size // 4}I", data, 5))
        try:
            values = self._carry_out(request, count, written)
        except TransferError as error:
            return struct.pack("<HB", 0, error.ack)
        return struct.pack("<HB", count, Ack.OK) + values

    def _carry_out(self, request: int, count: int, written: list[int]) -> bytes:
        address = request & _ADDRESS
        if request & _AP and request & _READ:
            values = self._swd.read_ap(address, count)
        elif request & _AP:
            self._swd.write_ap(address, written)
            values = []
        elif request & _READ:
            values = [self._swd.read_dp(address) for _ in range(count)]
        else:
            values = []
            for value in written:
                self._swd.write_dp(address, value)
        return struct.pack(f"<{len(values)}I", *values)

    def _usable(self, *, configured: bool = True) -> None:
        self.require(self._connected, "a transfer on a port that is not connected")
        if configured:
            self.require(self._transfers_configured and self._swd_configured, "a transfer before its set-up")
