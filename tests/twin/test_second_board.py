# SPDX-License-Identifier: Apache-2.0
"""The virtual bench of a board with another part, package, console and devices: all from its file."""

import pytest

from hil.boards import REFERENCE
from hil.twin import bench_config
from hil.twin.bench import Bench
from hil.twin.errors import BenchConfigError, WiringError
from tests.twin.bare_part import BarePart

BOARD = "b_l475e_iot01a"
APB1ENR1 = 0x4002_1058
LCD_ENABLE, TIM2_ENABLE = 1 << 9, 1 << 0
PACKAGE = 0x1FFF_7500


def bench(**wiring: object) -> Bench:
    return Bench(bench_config.parse({"board": {"name": BOARD}, "wiring": wiring}, "rig.toml"))


@pytest.mark.parametrize(("board", "has_lcd", "package"), [(REFERENCE, True, 0), (BOARD, False, 2)])
def test_a_part_has_no_more_than_its_file_says(board: str, has_lcd: bool, package: int) -> None:
    part = BarePart(board=board)
    part.mcu.set_supply_voltage(3.0)
    part.advance(1e-3)
    core = part.mcu.core
    core.debug_write(APB1ENR1, 4, LCD_ENABLE | TIM2_ENABLE)
    assert core.debug_read(APB1ENR1, 4) & (LCD_ENABLE | TIM2_ENABLE) == TIM2_ENABLE | LCD_ENABLE * has_lcd
    assert ("LCD" in part.mcu.peripherals.blocks) is has_lcd
    assert core.debug_read(PACKAGE, 4) == package


def test_console_and_devices_are_where_the_board_has_them() -> None:
    board = bench()
    assert board.mcu.console_uart is board.mcu.peripherals.uarts["USART1"]
    assert [device.address for device in board.mcu.peripherals.i2cs["I2C2"].devices] == [0x6A]
    assert board.unmodelled_devices[0] == "HTS221 on I2C2 of the board"


def test_pins_that_only_this_package_has_can_be_wired() -> None:
    wire = {"pin": "PE7", "terminal": "Dev1/ctr0"}
    bench(marker=wire)
    with pytest.raises(WiringError, match=r"the LQFP64 package of nucleo_l476rg has no pin 'PE7'"):
        Bench(bench_config.parse({"wiring": {"marker": wire}}, "rig.toml"))


def test_an_unknown_board_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BenchConfigError, match=rf"no board 'nucleo'; expected {BOARD}, nucleo_l476rg"):
        bench_config.parse({"board": {"name": "nucleo"}}, "rig.toml")
