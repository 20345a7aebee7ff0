# SPDX-License-Identifier: Apache-2.0
"""Stock nidaqmx programs: what their users take for granted, and what the device refuses."""

from __future__ import annotations

import threading
import time

import nidaqmx
import numpy as np
import pytest
from nidaqmx.constants import AcquisitionType, LineGrouping, TerminalConfiguration
from nidaqmx.errors import DaqError, DaqReadError
from nidaqmx.stream_readers import AnalogMultiChannelReader

CONTINUOUS = AcquisitionType.CONTINUOUS
RAMP_V = np.linspace(0.0, 2.0, 1000, endpoint=False)


def raises(code: int):
    return pytest.raises(DaqError, check=lambda error: error.error_code == code)


class Loop:
    """A wire from an analog output to an analog input."""

    def __init__(self, output) -> None:
        self._output = output

    def voltage_v(self, time_ps: int) -> float:
        return self._output.voltage_v(time_ps)


def test_the_bits_of_a_second_port_stand_above_those_of_the_first(session) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        task.do_channels.add_do_chan("Dev1/port1:2", line_grouping=LineGrouping.CHAN_FOR_ALL_LINES)
        for value in (0xFFFF, 0x0001, 0x0100):
            task.write(value)
            assert task.read() == value


def test_the_bits_of_some_lines_of_one_port_are_their_numbers(session, daq) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        task.do_channels.add_do_chan("Dev1/port0/line1:3", line_grouping=LineGrouping.CHAN_FOR_ALL_LINES)
        task.start()
        assert task.write([0, 2, 4]) == 3
        assert [daq.lines.read(f"port0/line{number}") for number in (1, 2, 3)] == [False, True, False]


def test_several_samples_on_demand_are_put_out_one_after_the_other(session, daq) -> None:
    levels: list[bool | None] = []
    daq.line_driven("port0/line1").connect(lambda _time_ps, level: levels.append(level))
    with nidaqmx.Task(grpc_options=session) as task:
        task.do_channels.add_do_chan("Dev1/port0/line1")
        task.start()
        task.write([True, False, True])
    assert levels[:3] == [True, False, True]


def test_all_inputs_share_one_converter(session) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0:15", terminal_config=TerminalConfiguration.RSE)
        assert task.timing.samp_clk_max_rate == 62_500
        with raises(-200332):
            task.timing.cfg_samp_clk_timing(1e6)
        task.timing.cfg_samp_clk_timing(62_500, samps_per_chan=10)
        assert np.shape(task.read(10)) == (16, 10)


def test_channels_that_come_after_the_rate_may_be_too_many_for_it(session) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0")
        task.timing.cfg_samp_clk_timing(1e6, samps_per_chan=10)
        task.ai_channels.add_ai_voltage_chan("Dev1/ai1")
        with raises(-200332):
            task.start()


def test_a_running_wave_goes_on_where_it_is_when_it_is_written_again(session, daq, bench) -> None:
    daq.connect_analog_input("ai0", Loop(daq.analog_output("ao0")))
    with nidaqmx.Task(grpc_options=session) as output, nidaqmx.Task(grpc_options=session) as inputs:
        output.ao_channels.add_ao_voltage_chan("Dev1/ao0", min_val=0, max_val=3)
        output.timing.cfg_samp_clk_timing(1000, sample_mode=CONTINUOUS, samps_per_chan=1000)
        output.write(RAMP_V)
        inputs.ai_channels.add_ai_voltage_chan("Dev1/ai0", min_val=0, max_val=3)
        inputs.timing.cfg_samp_clk_timing(1000, sample_mode=CONTINUOUS, samps_per_chan=5000)
        inputs.start()
        output.start()
        before_v = inputs.read(300)
        output.write(RAMP_V)
        after_v = inputs.read(5)
        assert after_v[0] == pytest.approx(before_v[-1], abs=0.01)
        output.write(RAMP_V + 0.5)
        assert inputs.read(5)[-1] == pytest.approx(after_v[-1] + 0.5, abs=0.02)


def test_a_written_piece_takes_its_place_in_the_running_buffer(session, daq) -> None:
    daq.connect_analog_input("ai0", Loop(daq.analog_output("ao0")))
    with nidaqmx.Task(grpc_options=session) as output:
        output.ao_channels.add_ao_voltage_chan("Dev1/ao0", min_val=0, max_val=3)
        output.timing.cfg_samp_clk_timing(1000, sample_mode=CONTINUOUS, samps_per_chan=4)
        output.write([0.0, 1.0, 2.0, 3.0], auto_start=True)
        output.write([0.5, 1.5, 2.5])
        output.write([2.75, 0.25])
        with nidaqmx.Task(grpc_options=session) as inputs:
            inputs.ai_channels.add_ai_voltage_chan("Dev1/ai0", min_val=0, max_val=3)
            inputs.timing.cfg_samp_clk_timing(1000, samps_per_chan=8)
            read_v = inputs.read(8)
    assert sorted(np.round(read_v, 2)) == sorted([0.25, 1.5, 2.5, 2.75] * 2)


