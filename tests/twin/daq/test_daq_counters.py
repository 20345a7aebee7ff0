# SPDX-License-Identifier: Apache-2.0
"""Counter measurements through stock nidaqmx: exact to the tick."""

from __future__ import annotations

import nidaqmx
import pytest
from nidaqmx.constants import AcquisitionType, Edge, FrequencyUnits
from nidaqmx.errors import DaqError

from hil.twin.daq import Daq

TICK_S = 10e-9


def raises(code: int):
    return pytest.raises(DaqError, check=lambda error: error.error_code == code)


def test_pulse_widths_are_buffered_while_time_passes(session, daq, bench) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        channel = task.ci_channels.add_ci_pulse_width_chan("Dev1/ctr0", min_val=1e-6, max_val=1.0)
        assert channel.ci_pulse_width_term == "/Dev1/PFI9"
        task.timing.cfg_implicit_timing(sample_mode=AcquisitionType.FINITE, samps_per_chan=3)
        task.start()
        bench.pulses(daq.edge_listener("Dev1/ctr0"), [0.1, 0.101, 0.2, 0.2000123, 0.3, 0.30000001])
        bench.advance(0.25)
        assert task.in_stream.avail_samp_per_chan == 2
        widths_s = task.read(3, timeout=1.0)
        assert widths_s == pytest.approx([1e-3, 12.3e-6, 10e-9], abs=TICK_S / 1000)
        assert bench.now_s == pytest.approx(0.30000001)
        assert task.is_task_done()


def test_widths_are_whole_ticks(session, daq, bench) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        task.ci_channels.add_ci_pulse_width_chan("Dev1/ctr1")
        task.timing.cfg_implicit_timing(samps_per_chan=1)
        task.start()
        bench.pulses(daq.edge_listener("ctr1"), [1e-6, 1e-6 + 1234.567e-9])
        (width_s,) = task.read(1)
    assert width_s in (pytest.approx(1230e-9, abs=1e-15), pytest.approx(1240e-9, abs=1e-15))


def test_a_pulse_under_way_when_armed_is_not_measured(session, daq, bench) -> None:
    drive = daq.edge_listener("ctr0")
    drive(0, True)
    with nidaqmx.Task(grpc_options=session) as task:
        task.ci_channels.add_ci_pulse_width_chan("Dev1/ctr0")
        task.timing.cfg_implicit_timing(samps_per_chan=1)
        task.start()
        bench.pulses(lambda time_ps, level: drive(time_ps, not level), [0.1, 0.2, 0.25])
        assert task.read(1) == pytest.approx([0.05])


def test_no_signal_times_out_in_bench_time(session, bench) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        task.ci_channels.add_ci_pulse_width_chan("Dev1/ctr0")
        task.timing.cfg_implicit_timing(samps_per_chan=1)
        with raises(-200284):
            task.read(1, timeout=25.0)
        assert bench.now_s == pytest.approx(25.0)


def test_some_pulses_and_then_a_timeout_say_how_many_came(session, daq, bench) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        task.ci_channels.add_ci_pulse_width_chan("Dev1/ctr0")
        task.timing.cfg_implicit_timing(samps_per_chan=5)
        task.start()
        bench.pulses(daq.edge_listener("ctr0"), [0.1, 0.2, 0.3, 0.4])
        with pytest.raises(DaqError) as caught:
            task.read(5, timeout=1.0)
        assert caught.value.samps_per_chan_read == 2


def test_periods_and_frequencies(session, daq, bench) -> None:
    drive = daq.edge_listener("ctr2")
    with nidaqmx.Task(grpc_options=session) as task:
        task.ci_channels.add_ci_period_chan("Dev1/ctr2", min_val=1e-3, max_val=20.0)
        task.timing.cfg_implicit_timing(samps_per_chan=2)
        task.start()
        bench.pulses(drive, [1.0, 1.5, 11.0, 11.2, 21.5, 22.0])
        assert task.read(2, timeout=30.0) == pytest.approx([10.0, 10.5], abs=TICK_S)
    bench.advance(1)
    with nidaqmx.Task(grpc_options=session) as task:
        task.ci_channels.add_ci_freq_chan("Dev1/ctr2", min_val=1, max_val=1e6, units=FrequencyUnits.HZ)
        task.start()
        bench.pulses(drive, [0.001, 0.0015, 0.002, 0.0025])
        assert task.read() == pytest.approx(1000.0)


def test_semi_periods_and_pulse_times(session, daq, bench) -> None:
    drive = daq.edge_listener("ctr0")
    with nidaqmx.Task(grpc_options=session) as task:
        task.ci_channels.add_ci_semi_period_chan("Dev1/ctr0")
        task.timing.cfg_implicit_timing(samps_per_chan=3)
        task.start()
        bench.pulses(drive, [0.001, 0.002, 0.004, 0.007])
        assert task.read(3) == pytest.approx([0.001, 0.002, 0.003])
    assert bench.now_s == pytest.approx(0.007)
    with nidaqmx.Task(grpc_options=session) as task:
        task.ci_channels.add_ci_pulse_chan_time("Dev1/ctr0")
        task.timing.cfg_implicit_timing(samps_per_chan=1)
        task.start()
        bench.pulses(drive, [0.001, 0.002, 0.005])
        (pulse,) = task.read(1)
        assert (pulse.high_time, pulse.low_time) == pytest.approx((0.001, 0.003))


