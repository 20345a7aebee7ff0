# SPDX-License-Identifier: Apache-2.0
"""The firmware built for a board with other pins, another UART, another bus, on the emulated part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hil.boards import Board
from hil.errors import FirmwareBuildError
from hil.firmware.build import board_names, build
from hil.firmware.image import Image
from hil.twin import board_devices
from tests.firmware.emulated_part import LSE_START_S, PS_PER_S, Part

BOARD = "b_l475e_iot01a"
MARKERS = ("PA4", "PB1")
SAMPLES = 1024
SRAM1 = 0x2000_0000
G_PER_CODE = 61e-6 * 16
"""As in test_lsm6dsl.py."""


def test_each_board_has_its_header() -> None:
    assert {Board.load(name).firmware for name in (BOARD, "nucleo_l476rg")} <= set(board_names())
    with pytest.raises(FirmwareBuildError, match="knows no board 'nucleo_l4'"):
        build(board="nucleo_l4")


def test_a_header_without_a_board_takes_no_other_parts_registers(tmp_path: Path) -> None:
    (tmp_path / "CMakeLists.txt").touch()
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "strangers.h").touch()
    with pytest.raises(FirmwareBuildError, match=r"no board of hil-rig has the header strangers\.h"):
        build(firmware_dir=tmp_path, board="strangers")


def test_it_talks_on_its_own_uart_and_moves_its_own_markers() -> None:
    part = Part(Image.load(build(board=BOARD)), BOARD, MARKERS)
    part.advance(LSE_START_S + 2.0)
    assert "BOOT" in part.console
    assert [name for _, name, level in part.edges if level] == ["PB1", "PA4"]
    assert {part.pins[name].level_out for name in ("PA2", "PA8", "PB10")} == {None}
    part.wake_console()  # by an edge on PB7, from Stop 2
    assert part.ask("INFO")["mcu"] == "stm32l475"


def test_it_samples_the_accelerometer_that_is_soldered_to_the_board() -> None:
    part = Part(Image.load(build(sensor="lsm6dsl", board=BOARD)), BOARD, MARKERS)
    models = board_devices.attach_soldered(part.board.devices, part.mcu, part.pins, lambda time_ps: 0.0)
    assert set(models) == {"LSM6DSL"}
    part.advance(LSE_START_S + 2.0)
    assert "wake=1 " in part.console
    start = part.image.symbol("application_samples") - SRAM1
    codes = part.mcu.core.memory.sram1[start : start + 2 * SAMPLES].view("<u2").astype(float)
    assert np.allclose((codes - 2048) * G_PER_CODE, 1.0, atol=G_PER_CODE)  # it lies still
    assert part.mcu.supply.current_a < 2e-6  # Stop 2 again, and nothing left on


def test_without_the_device_it_says_so() -> None:
    part = Part(Image.load(build(sensor="lsm6dsl", board=BOARD)), BOARD, MARKERS)
    part.advance(LSE_START_S + 2.0)
    assert part.console.count("ERR code=26") == 1
    assert part.now_ps > PS_PER_S
