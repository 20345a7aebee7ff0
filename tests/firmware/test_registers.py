# SPDX-License-Identifier: Apache-2.0
"""The generated register header: same bytes every time, and right where the SVD file is known to be wrong."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hil.boards import REFERENCE, Board
from hil.firmware.build import FIRMWARE_DIR

SVD = Board.load(REFERENCE).part.svd
TOOL = FIRMWARE_DIR / "tools" / "registers.py"
BY_HAND = Path(__file__).resolve().parents[1] / "twin" / "traps" / "firmware" / "stm32l476.h"
"""What the traps' firmware uses, written from the reference manual."""


def written(folder: Path, hash_seed: int) -> str:
    """What the tool writes in a process of its own."""
    path = folder / f"registers{hash_seed}.h"
    environment = os.environ | {"PYTHONHASHSEED": str(hash_seed)}
    subprocess.run([sys.executable, str(TOOL), str(path), SVD], check=True, env=environment)
    return path.read_text("ascii")


@pytest.fixture(scope="module")
def header(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(tmp_path_factory.mktemp("registers"), hash_seed=0)


@pytest.fixture(scope="module")
def tool() -> dict[str, Any]:
    return runpy.run_path(str(TOOL))


def test_the_same_file_gives_the_same_bytes(header: str, tmp_path: Path) -> None:
    assert written(tmp_path, hash_seed=1) == header


def bits(text: str) -> dict[str, int]:
    """The macros that stand for one bit."""
    return {name: int(bit) for name, bit in re.findall(r"^#define (\w+) \(1u << (\d+)\)$", text, re.M)}


def test_bits_are_where_the_manual_has_them(header: str) -> None:
    generated, by_hand = bits(header), bits(BY_HAND.read_text("ascii"))
    common = generated.keys() & by_hand.keys()
    assert len(common) >= 30
    assert {name: generated[name] for name in common} == {name: by_hand[name] for name in common}


def test_base_addresses_are_where_the_datasheet_has_them(header: str) -> None:
    pattern = r"^#define (\w+) \(\(\w+_t \*\)0x([0-9A-Fa-f]+)u\)$"
    generated, by_hand = (
        {name: int(address, 16) for name, address in re.findall(pattern, text, re.M)}
        for text in (header, BY_HAND.read_text("ascii"))
    )
    assert len(by_hand) >= 13
    assert by_hand.items() <= generated.items()


@pytest.mark.parametrize(
    ("macro", "bit"),
    [
        # ST's CMSIS header, stm32l476xx.h
        ("RCC_AHB1ENR_CRCEN", 12),
        ("RCC_AHB1SMENR_CRCSMEN", 12),
        ("RCC_AHB2SMENR_ADCSMEN", 13),
        ("RCC_APB1ENR1_SPI3EN", 15),
        ("PWR_CR3_EIWUL", 15),
        ("PWR_SR1_SBF", 8),
        ("PWR_SCR_CSBF", 8),
        ("PWR_SCR_CWUF1", 0),
        ("FLASH_CR_STRT", 16),
        ("FLASH_OPTR_IWDG_SW", 16),
    ],
)
def test_what_the_file_has_wrong_is_put_right(header: str, macro: str, bit: int) -> None:
    assert bits(header)[macro] == bit


def test_registers_that_the_file_lacks_are_there(header: str) -> None:
    assert 'offsetof(gpio_t, ASCR) == 0x2c, "GPIO.ASCR"' in header
    assert "volatile uint32_t BKPR[32]; /* 0x50 */" in header


def test_bits_that_the_part_lacks_are_gone(header: str) -> None:
    assert "AUTOFF" not in header
    assert "AESEN" not in header


def test_a_correction_that_no_longer_applies_is_an_error(tool: dict[str, Any]) -> None:
    root = tool["read_svd"](SVD)
    peripherals = {item.findtext("name", ""): item for item in root.iterfind("peripherals/peripheral")}
    types = {
        name: tool["registers_of"](peripherals[uses[0]], peripherals) for name, uses in tool["TYPES"].items()
    }
    tool["correct"](types)
    with pytest.raises(SystemExit, match=r"no longer missing|has no .* to correct"):
        tool["correct"](types)
