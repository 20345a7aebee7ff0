# SPDX-License-Identifier: Apache-2.0
"""The mailbox protocol, against a firmware of a few lines of Python behind the debugger's memory access."""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from hil.errors import DeviceTimeoutError, ImageError, MailboxError
from hil.firmware.image import Image
from hil.rig.mailbox import Mailbox

ADDRESS = 0x2000_1234 & ~3
SERVE = 0x53455256


class ScriptedFirmware:
    """A board whose firmware acts whenever bench time passes: negates tensors, counts cycles."""

    connected = True

    def __init__(self) -> None:
        self.memory = bytearray(b"\xa5" * 4096)
        self.running = False
        self.serving = False
        self.time_s = 0.0
        self.resets = 0
        self.version = 1
        self.status = 0
        self.deaf = False

    def reset(self, *, halt: bool = False) -> None:
        self.running, self.serving = not halt, False
        self.resets += 1

    def resume(self) -> None:
        self.running = True

    def read_memory(self, address: int, size: int) -> bytes:
        return bytes(self.memory[address - ADDRESS : address - ADDRESS + size])

    def write_memory(self, address: int, data: bytes) -> None:
        self.memory[address - ADDRESS : address - ADDRESS + len(data)] = data

    def now_s(self) -> float:
        return self.time_s

    def sleep(self, duration_s: float) -> None:
        self.time_s += duration_s
        if self.running and not self.deaf:
            self._act()

    def _word(self, offset: int) -> int:
        return int(struct.unpack_from("<I", self.memory, offset)[0])

    def _put(self, offset: int, *words: int) -> None:
        struct.pack_into(f"<{len(words)}I", self.memory, offset, *words)

    def _act(self) -> None:
        if not self.serving:
            if self._word(8) == SERVE and self._word(12) == ~SERVE & 0xFFFFFFFF:
                self.serving = True
                self._put(4, self.version)
                self._put(16, self._word(12))
                self._put(36, 32, 32)
                self._put(0, 0x4D424F58)
        elif self._word(8) != SERVE:
            self.reset()
        elif self._word(12) != self._word(16):
            if self._word(20) == 2:
                samples = np.frombuffer(self.memory, "<u2", 1024, 172)
                self.memory[44:76] = (samples[:32] >> 8).astype(np.int8).tobytes()
            tensor = np.frombuffer(bytes(self.memory[44:76]), np.int8)
            self.memory[108:140] = (-tensor).tobytes()
            self._put(24, self.status, 4242, int(np.sum((2 * tensor.astype(int)) ** 2)))
            self._put(16, self._word(12))


def image(symbols: Mapping[str, int]) -> Image:
    return Image(Path("firmware.elf"), "0" * 64, 0x0800_0000, (), symbols)


@pytest.fixture
def firmware() -> ScriptedFirmware:
    return ScriptedFirmware()


@pytest.fixture
def mailbox(firmware: ScriptedFirmware) -> Mailbox:
    return Mailbox(firmware, firmware, image({"hil_mailbox": ADDRESS}))


def test_infer_and_process(firmware: ScriptedFirmware, mailbox: Mailbox) -> None:
    tensor = np.arange(-16, 16)
    samples = np.arange(1024) * 4
    with mailbox:
        inferred = mailbox.infer(tensor)
        processed = mailbox.process(samples)
    assert inferred.output.tolist() == (-tensor).tolist()
    assert (inferred.cycles, inferred.score) == (4242, int(np.sum((2 * tensor) ** 2)))
    assert processed.input.tolist() == (samples[:32] >> 8).tolist()
    firmware.sleep(0.001)
    assert firmware.resets == 2  # into the service, and out of it


@pytest.mark.parametrize(
    "tensor", [np.zeros(31), np.full(32, 128), np.full(32, 0.5), np.zeros((1, 32)), np.full(32, np.nan)]
)
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
def test_a_tensor_that_does_not_fit_is_refused(mailbox: Mailbox, tensor: np.ndarray) -> None:
    with mailbox, pytest.raises(ValueError, match="takes 32 values that fit int8"):
        mailbox.infer(tensor)


def test_an_error_status_is_the_devices(firmware: ScriptedFirmware, mailbox: Mailbox) -> None:
    firmware.status = 3
    with mailbox, pytest.raises(MailboxError, match="hil_mailbox: infer: status 3"):
        mailbox.infer(np.zeros(32))


def test_a_firmware_that_does_not_serve(firmware: ScriptedFirmware, mailbox: Mailbox) -> None:
    firmware.deaf = True
    with pytest.raises(
        DeviceTimeoutError, match="enter service: word 0 is 0x00000000 after 10 s; expected 0x4D424F58"
    ):
        mailbox.enter_service()


def test_a_firmware_that_stops_answering(firmware: ScriptedFirmware, mailbox: Mailbox) -> None:
    mailbox.enter_service()
    firmware.deaf = True
    with pytest.raises(DeviceTimeoutError, match="infer: word 16"):
        mailbox.infer(np.zeros(32))


def test_another_version_is_refused(firmware: ScriptedFirmware, mailbox: Mailbox) -> None:
    firmware.version = 2
    with pytest.raises(MailboxError, match="version 2; expected version 1"):
        mailbox.enter_service()


def test_an_image_without_a_mailbox(firmware: ScriptedFirmware) -> None:
    with pytest.raises(ImageError, match="no symbol hil_mailbox"):
        Mailbox(firmware, firmware, image({}))
