# SPDX-License-Identifier: Apache-2.0
"""The ST-LINK/V2-1 of a Nucleo-64, at its USB commands.

Contract: the commands, status words and lengths that pyOCD's ST-LINK driver names
(``pyocd/probe/stlink/constants.py`` and ``stlink.py``), which agree with ST's behaviour as users know it. A
command is 16 bytes; the answer has one length; memory commands need debug mode and an initialised AP.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from pyocd.probe.stlink.constants import SWD_FREQ_MAP, Commands, Status

from tests.usb_probes.bus import BULK, Device, Endpoint
from tests.usb_probes.swd import Ack, Swd, TransferError

COMMAND_BYTES = 16
PACKET_BYTES = 64
WORDS_MAX_BYTES = 6144
"""Most bytes of one 16- or 32-bit memory command; an 8-bit one fits a packet."""
DP_PORT = 0xFFFF
SERIAL = "066DFF495056805087153841"

_SELECT, _CSW, _TAR, _DRW = 0x08, 0x00, 0x04, 0x0C
_CSW_DEFAULT = 0x23000000  # privileged data access of the debugger (ADIv5.2, Arm Cortex-M4 AHB-AP)
_CSW_INCREMENT = 0x10
_INCREMENT_LIMIT = 0x400  # TAR counts within 1 KiB only (ADIv5.2, C2.2.2)
_AP_STATUS = {
    Ack.WAIT: Status.SWD_AP_WAIT,
    Ack.FAULT: Status.SWD_AP_FAULT,
    Ack.NONE: Status.SWD_AP_ERROR,
}
_DP_STATUS = {
    Ack.WAIT: Status.SWD_DP_WAIT,
    Ack.FAULT: Status.SWD_DP_FAULT,
    Ack.NONE: Status.SWD_DP_ERROR,
}
_READS = {
    Commands.JTAG_READMEM_8BIT: 1,
    Commands.JTAG_READMEM_16BIT: 2,
    Commands.JTAG_READMEM_32BIT: 4,
}
_WRITES = {
    Commands.JTAG_WRITEMEM_8BIT: 1,
    Commands.JTAG_WRITEMEM_16BIT: 2,
    Commands.JTAG_WRITEMEM_32BIT: 4,
}


class StlinkV21(Device):
    """One probe; ``jtag_version`` is the number after the J of its firmware's version."""

    def __init__(self, swd: Swd, serial: str = SERIAL, jtag_version: int = 37) -> None:
        super().__init__(
            vendor=0x0483,
            product=0x374B,
            manufacturer="STMicroelectronics",
            name="STM32 STLink",
            serial=serial,
            interface_class=0xFF,
            interface_name="ST Link",
            endpoints=(
                Endpoint(0x81, BULK, PACKET_BYTES),
                Endpoint(0x01, BULK, PACKET_BYTES),
                Endpoint(0x82, BULK, PACKET_BYTES),
            ),
        )
        self._swd = swd
        self._version = 2 << 12 | jtag_version << 6 | 26
        self._mode = Commands.DEV_MASS_MODE
        self._access_ports: set[int] = set()
        self._last_status, self._fault_address = Status.JTAG_OK, 0
        self._expects_data: tuple[int, Callable[[bytes], None]] | None = None
        self._divider_hz = {divider: frequency for frequency, divider in SWD_FREQ_MAP.items()}

    def unplug(self) -> None:
        self._swd.close()

    def receive(self, data: bytes) -> None:
        self.require(self.pending.empty(), "a command before the answer to the last one is read")
        if self._expects_data is not None:
            (size, write), self._expects_data = self._expects_data, None
            self.require(len(data) == size, f"{len(data)} bytes of data after a command for {size}")
            write(data)
            return
        self.require(len(data) == COMMAND_BYTES, f"a command of {len(data)} bytes")
        match data[0]:
            case Commands.GET_VERSION:
                self._ends(data, 1)
                self.send(struct.pack(">H", self._version) + struct.pack("<HH", self.vendor, self.product))
            case Commands.GET_CURRENT_MODE:
                self._ends(data, 1)
                self.send(bytes([self._mode, 0]))
            case Commands.GET_TARGET_VOLTAGE:
                self._ends(data, 1)
                self.send(struct.pack("<II", 1500, 2062))  # 2 * 2062 / 1500 * 1.2 V: 3.3 V
            case Commands.JTAG_COMMAND:
                self._debug(data)
            case _:
                self.require(False, f"unknown command {data.hex()}")

    def _debug(self, data: bytes) -> None:
        match data[1]:
            case Commands.JTAG_ENTER2:
                self._ends(data, 4)
                self.require(data[2] == Commands.JTAG_ENTER_SWD, f"entering mode {data[2]:#x}, not SWD")
                self.require(self._mode != Commands.DEV_JTAG_MODE, "debug mode is entered twice")
                self._enter()
            case Commands.SWD_SET_FREQ:
                self._ends(data, 3)
                self.require(data[2] in self._divider_hz, f"no SWD divider {data[2]}")
                self._swd.set_clock(self._divider_hz[data[2]])
                self._status()
            case Commands.JTAG_DRIVE_NRST:
                self._ends(data, 3)
                self.require(data[2] in (0, 1), f"NRST {data[2]}")
                self._swd.set_nrst(data[2] == Commands.JTAG_DRIVE_NRST_LOW)
                self._status()
            case Commands.JTAG_GET_BOARD_IDENTIFIERS:
                self._ends(data, 2)
                self.send(struct.pack("<H", Status.JTAG_OK) + b"0765" * 2 + bytes(118))
            case _:
                self.require(self._mode == Commands.DEV_JTAG_MODE, f"{data.hex()} outside debug mode")
                self._access(data)

    def _access(self, data: bytes) -> None:
        match data[1]:
            case Commands.JTAG_EXIT:
                self._ends(data, 2)
                self._mode = Commands.DEV_MASS_MODE
                self._access_ports.clear()
                self._swd.disconnect()
            case Commands.JTAG_INIT_AP:
                self._ends(data, 4)
                self._access_ports.add(data[2])
                self._status()
            case Commands.JTAG_CLOSE_AP_DBG:
                self._ends(data, 3)
                self._access_ports.discard(data[2])
                self._status()
            case Commands.JTAG_READ_DAP_REG:
                self._ends(data, 6)
                self._read_register(*struct.unpack_from("<HH", data, 2))
            case Commands.JTAG_WRITE_DAP_REG:
                self._ends(data, 10)
                self._write_register(*struct.unpack_from("<HHI", data, 2))
            case Commands.JTAG_GETLASTRWSTATUS2:
                self._ends(data, 2)
                self.send(struct.pack("<HHII", self._last_status, 0, self._fault_address, 0))
            case command if command in _READS:
                address, size, port, csw = self._memory(data, _READS[command])
                self.send(self._read_memory(address, size, port, csw, _READS[command]))
            case command if command in _WRITES:
                address, size, port, csw = self._memory(data, _WRITES[command])
                width = _WRITES[command]
                self._expects_data = (
                    size,
                    lambda content: self._write_memory(address, content, port, csw, width),
                )
            case _:
                self.require(False, f"unknown command {data.hex()}")

    def _enter(self) -> None:
        """Enter debug mode: the firmware resets the line and reads DPIDR itself."""
        self._swd.connect()
        self._swd.line_reset(51, 0x7_FFFF_FFFF_FFFF)
        self._swd.line_reset(16, 0xE79E)
        self._swd.line_reset(53, 0x7_FFFF_FFFF_FFFF)
        try:
            self._swd.read_dp(0)
        except TransferError:
            self._swd.disconnect()
            self._status(Status.JTAG_GET_IDCODE_ERROR)
            return
        self._mode = Commands.DEV_JTAG_MODE
        self._status()

    def _read_register(self, port: int, address: int) -> None:
        try:
            value = self._select(port, address, lambda: self._read_selected(port, address))
        except TransferError as error:
            self.send(struct.pack("<HHI", self._failed(port, error), 0, 0))
        else:
            self.send(struct.pack("<HHI", Status.JTAG_OK, 0, value))

    def _read_selected(self, port: int, address: int) -> int:
        return self._swd.read_dp(address & 0xF) if port == DP_PORT else self._swd.read_ap(address & 0xFF)[0]

    def _write_register(self, port: int, address: int, value: int) -> None:
        try:
            self._select(port, address, lambda: self._write_selected(port, address, value))
        except TransferError as error:
            self._status(self._failed(port, error))
        else:
            self._status()

    def _write_selected(self, port: int, address: int, value: int) -> int:
        if port == DP_PORT:
            self._swd.write_dp(address & 0xF, value)
        else:
            self._swd.write_ap(address & 0xFF, [value])
        return 0

    def _select(self, port: int, address: int, action: Callable[[], int]) -> int:
        """The firmware keeps SELECT itself."""
        if port != DP_PORT:
            self._swd.write_dp(_SELECT, port << 24 | address & 0xF0)
        elif address & 0xF == 0x4:  # the DP register with banks
            self._swd.write_dp(_SELECT, address >> 4 & 0xF)
        return action()

    def _memory(self, data: bytes, width: int) -> tuple[int, int, int, int]:
        address, size, port = struct.unpack_from("<IHB", data, 2)
        self._ends(data, 12)
        self.require(port in self._access_ports, f"AP {port} is not initialised")
        limit = PACKET_BYTES if width == 1 else WORDS_MAX_BYTES
        self.require(0 < size <= limit, f"a memory command of {size} bytes")
        self.require(address % width == size % width == 0, f"{size} bytes at {address:#x}, {width} at once")
        return address, size, port, int.from_bytes(data[9:12], "little") << 8 or _CSW_DEFAULT

    def _read_memory(self, address: int, size: int, port: int, csw: int, width: int) -> bytes:
        content = bytearray()
        for start, count in self._pieces(address, size):
            values = self._block(
                port, csw, width, start, lambda count=count: self._swd.read_ap(_DRW, count // width)
            )
            if values is None:
                return bytes(content) + bytes(size - len(content))
            for offset, value in zip(range(start, start + count, width), values, strict=True):
                lane = value >> 8 * (offset & 3)  # bytes and halfwords come on their own lanes
                content += (lane & (1 << 8 * width) - 1).to_bytes(width, "little")
        return bytes(content)

    def _write_memory(self, address: int, content: bytes, port: int, csw: int, width: int) -> None:
        for start, count in self._pieces(address, len(content)):
            piece = content[start - address : start - address + count]
            values = [
                int.from_bytes(piece[i : i + width], "little") << 8 * (start + i & 3)
                for i in range(0, count, width)
            ]
            if self._block(port, csw, width, start, lambda values=values: self._write_words(values)) is None:
                return

    def _write_words(self, values: list[int]) -> list[int]:
        self._swd.write_ap(_DRW, values)
        self._swd.read_dp(0xC)  # RDBUFF: a posted write has ended, well or not
        return values

    def _block(
        self, port: int, csw: int, width: int, address: int, action: Callable[[], list[int]]
    ) -> list[int] | None:
        try:
            self._swd.write_dp(_SELECT, port << 24)
            self._swd.write_ap(_CSW, [csw | width >> 1 | _CSW_INCREMENT])
            self._swd.write_ap(_TAR, [address])
            values = action()
        except TransferError as error:
            self._last_status, self._fault_address = _AP_STATUS[error.ack], address
            return None
        self._last_status, self._fault_address = Status.JTAG_OK, 0
        return values

    @staticmethod
    def _pieces(address: int, size: int) -> list[tuple[int, int]]:
        pieces = []
        end = address + size
        while address < end:
            count = min(end - address, _INCREMENT_LIMIT - address % _INCREMENT_LIMIT)
            pieces.append((address, count))
            address += count
        return pieces

    @staticmethod
    def _failed(port: int, error: TransferError) -> int:
        return (_DP_STATUS if port == DP_PORT else _AP_STATUS)[error.ack]

    def _status(self, status: int = Status.JTAG_OK) -> None:
        self.send(struct.pack("<H", status))

    def _ends(self, data: bytes, size: int) -> None:
        self.require(not any(data[size:]), f"{data.hex()} is longer than a command of {size} bytes")
