# SPDX-License-Identifier: Apache-2.0
"""Stock nidaqmx programs against the virtual device: analog, digital, sessions and errors."""

from __future__ import annotations

import socket
import threading

import grpc
import nidaqmx
import numpy as np
import pytest
from nidaqmx.constants import READ_ALL_AVAILABLE, AcquisitionType, Edge, LineGrouping, TaskMode
from nidaqmx.errors import DaqError, DaqReadError
from nidaqmx.stream_readers import AnalogMultiChannelReader
from nidaqmx.stream_writers import AnalogSingleChannelWriter

LSB_V = 20 / 2**16


class Ramp:
    """Rises by one volt per second."""

    def voltage_v(self, time_ps: int) -> float:
        return time_ps * 1e-12


def raises(code: int):
    return pytest.raises(DaqError, check=lambda error: error.error_code == code)


def test_enumeration(session) -> None:
    system = nidaqmx.system.System.remote(session)
    assert system.driver_version.major_version == 24
    (device,) = system.devices
    assert device.name == "Dev1"
    assert device.product_type == "USB-6361"
    assert len(device.ai_physical_chans) == 16
    assert [channel.name for channel in device.ao_physical_chans] == ["Dev1/ao0", "Dev1/ao1"]
    assert "Dev1/ctr3" in device.ci_physical_chans.channel_names
    assert "Dev1/port0/line7" in device.do_lines.channel_names
    assert "/Dev1/PFI9" in device.terminals
    assert device.ai_voltage_rngs[-2:] == [-10.0, 10.0]
    assert device.is_simulated
    device.self_test_device()


def test_on_demand_output_holds_after_the_task(session, daq, bench) -> None:
    output = daq.analog_output("Dev1/ao0")
    assert output.voltage_v(0) == 0.0
    with nidaqmx.Task(grpc_options=session) as task:
        task.ao_channels.add_ao_voltage_chan("Dev1/ao0", min_val=0, max_val=3)
        assert task.write(1.5) == 1
        assert output.voltage_v(bench.scheduler.now_ps) == pytest.approx(1.5, abs=LSB_V)
        with raises(-200561):
            task.write(3.5)
    assert output.voltage_v(bench.scheduler.now_ps + 10**12) == pytest.approx(1.5, abs=LSB_V)


def test_finite_output_plays_each_sample_for_its_period_and_holds_the_last(session, daq, bench) -> None:
    samples = [0.5, 1.0, 1.5, 2.0]
    output = daq.analog_output("ao0")
    with nidaqmx.Task(grpc_options=session) as task:
        task.ao_channels.add_ao_voltage_chan("Dev1/ao0")
        task.timing.cfg_samp_clk_timing(1000.0, sample_mode=AcquisitionType.FINITE, samps_per_chan=4)
        task.write(samples)
        task.start()
        assert not task.is_task_done()
        start_ps = 0
        played = [output.voltage_v(start_ps + round((n + 0.5) * 1e9)) for n in range(6)]
        assert played == pytest.approx([*samples, 2.0, 2.0], abs=LSB_V)
        task.wait_until_done(timeout=1.0)
        assert bench.now_s == pytest.approx(4e-3)
        assert task.is_task_done()
        task.stop()
        task.start()  # the buffer is still there
    assert output.voltage_v(bench.scheduler.now_ps) == pytest.approx(0.5, abs=LSB_V)


def test_continuous_output_regenerates_until_stopped(session, daq, bench) -> None:
    output = daq.analog_output("ao1")
    with nidaqmx.Task(grpc_options=session) as task:
        task.ao_channels.add_ao_voltage_chan("Dev1/ao1")
        task.timing.cfg_samp_clk_timing(1e6, sample_mode=AcquisitionType.CONTINUOUS, samps_per_chan=1000)
        AnalogSingleChannelWriter(task.out_stream).write_many_sample(np.linspace(0, 1, 1000))
        task.start()
        bench.advance(3.0004)
        assert output.voltage_v(bench.scheduler.now_ps) == pytest.approx(400 / 999, abs=1e-3)
        with raises(-200560):
            task.wait_until_done(timeout=2.0)
        assert bench.now_s == pytest.approx(5.0004)
        assert task.out_stream.total_samp_per_chan_generated == pytest.approx(5_000_400 + 125)
        task.stop()
    held_v = output.voltage_v(bench.scheduler.now_ps)
    assert output.voltage_v(bench.scheduler.now_ps + 10**9) == held_v


def test_rate_is_coerced_to_the_timebase(session) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        task.ao_channels.add_ao_voltage_chan("Dev1/ao0")
        task.timing.cfg_samp_clk_timing(300e3)
        assert task.timing.samp_clk_rate == pytest.approx(100e6 / 333)
        with raises(-200332):
            task.timing.cfg_samp_clk_timing(5e6)


