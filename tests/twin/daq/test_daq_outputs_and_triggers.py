# SPDX-License-Identifier: Apache-2.0
"""Stock nidaqmx programs: pulse trains, clocked lines, change detection, reference triggers, routes."""

from __future__ import annotations

import threading

import nidaqmx
import pytest
from nidaqmx.constants import (
    READ_ALL_AVAILABLE,
    AcquisitionType,
    CountDirection,
    Edge,
    Level,
    LineGrouping,
    Signal,
    Slope,
)
from nidaqmx.errors import DaqError

CONTINUOUS, FINITE = AcquisitionType.CONTINUOUS, AcquisitionType.FINITE


def raises(code: int):
    return pytest.raises(DaqError, check=lambda error: error.error_code == code)


class Ramp:
    """Rises by one volt per second."""

    def voltage_v(self, time_ps: int) -> float:
        return time_ps * 1e-12


def edges_of(daq, line: str) -> list[tuple[float, bool | None]]:
    """Collects (time in s, level) at a screw from now on."""
    edges: list[tuple[float, bool | None]] = []
    daq.line_driven(line).connect(lambda time_ps, level: edges.append((time_ps * 1e-12, level)))
    return edges


CTR0_OUT = "port2/line4"  # PFI12


def test_the_device_lists_its_outputs_and_terminals(session) -> None:
    (device,) = nidaqmx.system.System.remote(session).devices
    assert device.co_physical_chans.channel_names == [f"Dev1/ctr{n}" for n in range(4)]
    assert "/Dev1/ai/SampleClock" in device.terminals
    assert "/Dev1/Ctr0InternalOutput" in device.terminals
    assert device.anlg_trig_supported
    assert device.co_max_timebase == 100e6


def test_a_finite_train_of_pulses_by_frequency(session, daq, bench) -> None:
    edges = edges_of(daq, CTR0_OUT)
    with nidaqmx.Task(grpc_options=session) as task:
        channel = task.co_channels.add_co_pulse_chan_freq(
            "Dev1/ctr0", freq=1000.0, duty_cycle=0.25, initial_delay=0.01
        )
        assert channel.co_pulse_term == "/Dev1/PFI12"
        assert channel.co_pulse_freq == pytest.approx(1000.0)
        assert channel.co_pulse_duty_cyc == pytest.approx(0.25)
        task.timing.cfg_implicit_timing(sample_mode=FINITE, samps_per_chan=3)
        task.start()
        assert not task.is_task_done()
        task.wait_until_done(timeout=1.0)
        assert channel.co_pulse_done
    rising = [time_s for time_s, level in edges if level]
    falling = [time_s for time_s, level in edges[1:] if level is False]
    assert rising == pytest.approx([0.01, 0.011, 0.012], abs=1e-7)
    assert falling == pytest.approx([0.01025, 0.01125, 0.01225], abs=1e-7)


def test_an_endless_train_by_time_idles_high_and_stops_at_once(session, daq, bench) -> None:
    edges = edges_of(daq, "port2/line5")
    with nidaqmx.Task(grpc_options=session) as task:
        task.co_channels.add_co_pulse_chan_time(
            "Dev1/ctr1", idle_state=Level.HIGH, low_time=1e-3, high_time=3e-3
        )
        task.timing.cfg_implicit_timing(sample_mode=CONTINUOUS)
        task.start()
        bench.advance(0.0405)
        assert not task.is_task_done()
        with raises(-200560):
            task.wait_until_done(timeout=0.01)
        task.stop()
    assert edges[0][1] is True
    assert sum(level is False for _, level in edges) == 13
    assert edges[-1][1] is True
    times_s = [time_s for time_s, level in edges if level is False]
    assert times_s[1] - times_s[0] == pytest.approx(4e-3)
    ends_s = [time_s for time_s, level in edges[1:] if level is True]
    assert ends_s[0] - times_s[0] == pytest.approx(1e-3)  # active low for the low time


def test_one_pulse_by_ticks_without_timing(session, daq, bench) -> None:
    edges = edges_of(daq, CTR0_OUT)
    with nidaqmx.Task(grpc_options=session) as task:
        task.co_channels.add_co_pulse_chan_ticks(
            "Dev1/ctr0", "/Dev1/100MHzTimebase", low_ticks=100, high_ticks=500, initial_delay=1000
        )
        task.start()
        task.wait_until_done()
    times_s = [time_s for time_s, level in edges if level]
    assert times_s == pytest.approx([10e-6], abs=1e-9)
    assert next(time_s for time_s, level in edges[1:] if not level) == pytest.approx(15e-6, abs=1e-9)


