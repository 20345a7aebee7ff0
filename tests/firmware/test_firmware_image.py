# SPDX-License-Identifier: Apache-2.0
"""hil.firmware.image: what an ELF holds, and one line for what it lacks."""

from __future__ import annotations

import hashlib
import struct
import sys
from pathlib import Path

import pytest

from hil.errors import ImageError
from hil.firmware.build import MODEL_FILE, build
from hil.firmware.image import FLASH_START, Image

SRAM1_START = 0x2000_0000
SRAM1_END = 0x2001_8000


@pytest.fixture(scope="module")
def elf() -> Path:
    return build()


@pytest.fixture(scope="module")
def image(elf: Path) -> Image:
    return Image.load(elf)


def damaged(tmp_path: Path, elf: Path, offset: int, value: bytes) -> Path:
    content = bytearray(elf.read_bytes())
    content[offset : offset + len(value)] = value
    path = tmp_path / "damaged.elf"
    path.write_bytes(content)
    return path


def test_vector_table_is_first(image: Image) -> None:
    """The first two words: initial stack pointer, and the reset vector with the Thumb bit."""
    assert image.segments[0].address == FLASH_START
    stack, reset = (int.from_bytes(image.read(FLASH_START + offset, 4), "little") for offset in (0, 4))
    assert stack == SRAM1_END
    assert reset == image.entry | 1
    assert image.entry == image.symbol("Reset_Handler")


def test_mailbox_is_where_no_build_moves_it(image: Image) -> None:
    assert image.symbol("hil_mailbox") == SRAM1_START


def test_model_is_the_file(image: Image) -> None:
    assert image.model == MODEL_FILE.read_bytes()


def test_the_hash_is_of_what_is_programmed(image: Image, elf: Path, tmp_path: Path) -> None:
    digest = hashlib.sha256()
    for segment in image.segments:
        digest.update(struct.pack("<II", segment.address, len(segment.data)) + segment.data)
    assert image.sha256 == digest.hexdigest()
    elsewhere = damaged(tmp_path, elf, elf.read_bytes().index(b"firmware/src"), b"/another/way")
    assert Image.load(elsewhere).sha256 == image.sha256, (
        "the checkout's path is in the debug information only"
    )
    first = elf.read_bytes().index(image.segments[0].data)
    assert Image.load(damaged(tmp_path, elf, first + 8, b"\xff")).sha256 != image.sha256


def test_segments_hold_what_is_programmed(image: Image) -> None:
    assert image.size_bytes == sum(len(segment.data) for segment in image.segments)
    assert 10_000 < image.size_bytes < 32 * 1024
    for one, next_one in zip(image.segments, image.segments[1:], strict=False):
        assert one.address + len(one.data) <= next_one.address


def test_missing_symbol_is_named(image: Image) -> None:
    with pytest.raises(ImageError, match=r"firmware\.elf: image: has no symbol no_such_thing"):
        image.symbol("no_such_thing")


def test_read_outside_is_refused(image: Image) -> None:
    with pytest.raises(ImageError, match="has no 4 bytes at 0x20000000"):
        image.read(SRAM1_START, 4)


def test_absent_file(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"none\.elf: image: cannot be read: No such file"):
        Image.load(tmp_path / "none.elf")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"# not an image\n", "is no ELF file; expected an ELF file; try: the linker's output: .elf"),
        (b"", "is empty; expected"),
        (b":020000040800F2\r\n", "is in Intel HEX, which has no symbols; expected an ELF file"),
        (b"S0030000FC\r\n", "is in Motorola S-records"),
        (b"\x7fELF\x01\x01", "is not a sound ELF file"),
    ],
    ids=["text", "empty", "hex", "s-records", "cut"],
)
def test_no_elf(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "readme.elf"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=told):
        Image.load(path)


def test_hosts_program_is_not_for_the_part(tmp_path: Path, elf: Path) -> None:
    x86_64 = (62).to_bytes(2, "little")
    with pytest.raises(
        ImageError, match=r"is built for X86_64, 32 bit; expected a 32-bit little-endian Arm ELF"
    ):
        Image.load(damaged(tmp_path, elf, 18, x86_64))  # e_machine


def test_object_file_is_not_linked(tmp_path: Path, elf: Path) -> None:
    with pytest.raises(ImageError, match="is an ELF of type REL; expected a linked executable"):
        Image.load(damaged(tmp_path, elf, 16, b"\x01\x00"))  # e_type


def test_image_for_another_address(tmp_path: Path, elf: Path) -> None:
    """The first program header's physical address moved to 0."""
    header = int.from_bytes(elf.read_bytes()[28:32], "little")  # e_phoff
    with pytest.raises(ImageError, match="0x00000000; expected addresses in flash"):
        Image.load(damaged(tmp_path, elf, header + 12, bytes(4)))


@pytest.mark.parametrize("kept", [0, 3, 20, 51, 60, 0x1000, 0x2000, 20_000, -1])
def test_truncated_file(tmp_path: Path, elf: Path, kept: int) -> None:
    path = tmp_path / "cut.elf"
    path.write_bytes(elf.read_bytes()[:kept])
    with pytest.raises(ImageError) as caught:
        Image.load(path)
    assert "\n" not in str(caught.value)


def test_interpreter_of_this_test_is_no_image() -> None:
    with pytest.raises(ImageError):
        Image.load(Path(sys.executable))
