# SPDX-License-Identifier: Apache-2.0
"""Callbacks of stock nidaqmx: every N samples, and done."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Any

import nidaqmx
import numpy as np
import pytest
from nidaqmx.constants import AcquisitionType
from nidaqmx.error_codes import DAQmxErrors


class Ramp:
    """1 V/s."""

    def voltage_v(self, time_ps: int) -> float:
        return time_ps * 1e-12


@pytest.fixture
def analog_input(session: nidaqmx.GrpcSessionOptions) -> Any:
    with nidaqmx.Task(grpc_options=session) as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0", min_val=0, max_val=5)
        yield task


def refused_with(code: DAQmxErrors, call: Callable[[], object]) -> None:
    with pytest.raises(nidaqmx.DaqError) as refusal:
        call()
    assert refusal.value.error_code == code


def test_a_continuous_acquisition_calls_back_every_n_samples(bench: Any, daq: Any, analog_input: Any) -> None:
    daq.connect_analog_input("Dev1/ai0", Ramp())
    blocks: queue.Queue[list[float]] = queue.Queue()

    def read_block(_handle: object, _kind: int, count: int, _data: object) -> int:
        blocks.put(analog_input.read(count))
        return 0

    analog_input.timing.cfg_samp_clk_timing(1000, sample_mode=AcquisitionType.CONTINUOUS)
    analog_input.register_every_n_samples_acquired_into_buffer_event(100, read_block)
    analog_input.start()
    bench.advance(0.35)
    samples_v = np.array([blocks.get(timeout=5) for _ in range(3)])
    assert samples_v.shape == (3, 100)
    assert np.diff(samples_v.ravel()) == pytest.approx(1e-3, abs=2e-4)
    analog_input.stop()
    analog_input.register_every_n_samples_acquired_into_buffer_event(100, None)
    assert blocks.empty()


def test_a_finite_acquisition_says_when_it_is_done(bench: Any, analog_input: Any) -> None:
    done: queue.Queue[int] = queue.Queue()

    def on_done(_handle: object, status: int, _data: object) -> int:
        done.put(status)
        return 0

    analog_input.timing.cfg_samp_clk_timing(1000, samps_per_chan=50)
    analog_input.register_done_event(on_done)
    analog_input.start()
    bench.advance(0.04)
    assert done.empty()
    bench.advance(0.02)
    assert done.get(timeout=5) == 0


def test_registrations_that_daqmx_refuses(analog_input: Any, connect: Any) -> None:
    def ignore(*_arguments: object) -> int:
        return 0

    register = analog_input.register_every_n_samples_acquired_into_buffer_event
    analog_input.timing.cfg_samp_clk_timing(1000, sample_mode=AcquisitionType.CONTINUOUS)
    refused_with(DAQmxErrors.EVERY_N_SAMPS_EVENT_INTERVAL_ZERO_NOT_SUPPORTED, lambda: register(0, ignore))
    register(10, ignore)
    refused_with(
        DAQmxErrors.EVERY_N_SAMPS_ACQ_INTO_BUFFER_EVENT_ALREADY_REGISTERED, lambda: register(10, ignore)
    )
    analog_input.start()
    refused_with(
        DAQmxErrors.CANNOT_REGISTER_DA_QMX_SOFTWARE_EVENT_WHILE_TASK_IS_RUNNING,
        lambda: analog_input.register_done_event(ignore),
    )
    with nidaqmx.Task(grpc_options=connect()) as output:
        output.ao_channels.add_ao_voltage_chan("Dev1/ao0")
        refused_with(
            DAQmxErrors.EVERY_N_SAMPS_ACQ_INTO_BUFFER_NOT_FOR_OUTPUT,
            lambda: output.register_every_n_samples_acquired_into_buffer_event(10, ignore),
        )
