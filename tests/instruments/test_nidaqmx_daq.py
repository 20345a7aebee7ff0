# SPDX-License-Identifier: Apache-2.0
"""What the DAQ driver refuses, closes and explains; nidaqmx's tasks are replaced by ones that write down.

That the driver gets real signals in and out is the business of the contract tests.
"""

from types import SimpleNamespace
from typing import Any

import nidaqmx
import nidaqmx.errors
import numpy as np
import pytest

from hil.errors import (
    ConnectError,
    DeviceError,
    DeviceTimeoutError,
    InstrumentError,
    ProtocolError,
    SafetyError,
)
from hil.instruments import nidaqmx_daq
from hil.instruments.nidaqmx_daq import NiDaq


class RecordingTask:
    """A task that notes every call and fails where it is told to."""

    made: list["RecordingTask"]
    error_at: tuple[str, int] | None
    timebase_hz: float

    def __init__(self, grpc_options: object) -> None:
        self.calls: list[str] = []
        self.closed = False
        self.channel = SimpleNamespace(ci_ctr_timebase_rate=self.timebase_hz, ci_tc_reached=False)
        self.timing = self.ao_channels = self.ai_channels = self.ci_channels = self.do_channels = (
            self.out_stream
        ) = self
        type(self).made.append(self)

    def __enter__(self) -> "RecordingTask":
        return self

    def __exit__(self, *_error: object) -> None:
        self.closed = True

    def write(self, values: Any, auto_start: bool) -> None:
        self.note("write", np.atleast_1d(values).tolist())

    def read(self, **how: Any) -> list[float]:
        self.note("read", how)
        return [0.25] * how["number_of_samples_per_channel"]

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **keywords: Any) -> Any:
            self.note(name, arguments)
            return self.channel

        return call

    def note(self, name: str, detail: Any) -> None:
        self.calls.append(f"{name} {detail}")
        if self.error_at is not None and self.error_at[0] == name:
            raise nidaqmx.errors.DaqError("said\nNI", self.error_at[1])


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> list[RecordingTask]:
    RecordingTask.made, RecordingTask.error_at, RecordingTask.timebase_hz = [], None, 20e6
    version = SimpleNamespace(major_version=24, minor_version=8, update_version=0)
    monkeypatch.setattr(nidaqmx, "Task", RecordingTask)
    monkeypatch.setattr(
        nidaqmx_daq, "System", SimpleNamespace(local=lambda: SimpleNamespace(driver_version=version))
    )
    device = SimpleNamespace(serial_num=0x1A2B, product_type="USB-6363")
    monkeypatch.setattr(nidaqmx_daq, "Device", lambda *_arguments, **_keywords: device)
    return RecordingTask.made


@pytest.fixture
def daq(tasks: list[RecordingTask]) -> NiDaq:
    return NiDaq("Dev1", grpc_target=None, limits_v={"Dev1/ao0": (0.0, 3.0)}, lines=["Dev1/port0/line0"])


def test_identity(daq: NiDaq) -> None:
    identity = daq.identity()
    assert (identity.model, identity.serial, identity.version) == ("USB-6363", "1A2B", "NI-DAQmx 24.8.0")


def test_another_device_is_refused(tasks: list[RecordingTask]) -> None:
    NiDaq("Dev1", grpc_target=None, limits_v={}, lines=[], serial="0x1a2b")
    with pytest.raises(ConnectError, match="serial number 1A2B answers; expected FF"):
        NiDaq("Dev1", grpc_target=None, limits_v={}, lines=[], serial="FF")


@pytest.mark.parametrize("bad", [3.001, -0.001, float("nan"), float("inf")])
def test_a_voltage_outside_the_wires_limits_is_refused_before_any_task(
    daq: NiDaq, tasks: list[RecordingTask], bad: float
) -> None:
    with pytest.raises(SafetyError, match="0 V to 3 V, the wire's limits"):
        daq.set_voltage("Dev1/ao0", bad)
    for repeat in (True, False):
        with pytest.raises(SafetyError, match="0 V to 3 V, the wire's limits"):
            daq.play("Dev1/ao0", np.array([1.5, bad, 1.5]), 1000.0, repeat=repeat)
    assert tasks == []


def test_what_is_not_wired_is_refused(daq: NiDaq, tasks: list[RecordingTask]) -> None:
    with pytest.raises(SafetyError, match="Dev1/ao1 refused; expected a wired output"):
        daq.set_voltage("Dev1/ao1", 1.0)
    with pytest.raises(SafetyError, match="Dev1/port0/line7 refused"):
        daq.write_line("Dev1/port0/line7", True)
    with pytest.raises(SafetyError):
        daq.play("Dev1/ao0", np.array([]), 1000.0, repeat=True)
    assert tasks == []


def test_stop_ends_the_waveform_and_goes_to_zero(daq: NiDaq, tasks: list[RecordingTask]) -> None:
    daq.play("Dev1/ao0", np.array([1.0, 2.0]), 1000.0, repeat=True)
    (playing,) = tasks
    assert not playing.closed
    daq.stop()
    assert playing.closed
    assert "write [0.0]" in tasks[-1].calls
    assert all(task.closed for task in tasks)


def test_stop_clears_what_an_earlier_process_left_on(daq: NiDaq, tasks: list[RecordingTask]) -> None:
    daq.stop()
    (zeroing,) = tasks
    assert "write [0.0]" in zeroing.calls


def test_an_output_that_cannot_be_stopped_goes_to_zero_all_the_same(
    daq: NiDaq, tasks: list[RecordingTask]
) -> None:
    daq.play("Dev1/ao0", np.array([1.0, 2.0]), 1000.0, repeat=True)
    RecordingTask.error_at = ("stop", -200621)
    with pytest.raises(ProtocolError, match="stop Dev1/ao0"):
        daq.stop()
    assert "write [0.0]" in tasks[-1].calls
    assert all(task.closed for task in tasks)


