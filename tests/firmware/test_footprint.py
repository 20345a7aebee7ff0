# SPDX-License-Identifier: Apache-2.0
"""Sizes against what the linker script's own symbols and the programmed segments say."""

import zlib
from pathlib import Path

import pytest

from hil.errors import ImageError
from hil.firmware.build import MODEL_FILE, build
from hil.firmware.footprint import footprint
from hil.firmware.image import Image


def test_the_whole_is_what_is_programmed_and_what_the_linker_placed() -> None:
    image = Image.load(build())
    taken = footprint(image.path)
    assert taken.model_bytes == MODEL_FILE.stat().st_size
    assert image.model is not None
    assert zlib.crc32(image.model) == zlib.crc32(MODEL_FILE.read_bytes())
    assert taken.flash_bytes + taken.model_bytes == image.size_bytes
    placed = image.symbol("bss_end") - image.symbol("ram_start")
    assert taken.ram_bytes + taken.arena_bytes == pytest.approx(placed, abs=16)  # alignment of sections
    assert taken.arena_bytes == 8192  # firmware/config.h, NETWORK_ARENA_BYTES


def test_the_groups_add_up_to_the_whole() -> None:
    taken = footprint(build())
    assert sum(group.flash_bytes for group in taken.groups) == taken.flash_bytes
    assert sum(group.ram_bytes for group in taken.groups) == taken.ram_bytes
    assert all(group.flash_bytes >= 0 and group.ram_bytes >= 0 for group in taken.groups)
    by_name = {group.name: group for group in taken.groups}
    assert by_name["features.c"].ram_bytes >= 2 * 2 * 1024  # two arrays of 1024 halfwords
    assert by_name["other"].ram_bytes >= 216  # the mailbox, which is defined in assembly
    assert by_name["other"].flash_bytes < 0.1 * taken.flash_bytes


@pytest.mark.parametrize("content", [b"", b"no elf", b"\x7fELF" + bytes(60)])
def test_what_is_no_image_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.elf"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"x\.elf: footprint"):
        footprint(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="footprint: No such file"):
        footprint(tmp_path / "none.elf")
