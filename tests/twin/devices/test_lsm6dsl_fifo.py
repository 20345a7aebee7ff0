# SPDX-License-Identifier: Apache-2.0
import pytest

from hil.twin.core.scheduler import Scheduler
from hil.twin.devices.lsm6dsl import Lsm6dsl
from hil.twin.pins import Pin

PS_PER_S = 10**12
FIFO_CTRL1, FIFO_CTRL2, FIFO_CTRL3, FIFO_CTRL5, INT1_CTRL, CTRL1_XL = 0x06, 0x07, 0x08, 0x0A, 0x0D, 0x10
STATUS1, STATUS2, STATUS3, DATA_OUT_L = 0x3A, 0x3B, 0x3C, 0x3E
BYPASS, STOPS_WHEN_FULL, CONTINUOUS = 0, 1, 6
EMPTY, FULL, OVER_RUN, WATERMARK = 1 << 4, 1 << 5, 1 << 6, 1 << 7
INT1_FTH = 1 << 3
ODR_416_HZ, ODR_104_HZ = 6, 4


class Board:
    """The sensor on its bus; x counts the milliseconds, in steps of 2 g full scale."""

    def __init__(self):
        self.scheduler = Scheduler()
        self.int1 = Pin("PB3")
        self.sensor = Lsm6dsl(
            self.scheduler, lambda time_ps: (time_ps / 1e9 * 61e-6, 0.0, -61e-6), int1=self.int1
        )
        self.write(CTRL1_XL, ODR_416_HZ << 4)

    def advance(self, seconds):
        self.scheduler.advance_to(self.scheduler.now_ps + round(seconds * PS_PER_S))

    def write(self, register, *values):
        self.sensor.start(read=False)
        for byte in (register, *values):
            assert self.sensor.write(byte)
        self.sensor.stop()

    def read(self, register, count=1):
        self.write(register)
        self.sensor.start(read=True)
        values = [self.sensor.read() for _ in range(count)]
        self.sensor.stop()
        return values

    def words(self, count):
        data = bytes(self.read(DATA_OUT_L, 2 * count))
        return [int.from_bytes(data[n : n + 2], "little", signed=True) for n in range(0, 2 * count, 2)]

    @property
    def level(self):
        low, high = self.read(STATUS1, 2)
        return low | (high & 7) << 8

    @property
    def flags(self):
        return self.read(STATUS2)[0] & 0xF0

    def start_fifo(self, mode=CONTINUOUS, odr=ODR_416_HZ, decimation=1):
        self.write(FIFO_CTRL3, decimation)
        self.write(FIFO_CTRL5, odr << 3 | mode)


@pytest.fixture
def board():
    return Board()


def test_it_is_empty_until_it_is_started(board):
    board.advance(1.0)
    assert (board.level, board.flags) == (0, EMPTY)
    board.start_fifo(BYPASS)
    board.advance(1.0)
    assert (board.level, board.flags) == (0, EMPTY)


def test_samples_come_at_the_fifos_rate_and_in_order(board):
    board.start_fifo(odr=ODR_104_HZ)
    started_ms = board.scheduler.now_ps / 1e9
    board.advance(10.5 / 104)
    assert board.level == 30
    words = board.words(30)
    assert words[1::3] == [0] * 10
    assert words[2::3] == [-1] * 10
    due = [started_ms + 1000 * (n + 1) / 104 for n in range(10)]
    assert words[0::3] == pytest.approx(due, abs=0.6)
    assert (board.level, board.flags) == (0, EMPTY)


def test_decimation_stores_every_nth_sample(board):
    board.start_fifo(odr=ODR_416_HZ, decimation=4)
    board.advance(40.5 / 416)
    assert board.level == 30


def test_reading_goes_round_within_the_output_and_the_pattern_says_which_axis_is_next(board):
    board.start_fifo()
    board.advance(4.5 / 416)
    assert board.read(STATUS3) == [0]
    board.words(4)
    assert board.read(STATUS3) == [1]
    assert board.level == 8


@pytest.mark.parametrize("threshold", [3, 30, 600])
def test_int1_rises_when_the_threshold_is_reached_and_falls_when_it_is_read_out(board, threshold):
    rises_ps = []
    board.int1.external_level_changed.connect(
        lambda time_ps, level: rises_ps.append(time_ps) if level else None
    )
    board.write(FIFO_CTRL1, threshold & 0xFF, threshold >> 8)
    board.write(INT1_CTRL, INT1_FTH)
    board.start_fifo()
    started_ps = board.scheduler.now_ps
    board.advance((threshold / 3 + 0.5) / 416)
    assert rises_ps == [pytest.approx(started_ps + threshold / 3 / 416 * PS_PER_S, abs=2)]
    assert board.flags & WATERMARK
    board.words(3)
    assert board.int1.external_level is False
    assert not board.flags & WATERMARK
    board.advance(1 / 416)
    assert board.int1.external_level is True


def test_a_full_fifo_stops(board):
    board.start_fifo(STOPS_WHEN_FULL)
    board.advance(10.0)
    assert board.level == 2046
    assert board.flags & (FULL | OVER_RUN) == FULL | OVER_RUN
    first, last = board.words(2046)[0::2045]
    assert first < 10  # the oldest are kept
    assert last == -1


def test_a_continuous_fifo_loses_the_oldest(board):
    board.start_fifo()
    board.advance(10.0)
    assert (board.level, board.flags & OVER_RUN) == (2046, OVER_RUN)
    oldest_ms = board.words(1)[0]
    assert oldest_ms == pytest.approx(10_000 - 682 * 1000 / 416, abs=5)


def test_starting_it_anew_empties_it(board):
    board.start_fifo()
    board.advance(1.0)
    board.start_fifo(BYPASS)
    board.start_fifo()
    assert (board.level, board.flags) == (0, EMPTY)