def test_a_second_waveform_replaces_the_first(daq: NiDaq, tasks: list[RecordingTask]) -> None:
    daq.play("Dev1/ao0", np.array([1.0, 2.0]), 1000.0, repeat=True)
    daq.play("Dev1/ao0", np.array([2.0, 1.0]), 1000.0, repeat=True)
    assert [task.closed for task in tasks] == [True, False]


def test_a_finite_waveform_is_waited_for(daq: NiDaq, tasks: list[RecordingTask]) -> None:
    daq.play("Dev1/ao0", np.array([1.0, 2.0]), 1000.0, repeat=False)
    assert any(call.startswith("wait_until_done") for call in tasks[0].calls)
    assert tasks[0].closed


def test_a_counter_is_armed_before_and_closed_after(daq: NiDaq, tasks: list[RecordingTask]) -> None:
    with daq.pulse_widths("Dev1/ctr0", 3) as pulses:
        assert tasks[0].calls[-1].startswith("start")
        assert pulses.wait(2.0).tolist() == [0.25] * 3
    assert tasks[0].closed


def test_a_counter_is_closed_when_its_user_fails(daq: NiDaq, tasks: list[RecordingTask]) -> None:
    with pytest.raises(ZeroDivisionError), daq.pulse_periods("Dev1/ctr1", 1):
        raise ZeroDivisionError
    assert tasks[0].closed


def test_edges_are_routed_from_the_gates_of_the_wired_counters(
    daq: NiDaq, tasks: list[RecordingTask]
) -> None:
    with daq.edge_separation("Dev1/ctr2", "Dev1/ctr1", "Dev1/ctr0", 1):
        channel = tasks[0].channel
    assert channel.ci_two_edge_sep_first_term == "/Dev1/PFI4"
    assert channel.ci_two_edge_sep_second_term == "/Dev1/PFI9"


def arm_width(daq: NiDaq, longest_s: float) -> Any:
    return daq.pulse_widths("Dev1/ctr0", 2, longest_s)


def arm_period(daq: NiDaq, longest_s: float) -> Any:
    return daq.pulse_periods("Dev1/ctr0", 2, longest_s)


def arm_separation(daq: NiDaq, longest_s: float) -> Any:
    return daq.edge_separation("Dev1/ctr2", "Dev1/ctr1", "Dev1/ctr0", 2, longest_s)


@pytest.mark.parametrize("arm", [arm_width, arm_period, arm_separation])
def test_a_counter_that_rolled_over_gives_no_values(daq: NiDaq, tasks: list[RecordingTask], arm: Any) -> None:
    with arm(daq, 200.0) as intervals:
        tasks[0].channel.ci_tc_reached = True
        with pytest.raises(DeviceError, match=r"an interval of 214\.7 s or more.*longest_s"):
            intervals.wait(300.0)


@pytest.mark.parametrize("arm", [arm_width, arm_period, arm_separation])
def test_a_timebase_too_fast_for_what_was_asked_is_refused(
    daq: NiDaq, tasks: list[RecordingTask], arm: Any
) -> None:
    RecordingTask.timebase_hz = 100e6
    with (
        pytest.raises(ProtocolError, match=r"timebase of 1e\+08 Hz .* up to 60 s; expected 2e\+07 Hz"),
        arm(daq, 60.0),
    ):
        pass
    assert tasks[0].closed


@pytest.mark.parametrize("code", [-200284, -200474])
def test_a_missing_pulse_is_the_devices_failure(daq: NiDaq, tasks: list[RecordingTask], code: int) -> None:
    RecordingTask.error_at = ("read", code)
    with daq.pulse_widths("Dev1/ctr0", 2) as pulses:
        with pytest.raises(DeviceTimeoutError, match=r"pulse width on Dev1/ctr0: fewer than 2") as caught:
            pulses.wait(1.0)
        assert not isinstance(caught.value, InstrumentError)


def test_a_lost_server_is_not_the_devices_failure(
    daq: NiDaq, tasks: list[RecordingTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(_task: RecordingTask, **_how: Any) -> None:
        raise nidaqmx.errors.RpcError(14, "failed to connect")

    monkeypatch.setattr(RecordingTask, "read", lost)
    with daq.pulse_widths("Dev1/ctr0", 2) as pulses, pytest.raises(ConnectError, match="pulse width on"):
        pulses.wait(1.0)


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (
            -200220,
            ConnectError,
            "daq: arm Dev1/ctr0 for pulse width: said NI .*; try: check .daq. device in NI MAX",
        ),
        (-50103, ProtocolError, "close the program that holds the device"),
        (-200279, ProtocolError, "said NI"),
    ],
)
def test_errors_of_the_driver_are_the_instruments(
    daq: NiDaq, tasks: list[RecordingTask], code: int, kind: type[InstrumentError], message: str
) -> None:
    RecordingTask.error_at = ("start", code)
    with pytest.raises(kind, match=message), daq.pulse_widths("Dev1/ctr0", 1):
        pass
    assert tasks[0].closed


def test_a_machine_without_the_driver(monkeypatch: pytest.MonkeyPatch, tasks: list[RecordingTask]) -> None:
    def absent() -> None:
        raise nidaqmx.errors.DaqNotFoundError("no driver")

    monkeypatch.setattr(nidaqmx_daq, "System", SimpleNamespace(local=absent))
    with pytest.raises(ConnectError, match="without it the NI-DAQmx driver must be installed"):
        NiDaq("Dev1", grpc_target=None, limits_v={}, lines=[])