def test_the_frequency_of_a_running_train_can_be_changed(session, daq, bench) -> None:
    edges = edges_of(daq, CTR0_OUT)
    with nidaqmx.Task(grpc_options=session) as task:
        channel = task.co_channels.add_co_pulse_chan_freq("Dev1/ctr0", freq=100.0)
        task.timing.cfg_implicit_timing(sample_mode=CONTINUOUS)
        task.start()
        bench.advance(0.1)
        channel.co_pulse_freq = 1000.0
        before = len(edges)
        bench.advance(0.1)
        assert len(edges) - before == pytest.approx(200, abs=20)


def test_a_counter_measures_another_one_s_pulses(session) -> None:
    with nidaqmx.Task(grpc_options=session) as pulses, nidaqmx.Task(grpc_options=session) as meter:
        pulses.co_channels.add_co_pulse_chan_freq("Dev1/ctr0", freq=5000.0, duty_cycle=0.2)
        pulses.timing.cfg_implicit_timing(sample_mode=CONTINUOUS)
        channel = meter.ci_channels.add_ci_pulse_width_chan("Dev1/ctr1", min_val=1e-6, max_val=1e-2)
        channel.ci_pulse_width_term = "/Dev1/Ctr0InternalOutput"
        meter.timing.cfg_implicit_timing(samps_per_chan=4)
        meter.start()
        pulses.start()
        assert meter.read(4) == pytest.approx([40e-6] * 4)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"freq": 0.0}, -200077),
        ({"freq": 60e6}, -200077),
        ({"freq": 100.0, "duty_cycle": 1.0}, -200077),
        ({"freq": 100.0, "initial_delay": -1.0}, -200077),
        ({"freq": float("nan")}, -200077),
    ],
)
def test_pulses_that_the_counter_cannot_make(session, arguments, code) -> None:
    with nidaqmx.Task(grpc_options=session) as task, raises(code):
        task.co_channels.add_co_pulse_chan_freq("Dev1/ctr0", **arguments)


def test_a_counter_makes_pulses_or_measures(session) -> None:
    with nidaqmx.Task(grpc_options=session) as pulses, nidaqmx.Task(grpc_options=session) as meter:
        pulses.co_channels.add_co_pulse_chan_freq("Dev1/ctr0")
        meter.ci_channels.add_ci_count_edges_chan("Dev1/ctr0")
        meter.start()
        with raises(-50103):
            pulses.start()


def test_lines_are_driven_on_a_sample_clock(session, daq, bench) -> None:
    edges = edges_of(daq, "port0/line1")
    with nidaqmx.Task(grpc_options=session) as task:
        task.do_channels.add_do_chan("Dev1/port0/line0:1", line_grouping=LineGrouping.CHAN_FOR_ALL_LINES)
        task.timing.cfg_samp_clk_timing(1000.0, sample_mode=FINITE, samps_per_chan=6)
        task.write([0, 2, 2, 0, 3, 1])
        task.start()
        task.wait_until_done(1.0)
    assert [level for _, level in edges] == [False, True, False, True, False]
    times_s = [time_s for time_s, _ in edges]
    assert [time_s - times_s[0] for time_s in times_s] == pytest.approx([0, 1e-3, 3e-3, 4e-3, 5e-3], abs=1e-7)


def test_lines_are_read_on_a_sample_clock(session, daq, bench) -> None:
    level = [False]
    daq.connect_line("port0/line3", lambda: level[0])
    with nidaqmx.Task(grpc_options=session) as task:
        task.di_channels.add_di_chan("Dev1/port0/line3")
        task.timing.cfg_samp_clk_timing(1000.0, sample_mode=FINITE, samps_per_chan=5)
        task.start()
        bench.advance(2.5e-3)
        level[0] = True
        assert task.read(READ_ALL_AVAILABLE) == [False, False, False, True, True]


def test_a_static_line_has_no_sample_clock(session) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        task.di_channels.add_di_chan("Dev1/port1/line0")
        with raises(-200077):
            task.timing.cfg_samp_clk_timing(1000.0)