def test_finite_input_of_two_channels(session, daq, bench) -> None:
    daq.connect_analog_input("ai0", Ramp())
    with nidaqmx.Task(grpc_options=session) as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0:1", min_val=-1, max_val=1)
        task.timing.cfg_samp_clk_timing(100.0, sample_mode=AcquisitionType.FINITE, samps_per_chan=5)
        ramp, floating = task.read(READ_ALL_AVAILABLE)
        assert ramp == pytest.approx([0.0, 0.01, 0.02, 0.03, 0.04], abs=4e-5)
        assert floating == [0.0] * 5
        assert bench.now_s == pytest.approx(0.04, abs=1e-6)


def test_reading_past_the_last_sample_and_before_it(session, bench) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0")
        task.timing.cfg_samp_clk_timing(100.0, sample_mode=AcquisitionType.FINITE, samps_per_chan=100)
        task.start()
        with pytest.raises(DaqReadError) as caught:
            task.read(60, timeout=0.5)
        assert caught.value.error_code == -200284
        assert caught.value.samps_per_chan_read == 50
        assert bench.now_s == pytest.approx(0.5)
        assert len(task.read(50)) == 50
        with raises(-200278):
            task.read(1)


def test_continuous_input_streams_and_overwrites_what_is_not_read(session, daq, bench) -> None:
    daq.connect_analog_input("Dev1/ai3", Ramp())
    with nidaqmx.Task(grpc_options=session) as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai3")
        task.timing.cfg_samp_clk_timing(1000.0, sample_mode=AcquisitionType.CONTINUOUS, samps_per_chan=100)
        data = np.zeros((1, 1000))
        reader = AnalogMultiChannelReader(task.in_stream)
        assert reader.read_many_sample(data, 1000) == 1000
        assert np.diff(data[0]) == pytest.approx(1e-3, abs=2 * LSB_V)
        bench.advance(0.0105)
        assert len(task.read(READ_ALL_AVAILABLE)) == 10
        assert task.in_stream.input_buf_size == 10_000
        bench.advance(11)
        with raises(-200279):
            task.read(10)
        task.stop()


def test_on_demand_input_takes_bench_time(session, daq, bench) -> None:
    daq.connect_analog_input("ai0", Ramp())
    bench.advance(2)
    with nidaqmx.Task(grpc_options=session) as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0")
        assert task.read() == pytest.approx(2.000125, abs=LSB_V)
        while task.read() < 2.01:
            pass
    assert bench.now_s == pytest.approx(2.01, abs=1e-3)


def test_digital_edge_starts_the_clock(session, daq, bench) -> None:
    trigger = daq.edge_listener("PFI0")
    with nidaqmx.Task(grpc_options=session) as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0")
        task.timing.cfg_samp_clk_timing(1000.0, samps_per_chan=10)
        task.triggers.start_trigger.cfg_dig_edge_start_trig("/Dev1/PFI0", Edge.FALLING)
        task.start()
        bench.pulses(trigger, [0.1, 0.3])
        with raises(-200284):
            task.read(1, timeout=0.2)
        task.wait_until_done()
        assert bench.now_s == pytest.approx(0.309, abs=1e-4)


def test_lines_drive_and_read(session, daq, bench) -> None:
    driven: list[bool | None] = []
    daq.line_driven("Dev1/port0/line0").connect(lambda time_ps, level: driven.append(level))
    with nidaqmx.Task(grpc_options=session) as task:
        task.do_channels.add_do_chan("Dev1/port0/line0")
        task.write(True)
        task.write(True)
        assert task.read() is True
        task.write(False)
    assert driven == [True, False]
    button = {"pressed": False}
    daq.connect_line("port0/line1", lambda: button["pressed"])
    with nidaqmx.Task(grpc_options=session) as task:
        task.di_channels.add_di_chan("Dev1/port0/line1")
        assert task.read() is False
        button["pressed"] = True
        assert task.read(2) == [True, True]
    nidaqmx.system.Device("Dev1", grpc_options=session).reset_device()
    assert driven == [True, False, None]


def test_a_port_is_written_as_an_integer(session, daq) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        task.do_channels.add_do_chan("Dev1/port0", line_grouping=LineGrouping.CHAN_FOR_ALL_LINES)
        task.write(0xA5)
        assert task.read() == 0xA5
    with nidaqmx.Task(grpc_options=session) as task:
        lines = task.di_channels.add_di_chan("Dev1/port0/line0:3", line_grouping=LineGrouping.CHAN_PER_LINE)
        lines.di_tristate = False
        assert task.read() == [True, False, True, False]
    with nidaqmx.Task(grpc_options=session) as task:
        lines = task.di_channels.add_di_chan("Dev1/port0/line0:3", line_grouping=LineGrouping.CHAN_PER_LINE)
        assert lines.di_tristate
        assert task.read() == [False] * 4, "an input lets its lines go"


