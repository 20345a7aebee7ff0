# SPDX-License-Identifier: Apache-2.0
"""CTS, RTS and DE."""

import pytest

from tests.twin.ip.usart_v3.usart_part import BIT_S, CR1, CR3, ICR, RE, TC, TDR, TE, UE, UsartPart

RTSE, CTSE, CTSIE, DEM, DEP = 1 << 8, 1 << 9, 1 << 10, 1 << 14, 1 << 15
CTSIF, CTS = 1 << 9, 1 << 10


@pytest.fixture
def part() -> UsartPart:
    return UsartPart()


def test_cts_holds_the_next_frame_but_not_the_one_under_way(part):
    part.usart(CR3, CTSE | CTSIE)
    part.usart(CR1, UE | TE)
    part.bits(12)
    assert part.flags & (CTS | CTSIF) == CTS
    part.usart(TDR, 1)
    part.usart(TDR, 2)
    part.bits(5)
    part.drive("PA0", True)
    assert part.flags & (CTS | CTSIF) == CTSIF
    assert part.interrupted
    part.bits(30)
    assert [data for _, data in part.sent] == [1]
    assert not part.flags & TC
    part.usart(ICR, CTSIF)
    assert not part.interrupted
    part.drive("PA0", False)
    part.bits(11)
    assert [data for _, data in part.sent] == [1, 2]
    assert part.flags & TC


def test_cts_means_nothing_unless_it_is_enabled(part):
    part.drive("PA0", True)
    part.usart(CR1, UE | TE)
    part.usart(TDR, 1)
    part.bits(30)
    assert len(part.sent) == 1
    assert not part.flags & (CTS | CTSIF)


def test_rts_is_high_while_the_data_register_is_full(part):
    part.usart(CR3, RTSE)
    assert part.pins["PA1"].level_out is None
    part.usart(CR1, UE | RE)
    assert part.pins["PA1"].level_out is False
    part.put_frame("PA3", 0x31, 1 / BIT_S)
    assert part.pins["PA1"].level_out is True
    assert part.data == 0x31
    assert part.pins["PA1"].level_out is False


@pytest.mark.parametrize("polarity", [0, DEP])
@pytest.mark.parametrize(("oversampling", "samples"), [(0, 16), (1 << 15, 8)])
def test_de_is_active_around_what_is_sent(part, polarity, oversampling, samples):
    edges = []
    part.pins["PA1"].level_out_changed.connect(lambda time_ps, level: edges.append((time_ps, level)))
    part.usart(0x0C, 35 if samples == 16 else 0x43)  # 35 = 2 * 4 MHz / 70: the same rate
    part.usart(CR3, DEM | polarity)
    part.usart(CR1, UE | TE | 20 << 21 | 10 << 16 | oversampling)
    part.bits(12)
    idle = bool(polarity)
    assert [level for _, level in edges] == [idle]
    start_ps = part.now_ps
    part.usart(TDR, 1)
    part.usart(TDR, 2)
    part.bits(60)
    (_, (on_ps, on), (off_ps, off)) = edges
    assert (on, off) == (not idle, idle)
    assert on_ps == start_ps
    assert [round((time_ps - start_ps) * 1e-12 / BIT_S, 3) for time_ps, _ in part.sent] == [
        10 + 20 / samples,
        20 + 20 / samples,
    ]
    assert off_ps - part.sent[-1][0] == pytest.approx(10 / samples * BIT_S * 1e12, rel=1e-6)


def test_data_written_while_de_is_released_waits_for_both_times(part):
    part.usart(CR3, DEM)
    part.usart(CR1, UE | TE | 16 << 21 | 16 << 16)
    part.bits(12)
    part.usart(TDR, 1)
    part.bits(11.5)
    assert len(part.sent) == 1
    part.usart(TDR, 2)
    part.bits(20)
    first_ps, second_ps = (time_ps for time_ps, _ in part.sent)
    assert round((second_ps - first_ps) * 1e-12 / BIT_S, 3) == 12