def test_changes_of_a_line_are_samples_and_events(session, daq, bench) -> None:
    drive = daq.line_edges("port0/line2")
    level = [False]
    daq.connect_line("port0/line2", lambda: level[0])

    def change(time_ps: int, now: bool | None) -> None:
        level[0] = bool(now)
        drive(time_ps, now)

    seen = threading.Semaphore(0)
    with nidaqmx.Task(grpc_options=session) as task:
        task.di_channels.add_di_chan("Dev1/port0/line2")
        task.timing.cfg_change_detection_timing(
            rising_edge_chan="Dev1/port0/line2",
            falling_edge_chan="Dev1/port0/line2",
            sample_mode=FINITE,
            samps_per_chan=4,
        )

        def on_change(_task, _signal, _data) -> int:
            seen.release()
            return 0

        task.register_signal_event(Signal.CHANGE_DETECTION_EVENT, on_change)
        task.start()
        bench.pulses(change, [0.001, 0.002, 0.003, 0.004, 0.005])
        assert task.read(READ_ALL_AVAILABLE) == [True, False, True, False]
        for _ in range(4):
            assert seen.acquire(timeout=10)


def test_change_detection_wants_lines_of_the_task(session) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        task.di_channels.add_di_chan("Dev1/port0/line2")
        with raises(-200751):
            task.timing.cfg_change_detection_timing()
        with raises(-200926):
            task.timing.cfg_change_detection_timing(rising_edge_chan="Dev1/port0/line3")


def test_a_reference_trigger_keeps_the_samples_before_it(session, daq, bench) -> None:
    daq.connect_analog_input("ai0", Ramp())
    trigger = daq.edge_listener("PFI0")
    with nidaqmx.Task(grpc_options=session) as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0", min_val=-1, max_val=1)
        task.timing.cfg_samp_clk_timing(1000.0, sample_mode=FINITE, samps_per_chan=10)
        task.triggers.reference_trigger.cfg_dig_edge_ref_trig("/Dev1/PFI0", pretrigger_samples=4)
        task.start()
        bench.pulses(trigger, [0.002, 0.0025, 0.1005])  # the first comes before there are four samples
        volts = task.read(READ_ALL_AVAILABLE, timeout=1.0)
    assert volts == pytest.approx([0.097 + 0.001 * n for n in range(10)], abs=1e-4)


@pytest.mark.parametrize(("slope", "level", "first"), [(Slope.RISING, 0.5, 0.5), (Slope.FALLING, 0.2, None)])
def test_an_analog_edge_starts_an_acquisition(session, daq, slope, level, first) -> None:
    daq.connect_analog_input("ai0", Ramp())
    with nidaqmx.Task(grpc_options=session) as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0", min_val=-1, max_val=1)
        task.timing.cfg_samp_clk_timing(1000.0, sample_mode=FINITE, samps_per_chan=3)
        task.triggers.start_trigger.cfg_anlg_edge_start_trig("Dev1/ai0", slope, level)
        task.start()
        if first is None:
            with raises(-200284):
                task.read(3, timeout=0.9)
        else:
            assert task.read(3, timeout=2.0) == pytest.approx([0.5, 0.501, 0.502], abs=1e-3)


def test_an_analog_edge_as_reference(session, daq) -> None:
    daq.connect_analog_input("ai0", Ramp())
    with nidaqmx.Task(grpc_options=session) as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0", min_val=-1, max_val=1)
        task.timing.cfg_samp_clk_timing(1000.0, sample_mode=FINITE, samps_per_chan=6)
        task.triggers.reference_trigger.cfg_anlg_edge_ref_trig("Dev1/ai0", 2, trigger_level=0.25)
        volts = task.read(READ_ALL_AVAILABLE, timeout=2.0)
    assert volts == pytest.approx([0.248, 0.249, 0.25, 0.251, 0.252, 0.253], abs=1.1e-3)


def test_reference_triggers_that_cannot_be(session) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0")
        with raises(-200254):
            task.triggers.reference_trigger.cfg_dig_edge_ref_trig("/Dev1/PFI77", 10)
        task.triggers.reference_trigger.cfg_dig_edge_ref_trig("/Dev1/PFI0", 10)
        task.timing.cfg_samp_clk_timing(1000.0, sample_mode=CONTINUOUS)
        with raises(-200358):
            task.start()
        task.timing.cfg_samp_clk_timing(1000.0, sample_mode=FINITE, samps_per_chan=11)
        with raises(-200213):
            task.start()


