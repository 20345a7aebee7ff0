# SPDX-License-Identifier: Apache-2.0
"""The board driver through pyOCD's own drivers of USB probes, down to the USB transfers.

Below pyusb is a virtual bus whose probes speak their USB protocols and reach the virtual part's SWD lines.
"""

from collections.abc import Callable, Iterator

import pytest

from hil.errors import ConnectError, InstrumentError
from hil.firmware.image import Image
from hil.instruments.pyocd_board import PyocdBoard
from hil.rig import Rig, State
from tests.usb_probes.bus import BULK, Bus, Device, ViolationError
from tests.usb_probes.cmsis_dap import CmsisDap
from tests.usb_probes.plugin import PROBES
from tests.usb_probes.stlink_v2_1 import COMMAND_BYTES, StlinkV21
from tests.usb_probes.swd import Swd

TARGET = "stm32l475xg"
NOBODY = "127.0.0.1:1"


@pytest.fixture
def bus() -> Iterator[Bus]:
    bus = Bus()
    with bus.in_place_of_libusb():
        yield bus
    for device in bus.devices:
        device.unplug()
        assert device.violations == []


@pytest.fixture
def plugged(bus: Bus, contract_rig: Rig) -> Callable[[str], PyocdBoard]:
    """Plugs a probe in, in front of the rig's part."""

    def plug(kind: str) -> PyocdBoard:
        probe = contract_rig.config.probe
        assert probe is not None
        device = PROBES[kind](Swd(probe.uid.removeprefix("remote:")))
        bus.devices.append(device)
        return PyocdBoard(device.serial, TARGET, 1.8e6)

    return plug


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        ("stlink", "V2J37M26, SWD 1.8 MHz, pyOCD "),
        ("cmsis-dap", "firmware 1.0.7, CMSIS-DAP 2.1.1, pyOCD "),
        ("cmsis-dap-v1", "firmware 1.0.7, CMSIS-DAP 1.3.0, pyOCD "),
    ],
)
def test_identity(plugged: Callable[[str], PyocdBoard], bus: Bus, kind: str, version: str) -> None:
    board = plugged(kind)
    identity = board.identity()
    device = bus.devices[0]
    assert (identity.manufacturer, identity.model) == (device.manufacturer, device.name)
    assert identity.serial == device.serial
    assert identity.version.startswith(version)
    assert not device.claimed, "the probe is let go of"
    assert not board.connected


def test_a_usb_probe_opens_in_a_session_only(plugged: Callable[[str], PyocdBoard]) -> None:
    """Why identity() makes a session: pyOCD's remote probe needs none, its USB probes do."""
    for kind in PROBES:
        with pytest.raises(AssertionError):
            plugged(kind)._find_probe().open()


@pytest.mark.parametrize("kind", sorted(PROBES))
def test_a_session(
    plugged: Callable[[str], PyocdBoard], contract_rig: Rig, reference_image: Image, kind: str
) -> None:
    contract_rig.to(State.OFF)
    contract_rig.to(State.POWERED)
    board = plugged(kind)
    board.connect(under_reset=True)
    segments = [(segment.address, segment.data) for segment in reference_image.segments]
    board.program(segments)
    assert board.program(segments) is False
    address, data = segments[0]
    other = bytes([data[0] ^ 1]) + data[1:]
    assert board.program([(address, other)]) is True
    assert board.program(segments) is True
    board.reset(halt=True)
    for offset, size in ((0, 1), (1, 2), (3, 7), (2, 4), (5, 64), (1020, 8), (4093, 3000)):
        content = bytes(i % 251 for i in range(size))
        board.write_memory(0x2000_8000 + offset, content)
        assert board.read_memory(0x2000_8000 + offset, size) == content
    with pytest.raises(InstrumentError):
        board.read_memory(0x3000_0000, 4)  # no memory there: the bus faults
    assert board.read_memory(0x2000_8000, 1) == b"\0", "the fault is cleared"
    board.resume()
    board.detach()
    board.connect()
    assert board.read_memory(address, 16) == data[:16]
    board.detach()
    assert not board.connected


@pytest.mark.parametrize("kind", sorted(PROBES))
def test_a_part_without_supply(plugged: Callable[[str], PyocdBoard], contract_rig: Rig, kind: str) -> None:
    contract_rig.to(State.OFF)
    board = plugged(kind)
    with pytest.raises(InstrumentError, match="suppl"):
        board.connect()
    assert not board.connected
    contract_rig.to(State.POWERED)
    board.connect()
    board.detach()


def test_no_probe_at_all(bus: Bus) -> None:
    with pytest.raises(ConnectError, match=r"no debug probe is on USB.*lsusb"):
        PyocdBoard("066D", TARGET, 1.8e6).identity()


def test_another_probe(bus: Bus) -> None:
    bus.devices.append(StlinkV21(Swd(NOBODY), "066DFF01"))
    with pytest.raises(ConnectError, match=r"066DFF01 \(0483:374b\).*set \[probe\] uid"):
        PyocdBoard("0672", TARGET, 1.8e6).identity()


