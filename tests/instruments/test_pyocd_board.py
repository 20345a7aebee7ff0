# SPDX-License-Identifier: Apache-2.0
"""Probes on USB, in pyOCD's own classes, and one behind a network connection that ends."""

import socket
import threading

import pytest
from pyocd.probe.pydapaccess.dap_access_cmsis_dap import DAPAccessCMSISDAP
from pyocd.probe.pydapaccess.interface.interface import Interface
from pyocd.probe.stlink.usb import STLinkUSBInterface

from hil.errors import ConnectError
from hil.instruments.pyocd_board import PyocdBoard


def test_a_server_that_goes_away_is_an_error_and_no_wait_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def hang_up() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)

        answering = threading.Thread(target=hang_up)
        answering.start()
        board = PyocdBoard(f"remote:127.0.0.1:{port}", "stm32l475xg", 4e6)
        with pytest.raises(ConnectError, match=r"closed the connection|reset by peer"):
            board.identity()
        answering.join()


class _StlinkOnUsb(STLinkUSBInterface):
    """An ST-LINK/V2-1 with firmware V2J37M26 that answers what pyOCD asks on opening it."""

    def __init__(self) -> None:
        self._serial_number = "066DFF01"
        self._vendor_name, self._product_name = "STMicroelectronics", "STM32 STLink"
        self._closed = True

    def open(self) -> None:
        assert self._closed
        self._closed = False

    def close(self) -> None:
        assert not self._closed
        self._closed = True

    def transfer(
        self,
        cmd: list[int],
        writeData: bytes | None = None,  # noqa: N803
        readSize: int | None = None,  # noqa: N803
        timeout: int = 0,
    ) -> bytes | None:
        assert not self._closed
        answers = {
            (0xF1,): bytes.fromhex("295A83044B37"),
            (0xF5,): b"\1\0",
            (0xF7,): bytes(8),
            (0xF2, 0x43): b"\x80\0",
            (0xF2, 0x56): b"\x80\0" + b"0765" * 2 + bytes(118),
        }
        answer = answers[tuple(cmd[: 2 if cmd[0] == 0xF2 else 1])]
        assert len(answer) == readSize
        return answer


class _CmsisDapOnUsb(Interface):
    """A CMSIS-DAP v2 probe that answers what pyOCD asks on opening it."""

    is_bulk = True

    def __init__(self) -> None:
        super().__init__()
        self.vendor_name, self.product_name, self.serial_number = "Arm", "Probe CMSIS-DAP", "0240000001"

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def write(self, data: list[int]) -> None:
        answers = {
            (0x00, 0xFE): b"\0\1\4",
            (0x00, 0x04): b"\0\6" + b"2.0.0\0",
            (0x00, 0xFF): b"\0\2\x00\x02",
            (0x00, 0xF0): b"\0\1\1",
            (0x11,): b"\x11\0",
        }
        self._answer = answers[tuple(data[: 2 if data[0] == 0 else 1])]

    def read(self) -> bytes:
        return self._answer


def test_identity_of_an_stlink(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(STLinkUSBInterface, "get_all_connected_devices", lambda: [_StlinkOnUsb()])
    identity = PyocdBoard("066DFF01", "stm32l475xg", 1.8e6).identity()
    assert (identity.model, identity.serial) == ("STM32 STLink", "066DFF01")


def test_identity_of_a_cmsis_dap_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    interface = _CmsisDapOnUsb()
    monkeypatch.setattr(DAPAccessCMSISDAP, "_lookup_interface_for_unique_id", lambda _uid: interface)
    identity = PyocdBoard("0240000001", "stm32l475xg", 1.8e6).identity()
    assert (identity.model, identity.serial) == ("Probe CMSIS-DAP", "0240000001")
