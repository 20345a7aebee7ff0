# SPDX-License-Identifier: Apache-2.0
import pytest

from hil.twin.core.scheduler import Scheduler
from hil.twin.supply_net import SupplyNet

REGULATOR_V = 3.3


class Board:
    def __init__(self, *, capacitance_f: float = 0.0, part_a: float = 0.0, regulator: bool = False) -> None:
        self.scheduler = Scheduler()
        self.vdd_v = 0.0
        self.charge_c = 0.0
        self.net = SupplyNet(
            self.scheduler,
            self._set,
            part_a=lambda: part_a,
            draw_charge=self._draw,
            capacitance_f=capacitance_f,
            off_resistance_ohm=100e3,
            regulator_v=REGULATOR_V if regulator else 0.0,
        )

    def _set(self, voltage_v: float) -> None:
        self.vdd_v = voltage_v

    def _draw(self, charge_c: float) -> None:
        self.charge_c += charge_c

    def after(self, seconds: float) -> float:
        self.scheduler.advance_to(self.scheduler.now_ps + round(seconds * 1e12))
        return self.vdd_v


def test_without_capacitors_vdd_follows_the_output() -> None:
    board = Board()
    board.net.drive(3.0, True)
    assert board.vdd_v == 3.0
    board.net.drive(0.0, False)
    assert board.vdd_v == 0.0


def test_capacitors_are_charged_by_the_output_and_discharged_by_the_board() -> None:
    board = Board(capacitance_f=5e-6)
    board.net.drive(3.0, True)
    assert board.charge_c == pytest.approx(15e-6)
    board.net.drive(0.0, False)
    assert board.vdd_v == 3.0
    assert board.after(0.5) == pytest.approx(3.0 / 2.718281828, rel=0.02)  # R C is half a second
    assert board.after(10.0) == 0.0


def test_the_part_discharges_them_too() -> None:
    board = Board(capacitance_f=5e-6, part_a=1e-3)
    board.net.drive(3.0, True)
    board.net.drive(0.0, False)
    assert board.after(7.5e-3) == pytest.approx(1.5, abs=0.03)


def test_what_comes_through_a_pin_holds_a_net_that_nothing_drives() -> None:
    board = Board(capacitance_f=5e-6)
    board.net.feed("a line", 1.9)
    assert board.vdd_v == 1.9
    assert not board.net.driven
    board.net.drive(3.0, True)
    assert board.vdd_v == 3.0
    board.net.drive(0.0, False)
    assert board.after(10.0) == 1.9
    board.net.feed("a line", 0.0)
    assert board.after(10.0) == 0.0


def test_the_boards_own_regulator_wins() -> None:
    board = Board(regulator=True)
    assert (board.vdd_v, board.net.driven) == (REGULATOR_V, True)
    board.net.drive(3.0, True)
    assert (board.vdd_v, board.net.backward_a) == (REGULATOR_V, pytest.approx(0.1))
    board.net.drive(0.0, False)
    assert (board.vdd_v, board.net.backward_a) == (REGULATOR_V, 0.0)