def test_two_edge_separation_between_two_wires(session, daq, bench) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        channel = task.ci_channels.add_ci_two_edge_sep_chan(
            "Dev1/ctr3", first_edge=Edge.RISING, second_edge=Edge.FALLING
        )
        assert channel.ci_two_edge_sep_first_term == "/Dev1/PFI7"
        channel.ci_two_edge_sep_first_term = "/Dev1/PFI9"
        channel.ci_two_edge_sep_second_term = "/Dev1/PFI4"
        task.timing.cfg_implicit_timing(samps_per_chan=1)
        task.start()
        bench.pulses(daq.edge_listener("ctr0"), [0.010, 0.015])
        bench.pulses(daq.edge_listener("ctr1"), [0.012, 0.0125])
        assert task.read(1) == pytest.approx([0.0025])


def test_edges_are_counted(session, daq, bench) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        task.ci_channels.add_ci_count_edges_chan("Dev1/ctr0", edge=Edge.RISING, initial_count=10)
        task.start()
        bench.pulses(daq.edge_listener("ctr0"), [0.1, 0.2, 0.3, 0.4, 0.5])
        bench.advance(0.35)
        assert task.read() == 12
        assert task.ci_channels[0].ci_count == 12
        bench.advance(1)
        assert task.read() == 13


def test_a_line_of_port_1_is_the_pfi_terminal(session) -> None:
    with nidaqmx.Task(grpc_options=session) as counter, nidaqmx.Task(grpc_options=session) as line:
        channel = counter.ci_channels.add_ci_count_edges_chan("Dev1/ctr1")
        channel.ci_count_edges_term = "PFI2"
        counter.start()
        line.do_channels.add_do_chan("Dev1/port1/line2")
        for level in (True, False, True):
            line.write(level)
        assert counter.read() == 2


def test_unknown_terminal(session) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        channel = task.ci_channels.add_ci_pulse_width_chan("Dev1/ctr0")
        with raises(-200254):
            channel.ci_pulse_width_term = "/Dev1/PFI99"


def test_a_slow_timebase_measures_what_rolls_the_fast_one_over(session, daq, bench) -> None:
    drive = daq.edge_listener("ctr0")
    with nidaqmx.Task(grpc_options=session) as task:
        task.ci_channels.add_ci_pulse_width_chan("Dev1/ctr0", min_val=1e-3, max_val=1000.0)
        assert task.ci_channels[0].ci_ctr_timebase_rate == 100e3
        task.timing.cfg_implicit_timing(samps_per_chan=1)
        task.start()
        bench.pulses(drive, [1.0, 101.0])
        assert task.read(1, timeout=200) == pytest.approx([100.0], abs=1e-5)
    bench.advance(1)
    with nidaqmx.Task(grpc_options=session) as task:
        task.ci_channels.add_ci_pulse_width_chan("Dev1/ctr0", min_val=1e-3, max_val=1.0)
        task.timing.cfg_implicit_timing(samps_per_chan=1)
        task.start()
        bench.pulses(drive, [1.0, 101.0])
        assert task.read(1, timeout=200) == pytest.approx([100.0 - 2 * 2**32 * 1e-8], abs=1e-7)
        assert task.ci_channels[0].ci_tc_reached
        assert not task.ci_channels[0].ci_tc_reached, "the query resets it"


@pytest.mark.parametrize("separate", [False, True], ids=["period", "edge separation"])
def test_an_interval_that_is_not_over_has_rolled_the_counter_over(session, daq, bench, separate) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        if separate:
            channel = task.ci_channels.add_ci_two_edge_sep_chan("Dev1/ctr0", min_val=1e-6, max_val=40.0)
            channel.ci_two_edge_sep_first_term = "/Dev1/PFI9"
            channel.ci_two_edge_sep_second_term = "/Dev1/PFI4"
        else:
            channel = task.ci_channels.add_ci_period_chan("Dev1/ctr0", min_val=1e-6, max_val=40.0)
        task.timing.cfg_implicit_timing(samps_per_chan=2)
        task.start()
        bench.advance(60.0)
        assert not channel.ci_tc_reached, "nothing is counted before the first edge"
        bench.pulses(daq.edge_listener("ctr0"), [1.0, 1.1])
        bench.advance(43.0)
        assert not channel.ci_tc_reached
        bench.advance(1.0)
        assert channel.ci_tc_reached


def test_a_timebase_off_by_its_accuracy_measures_off_by_as_much(bench) -> None:
    daq = Daq(bench, {})
    error = daq.timebase.error_ppb * 1e-9
    assert 0 < abs(error) <= 50e-6
    assert daq.timebase.tick_at(10 * 10**12) == pytest.approx(1e9 * (1 + error), abs=1)
    assert daq.timebase.tick_at(daq.timebase.time_ps(123_456_789)) == 123_456_789
