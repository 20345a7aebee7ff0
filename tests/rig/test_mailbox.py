# SPDX-License-Identifier: Apache-2.0
"""The mailbox protocol, against a firmware of a few lines of Python behind the debugger's memory access."""

import struct
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hil.errors import DeviceTimeoutError, ImageError, MailboxError
from hil.firmware.image import NO_MAILBOX, Image
from hil.rig.mailbox import Mailbox, Mark

ADDRESS = 0x2000_1234 & ~3
SERVE = 0x53455256
INPUT, OUTPUT, SAMPLES = (ADDRESS + offset for offset in (256, 512, 1024))


class ScriptedFirmware:
    """A board whose firmware acts whenever bench time passes: negates tensors, counts cycles."""

    connected = True

    def __init__(self) -> None:
        self.memory = bytearray(b"\xa5" * 4096)
        self.running = False
        self.serving = False
        self.time_s = 0.0
        self.resets = 0
        self.version = 2
        self.size = 216
        self.tensors = [(INPUT, 32, 1), (OUTPUT, 32, 1), (SAMPLES, 2048, 4)]
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
                self._put(36, self.size, *(word for tensor in self.tensors for word in tensor))
                self._put(76, 16, 0)
                self._put(0, 0x4D424F58)
        elif self._word(8) != SERVE:
            self.reset()
        elif self._word(12) != self._word(16):
            if self._word(20) == 2:
                samples = np.frombuffer(self.read_memory(SAMPLES, 2048), "<u2")
                self.write_memory(INPUT, (samples[:32] >> 8).astype(np.int8).tobytes())
            tensor = np.frombuffer(self.read_memory(INPUT, 32), np.int8)
            self.write_memory(OUTPUT, (-tensor).tobytes())
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


@pytest.mark.parametrize(("field", "found", "complaint"), [
    ("version", 1, "version 1; expected version 2; try: build the firmware with the files"),
    ("size", 2220, "the structure has 2220 bytes; expected 216; try: build the firmware"),
])  # fmt: skip
def test_another_layout_is_refused(
    firmware: ScriptedFirmware, mailbox: Mailbox, field: str, found: int, complaint: str
) -> None:
    setattr(firmware, field, found)
    with pytest.raises(MailboxError, match=complaint):
        mailbox.enter_service()


@pytest.mark.parametrize(("tensor", "complaint"), [
    ((INPUT, 32, 99), "the input is of type 99; expected one of 1 int8"),
    ((INPUT, 33, 6), "the input has 33 bytes; expected whole elements of 4 bytes"),
    ((INPUT, 1 << 30, 1), "the input has 1073741824 bytes"),
])  # fmt: skip
def test_a_tensor_that_cannot_be_is_refused(
    firmware: ScriptedFirmware, mailbox: Mailbox, tensor: tuple[int, int, int], complaint: str
) -> None:
    firmware.tensors[0] = tensor
    with pytest.raises(MailboxError, match=complaint):
        mailbox.enter_service()


def test_any_length_and_type(firmware: ScriptedFirmware, mailbox: Mailbox) -> None:
    firmware.tensors = [(INPUT, 32, 6), (OUTPUT, 32, 3), (0, 0, 0)]
    with mailbox:
        result = mailbox.infer(np.linspace(-1, 1, 8))
        assert result.input.dtype == np.float32
        assert result.input.tolist() == np.linspace(-1, 1, 8, dtype=np.float32).tolist()
        assert (result.output.dtype, result.output.size) == (np.int16, 16)
        with pytest.raises(MailboxError, match="the firmware names no samples"):
            mailbox.process(np.zeros(4))


def test_a_command_that_the_firmware_does_not_know(firmware: ScriptedFirmware, mailbox: Mailbox) -> None:
    firmware.status = 0xFFFFFFFF
    with mailbox, pytest.raises(MailboxError, match="process: the firmware does not know this command"):
        mailbox.process(np.zeros(1024))


def test_marks_are_read_in_their_order(firmware: ScriptedFirmware, mailbox: Mailbox) -> None:
    with pytest.raises(MailboxError, match="marks: word 0 is 0xA5A5A5A5; expected an open mailbox"):
        mailbox.marks()
    with mailbox:
        assert mailbox.marks() == []
        for number in range(18):
            firmware._put(88 + 8 * (number % 16), number, 100 * number)
        firmware._put(76, 16, 18)
        assert mailbox.marks() == [Mark(number, 100 * number) for number in range(2, 18)]


def test_an_image_without_a_mailbox(firmware: ScriptedFirmware) -> None:
    with pytest.raises(MailboxError, match=r"firmware.elf has no mailbox.*hil firmware mailbox FOLDER"):
        Mailbox(firmware, firmware, image({}))


def test_the_owner_of_an_image_says_where_its_mailbox_is(firmware: ScriptedFirmware) -> None:
    stripped = replace(image({}), mailbox_name=f"0x{ADDRESS:08X}")
    renamed = replace(image({"door": ADDRESS}), mailbox_name="door")
    for declared in (stripped, renamed):
        with Mailbox(firmware, firmware, declared) as mailbox:
            assert mailbox.input.size == 32
    assert replace(image({"hil_mailbox": ADDRESS}), mailbox_name=NO_MAILBOX).mailbox is None
    with pytest.raises(ImageError, match="no symbol dor"):
        Mailbox(firmware, firmware, replace(renamed, mailbox_name="dor"))