@pytest.mark.parametrize(
    ("channel", "code"),
    [("Dev2/ai0", -200220), ("Dev1/ai77", -200170), ("Dev1/ao0", -200430), ("", -200099), ("ai0", -200220)],
)
def test_wrong_channels(session, channel: str, code: int) -> None:
    with nidaqmx.Task(grpc_options=session) as task, raises(code):
        task.ai_channels.add_ai_voltage_chan(channel)


def test_a_resource_belongs_to_one_task_at_a_time(session) -> None:
    with nidaqmx.Task(grpc_options=session) as first, nidaqmx.Task(grpc_options=session) as second:
        for task in (first, second):
            task.ci_channels.add_ci_pulse_width_chan("Dev1/ctr0")
        first.control(TaskMode.TASK_RESERVE)
        with raises(-50103):
            second.start()
        first.control(TaskMode.TASK_UNRESERVE)
        second.start()
        with raises(-50103):
            first.start()
        nidaqmx.system.Device("Dev1", grpc_options=session).reset_device()
        first.start()


def test_other_kinds_of_misuse(session) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        with raises(-200478):
            task.start()
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0")
        with raises(-200559):
            task.ao_channels.add_ao_voltage_chan("Dev1/ao0")
        with raises(-200489):
            task.ai_channels.add_ai_voltage_chan("Dev1/ai0")
        task.timing.cfg_samp_clk_timing(1000.0, sample_mode=AcquisitionType.CONTINUOUS)
        task.start()
        with raises(-200557):
            task.timing.cfg_samp_clk_timing(2000.0)
        with pytest.raises(DaqError, match="chan property AI_COUPLING"):
            _ = task.ai_channels[0].ai_coupling
    with nidaqmx.Task(grpc_options=session) as task:
        task.ao_channels.add_ao_voltage_chan("Dev1/ao0")
        task.timing.cfg_samp_clk_timing(1000.0)
        with raises(-200462):
            task.start()
    with nidaqmx.Task(grpc_options=session) as task, pytest.raises(DaqError, match="CreateAIThrmcplChan"):
        task.ai_channels.add_ai_thrmcpl_chan("Dev1/ai0")


def test_named_sessions_are_shared_and_unnamed_ones_are_not(session, connect) -> None:
    with nidaqmx.Task("shared", grpc_options=session) as first:
        first.ai_channels.add_ai_voltage_chan("Dev1/ai5")
        with nidaqmx.Task("shared", grpc_options=connect()) as second:
            assert second.channel_names == ["Dev1/ai5"]
        assert first.channel_names == ["Dev1/ai5"]  # the second only detached
        with nidaqmx.Task(grpc_options=session) as other:
            assert other.name != first.name
            assert other.channel_names == []


def test_a_client_that_dies_leaves_nothing_reserved(session, connect, daq, monkeypatch) -> None:
    freed = threading.Event()
    release = daq.release

    def watched_release(task) -> None:
        release(task)
        freed.set()

    doomed_session = connect()
    doomed = nidaqmx.Task(grpc_options=doomed_session)
    doomed.ci_channels.add_ci_pulse_width_chan("Dev1/ctr0")
    doomed.start()
    with nidaqmx.Task(grpc_options=session) as task:
        task.ci_channels.add_ci_pulse_width_chan("Dev1/ctr0")
        with raises(-50103):
            task.start()
        monkeypatch.setattr(daq, "release", watched_release)
        doomed_session.grpc_channel.close()
        assert freed.wait(10)
        task.start()


def test_waiting_for_ever_ends_when_another_client_stops_the_task(session, connect) -> None:
    task = nidaqmx.Task("endless", grpc_options=connect())
    task.ci_channels.add_ci_pulse_width_chan("Dev1/ctr0")
    task.timing.cfg_implicit_timing(samps_per_chan=5)
    task.start()
    waiter = threading.Thread(target=task.wait_until_done, kwargs={"timeout": -1})
    waiter.start()
    with nidaqmx.Task("endless", grpc_options=session) as same:
        same.stop()
    waiter.join(timeout=10)
    assert not waiter.is_alive()
    task.close()


def test_wrong_bytes_and_wrong_calls_do_not_stop_the_server(session, daq_server) -> None:
    host, port = daq_server.address.split(":")
    with socket.create_connection((host, int(port))) as garbage:
        garbage.sendall(bytes(range(256)) * 1000)
    channel = session.grpc_channel
    for method in ("/nidaqmx_grpc.NiDAQmx/NoSuchCall", "/nidaqmx_grpc.NiDAQmx/CreateTask"):
        with pytest.raises(grpc.RpcError):
            channel.unary_unary(method)(b"\xff\xff\xff")
    assert nidaqmx.system.System.remote(session).devices.device_names == ["Dev1"]


def test_a_million_samples_pass_through(session, daq) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        task.ao_channels.add_ao_voltage_chan("Dev1/ao0")
        task.timing.cfg_samp_clk_timing(1e6, samps_per_chan=1_000_000)
        assert task.write(np.zeros(1_000_000)) == 1_000_000