def test_two_probes_match(bus: Bus) -> None:
    bus.devices += [StlinkV21(Swd(NOBODY), "066DFF01"), StlinkV21(Swd(NOBODY), "066DFF02")]
    with pytest.raises(ConnectError, match=r"066DFF01, 066DFF02 match.*whole serial number"):
        PyocdBoard("066DFF", TARGET, 1.8e6).identity()


@pytest.mark.parametrize("probe", [StlinkV21, CmsisDap])
def test_a_probe_without_the_right_to_open_it(bus: Bus, probe: Callable[[Swd], Device]) -> None:
    device = probe(Swd(NOBODY))
    device.readable = False
    device.vendor, device.product = (0x0483, 0x374B) if probe is StlinkV21 else (0x0D28, 0x0204)
    bus.devices.append(device)
    with pytest.raises(ConnectError, match=r"may not open it.*udev rule"):
        PyocdBoard(device.serial, TARGET, 1.8e6).identity()


@pytest.mark.parametrize("kind", sorted(PROBES))
def test_a_probe_that_another_program_holds(bus: Bus, kind: str) -> None:
    device = PROBES[kind](Swd(NOBODY))
    device.held_by_another = True
    bus.devices.append(device)
    with pytest.raises(ConnectError, match="close the other program"):
        PyocdBoard(device.serial, TARGET, 1.8e6).identity()


def test_without_libusb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("libusb_package.get_libusb1_backend", lambda: None)
    monkeypatch.setattr("usb.core.find", _no_backend)
    with pytest.raises(ConnectError, match=r"need libusb.*WinUSB"):
        PyocdBoard("066D", TARGET, 1.8e6).identity()


def _no_backend(*_arguments: object, **_options: object) -> None:
    import usb.core

    raise usb.core.NoBackendError("No backend available")


def test_firmware_of_the_probe_that_is_too_old(bus: Bus) -> None:
    bus.devices.append(StlinkV21(Swd(NOBODY), jtag_version=23))
    with pytest.raises(ConnectError, match=r"V2J23M26.*STSW-LINK007"):
        PyocdBoard(bus.devices[0].serial, TARGET, 1.8e6).identity()


@pytest.mark.parametrize(
    ("wanted_hz", "used"),
    [
        (4e6, "SWD 1.8 MHz (4 MHz asked for)"),
        (4.6e6, "SWD 4.6 MHz,"),
        (1e6, "SWD 0.95 MHz (1 MHz asked for)"),
    ],
)
def test_the_clock_that_is_really_used(
    plugged: Callable[[str], PyocdBoard], bus: Bus, wanted_hz: float, used: str
) -> None:
    plugged("stlink")
    assert used in PyocdBoard(bus.devices[0].serial, TARGET, wanted_hz).identity().version


def test_a_clock_below_the_lowest(plugged: Callable[[str], PyocdBoard], bus: Bus) -> None:
    plugged("stlink")
    with pytest.raises(ConnectError, match=r"100 kHz or more"):
        PyocdBoard(bus.devices[0].serial, TARGET, 50e3).identity()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (bytes([0xF1]), "a command of 1 bytes"),
        (bytes([0xF9]) + bytes(15), "unknown command"),
        (bytes([0xF1, 1]) + bytes(14), "longer than a command of 1"),
        (bytes([0xF2, 0x45, 0xFF, 0xFF]) + bytes(12), "outside debug mode"),
        (bytes([0xF2, 0x21]) + bytes(14), "outside debug mode"),
        (bytes([0xF2, 0x43, 4]) + bytes(13), "no SWD divider 4"),
        (bytes([0xF2, 0x30, 0x00]) + bytes(13), "not SWD"),
    ],
)
def test_the_virtual_stlink_is_strict(data: bytes, what: str) -> None:
    device = StlinkV21(Swd(NOBODY))
    with pytest.raises(ViolationError, match=what):
        device.receive(data)
    assert len(device.violations) == 1


def test_the_virtual_stlink_wants_its_answers_read() -> None:
    device = StlinkV21(Swd(NOBODY))
    device.receive(bytes([0xF1]) + bytes(COMMAND_BYTES - 1))
    with pytest.raises(ViolationError, match="before the answer"):
        device.receive(bytes([0xF1]) + bytes(COMMAND_BYTES - 1))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x42", "unknown command"),
        (b"\x00\xfe\x00", "not a command of 2"),
        (b"\x00\x33", "information 0x33"),
        (b"\x05\x00\x01\x02", "not connected"),
        (b"\x02\x02", "not SWD"),
        (b"\x11\x00\x00\x00\x00", "0 Hz"),
        (b"\x10\x01\x01\x00\x00\x00\x00", "by hand"),
        (bytes(600), "a packet of 600"),
    ],
)
def test_the_virtual_cmsis_dap_probe_is_strict(data: bytes, what: str) -> None:
    device = CmsisDap(Swd(NOBODY))
    with pytest.raises(ViolationError, match=what):
        device.receive(data)
    assert len(device.violations) == 1


def test_a_transfer_needs_a_claimed_interface(bus: Bus) -> None:
    device = StlinkV21(Swd(NOBODY))
    with pytest.raises(ViolationError, match="not claimed"):
        bus._write(device, 0x01, BULK, bytearray(16))