def test_edges_are_counted_on_a_sample_clock(session, daq, bench) -> None:
    source = daq.edge_listener("PFI8")
    with nidaqmx.Task(grpc_options=session) as clock, nidaqmx.Task(grpc_options=session) as task:
        clock.co_channels.add_co_pulse_chan_freq("Dev1/ctr1", freq=100.0, initial_delay=0.01)
        clock.timing.cfg_implicit_timing(sample_mode=CONTINUOUS)
        task.ci_channels.add_ci_count_edges_chan(
            "Dev1/ctr0", initial_count=100, count_direction=CountDirection.COUNT_DOWN
        )
        task.timing.cfg_samp_clk_timing(
            1000.0, source="/Dev1/Ctr1InternalOutput", sample_mode=FINITE, samps_per_chan=3
        )
        task.start()
        clock.start()
        bench.pulses(source, [0.001 * n for n in range(1, 60)])
        counts = task.read(READ_ALL_AVAILABLE)
    assert counts == pytest.approx([95, 90, 85], abs=1)


def test_a_counter_has_no_clock_of_its_own(session) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        task.ci_channels.add_ci_count_edges_chan("Dev1/ctr0")
        with raises(-200077):
            task.timing.cfg_samp_clk_timing(1000.0)


def test_analog_inputs_are_clocked_from_outside(session, daq, bench) -> None:
    daq.connect_analog_input("ai0", Ramp())
    clock = daq.edge_listener("PFI3")
    with nidaqmx.Task(grpc_options=session) as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0", min_val=-1, max_val=1)
        task.timing.cfg_samp_clk_timing(
            1000.0,
            source="/Dev1/PFI3",
            active_edge=Edge.FALLING,
            sample_mode=FINITE,
            samps_per_chan=2,
        )
        assert task.timing.samp_clk_src == "/Dev1/PFI3"
        task.start()
        bench.pulses(clock, [0.1, 0.2, 0.3, 0.5])
        assert task.read(READ_ALL_AVAILABLE) == pytest.approx([0.2, 0.5], abs=1e-4)


def test_the_sample_clock_is_exported_while_the_task_runs(session, daq, bench) -> None:
    edges = edges_of(daq, "port1/line5")
    with nidaqmx.Task(grpc_options=session) as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0")
        task.timing.cfg_samp_clk_timing(100.0, sample_mode=FINITE, samps_per_chan=5)
        task.export_signals.export_signal(Signal.SAMPLE_CLOCK, "/Dev1/PFI5")
        with raises(-89136):
            task.export_signals.export_signal(Signal.CHANGE_DETECTION_EVENT, "/Dev1/PFI6")
        task.read(READ_ALL_AVAILABLE)
    assert sum(level is True for _, level in edges) == 5
    assert edges[-1][1] is None  # let go


def test_terminals_are_connected_and_disconnected(session, daq, bench) -> None:
    system = nidaqmx.system.System.remote(session)
    source = daq.edge_listener("PFI1")
    system.connect_terms("/Dev1/PFI1", "/Dev1/PFI7")
    source(bench.scheduler.now_ps, True)
    assert daq.lines.terminals["PFI7"].level
    with raises(-89137):
        system.connect_terms("/Dev1/PFI2", "/Dev1/PFI7")
    with raises(-89131):
        system.connect_terms("/Dev1/PFI2", "/Dev1/PFI2")
    with raises(-89136):
        system.connect_terms("/Dev1/PFI2", "/Dev1/ai/SampleClock")
    with raises(-200254):
        system.connect_terms("/Dev1/PFI2", "/Dev1/RTSI0")
    system.disconnect_terms("/Dev1/PFI1", "/Dev1/PFI7")
    assert not daq.lines.terminals["PFI7"].level
    source(bench.scheduler.now_ps, False)
    system.connect_terms("/Dev1/PFI2", "/Dev1/PFI7")
    (device,) = system.devices
    device.reset_device()
    system.connect_terms("/Dev1/PFI1", "/Dev1/PFI7")
    system.tristate_output_term("/Dev1/PFI7")
    source(bench.scheduler.now_ps, True)
    assert not daq.lines.terminals["PFI7"].level