@pytest.mark.parametrize("input_first", [True, False])
def test_an_input_is_clocked_by_the_analog_outputs(session, daq, input_first: bool) -> None:
    daq.connect_analog_input("ai0", Loop(daq.analog_output("ao0")))
    with nidaqmx.Task(grpc_options=session) as output, nidaqmx.Task(grpc_options=session) as inputs:
        output.ao_channels.add_ao_voltage_chan("Dev1/ao0", min_val=0, max_val=3)
        output.timing.cfg_samp_clk_timing(1000, sample_mode=CONTINUOUS, samps_per_chan=1000)
        output.write(RAMP_V)
        assert output.timing.samp_clk_term == "/Dev1/ao/SampleClock"
        inputs.ai_channels.add_ai_voltage_chan("Dev1/ai0", min_val=0, max_val=3)
        inputs.timing.cfg_samp_clk_timing(1000, source="/Dev1/ao/SampleClock", samps_per_chan=50)
        for task in (inputs, output) if input_first else (output, inputs):
            task.start()
        read_v = np.array(inputs.read(50, timeout=1.0))
    assert np.diff(read_v) == pytest.approx(np.full(49, 0.002), abs=0.001)


def test_outputs_are_clocked_by_an_input(session, daq) -> None:
    daq.connect_analog_input("ai0", Loop(daq.analog_output("ao0")))
    with nidaqmx.Task(grpc_options=session) as output, nidaqmx.Task(grpc_options=session) as inputs:
        output.ao_channels.add_ao_voltage_chan("Dev1/ao0", min_val=0, max_val=3)
        output.timing.cfg_samp_clk_timing(1000, source="/Dev1/ai/SampleClock", samps_per_chan=5)
        output.write([1.0, 2.0, 3.0, 2.0, 1.0])
        output.start()
        inputs.ai_channels.add_ai_voltage_chan("Dev1/ai0", min_val=0, max_val=3)
        inputs.timing.cfg_samp_clk_timing(1000, samps_per_chan=5)
        read_v = inputs.read(5)
        output.wait_until_done(timeout=1.0)
    assert np.round(read_v, 1).tolist() == [1.0, 2.0, 3.0, 2.0, 1.0]


def test_a_query_of_the_limits_gives_what_the_device_can_measure(session) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        channel = task.ai_channels.add_ai_voltage_chan("Dev1/ai0", min_val=0, max_val=3)
        assert (channel.ai_min, channel.ai_max) == (-5.0, 5.0)


def test_the_second_half_of_the_inputs_has_no_differential_one(session) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        assert task.ai_channels.add_ai_voltage_chan("Dev1/ai7").ai_term_cfg is TerminalConfiguration.DIFF
        assert task.ai_channels.add_ai_voltage_chan("Dev1/ai8").ai_term_cfg is TerminalConfiguration.RSE
        with raises(-200077):
            task.ai_channels.add_ai_voltage_chan("Dev1/ai9", terminal_config=TerminalConfiguration.DIFF)


def test_a_line_that_is_driven_can_be_looked_at(session) -> None:
    with nidaqmx.Task(grpc_options=session) as output, nidaqmx.Task(grpc_options=session) as look:
        output.do_channels.add_do_chan("Dev1/port0/line1")
        output.start()
        output.write(True)
        look.di_channels.add_di_chan("Dev1/port0/line1").di_tristate = False
        assert look.read() is True


def test_the_end_of_a_finite_acquisition_gives_what_is_left(session) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0:1")
        task.timing.cfg_samp_clk_timing(1000, samps_per_chan=5)
        task.start()
        assert np.shape(task.read(3)) == (2, 3)
        assert np.shape(task.read(10)) == (2, 2)
        with raises(-200278):
            task.read(1)


def test_samples_of_several_channels_that_came_before_the_time_out_are_handed_out(session, daq) -> None:
    daq.connect_analog_input("ai1", Loop(daq.analog_output("ao0")))
    data_v = np.full((2, 100), np.nan)
    with nidaqmx.Task(grpc_options=session) as output, nidaqmx.Task(grpc_options=session) as task:
        output.ao_channels.add_ao_voltage_chan("Dev1/ao0")
        output.write(2.0)
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0:1", min_val=-5, max_val=5)
        task.timing.cfg_samp_clk_timing(1000, sample_mode=CONTINUOUS)
        task.start()
        with pytest.raises(DaqReadError) as failed:
            AnalogMultiChannelReader(task.in_stream).read_many_sample(data_v, 100, timeout=0.0505)
    count = failed.value.samps_per_chan_read
    assert 49 <= count <= 51
    assert data_v[0, :count] == pytest.approx(np.zeros(count), abs=0.01)
    assert data_v[1, :count] == pytest.approx(np.full(count, 2.0), abs=0.01)


def test_a_stop_ends_a_read_that_waits_for_ever(session) -> None:
    with nidaqmx.Task(grpc_options=session) as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0")
        task.timing.cfg_samp_clk_timing(1000, samps_per_chan=10)
        task.triggers.start_trigger.cfg_dig_edge_start_trig("/Dev1/PFI0")
        task.start()
        errors: list[int] = []

        def read() -> None:
            try:
                task.read(10, timeout=-1)
            except DaqError as error:
                errors.append(error.error_code)

        reader = threading.Thread(target=read)
        reader.start()
        deadline_s = time.monotonic() + 30
        while reader.is_alive() and time.monotonic() < deadline_s:
            task.stop()  # a read that comes only now starts the task again
        assert not reader.is_alive()
    assert errors == [-88710]
