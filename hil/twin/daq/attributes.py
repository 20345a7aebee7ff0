# SPDX-License-Identifier: Apache-2.0
"""The DAQmx attributes this device answers, by the numbers of the gRPC device service.

A getter gets what the attribute belongs to; a setter also the value. An attribute without a setter is
read-only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from nidaqmx._stubs import nidaqmx_pb2 as pb

from hil.twin.daq import device
from hil.twin.daq.buffers import InputBuffer
from hil.twin.daq.channels import ChannelType, Edge
from hil.twin.daq.engines import (
    ArmedCounter,
    ChangeDetection,
    ClockedInput,
    ClockedLines,
    ClockedOutput,
)
from hil.twin.daq.errors import Code, DaqmxError
from hil.twin.daq.sessions import Sessions
from hil.twin.daq.tasks import Task
from hil.twin.daq.timing import StartTrigger, TimingType
from hil.twin.daq.x_series import XSeriesDevice

Target = TypeVar("Target")


@dataclass(frozen=True)
class Attribute(Generic[Target]):
    """How to read and, if it can be, write an attribute."""

    get: Callable[[Target], Any]
    set: Callable[[Target, Any], None] | None = None


@dataclass(frozen=True)
class System:
    """Target of the system attributes."""

    daq: XSeriesDevice
    sessions: Sessions


@dataclass(frozen=True)
class TaskOn:
    """Target of attributes that need the task and its device."""

    daq: XSeriesDevice
    task: Task


DRIVER_VERSION = (24, 0, 0)
"""NI-DAQmx version reported: one that the twin's set of calls belongs to (24 Q1)."""


def _names(names: tuple[str, ...]) -> Callable[[XSeriesDevice], str]:
    return lambda daq: ", ".join(f"{daq.name}/{name}" for name in names)


def rooted(daq: XSeriesDevice, terminal: str) -> str:
    """A terminal's full name, such as ``/Dev1/PFI9``; nothing for no terminal."""
    return f"/{daq.name}/{terminal}" if terminal else ""


_BIPOLAR_AI = [limit for range_v in device.AI_RANGES_V for limit in (-range_v, range_v)]

SYSTEM: dict[int, Attribute[System]] = {
    pb.SYSTEM_ATTRIBUTE_NIDAQ_MAJOR_VERSION: Attribute(lambda _: DRIVER_VERSION[0]),
    pb.SYSTEM_ATTRIBUTE_NIDAQ_MINOR_VERSION: Attribute(lambda _: DRIVER_VERSION[1]),
    pb.SYSTEM_ATTRIBUTE_NIDAQ_UPDATE_VERSION: Attribute(lambda _: DRIVER_VERSION[2]),
    pb.SYSTEM_ATTRIBUTE_DEV_NAMES: Attribute(lambda on: on.daq.name),
    # Only tasks, channels and scales saved on disk count here; the twin saves none.
    pb.SYSTEM_ATTRIBUTE_TASKS: Attribute(lambda _: ""),
    pb.SYSTEM_ATTRIBUTE_GLOBAL_CHANS: Attribute(lambda _: ""),
    pb.SYSTEM_ATTRIBUTE_SCALES: Attribute(lambda _: ""),
}

DEVICE: dict[int, Attribute[XSeriesDevice]] = {
    pb.DEVICE_ATTRIBUTE_PRODUCT_TYPE: Attribute(lambda daq: daq.product),
    pb.DEVICE_ATTRIBUTE_PRODUCT_NUM: Attribute(lambda _: device.PRODUCT_NUMBER),
    pb.DEVICE_ATTRIBUTE_PRODUCT_CATEGORY: Attribute(lambda _: pb.DEVICE_INT32_PRODUCT_CATEGORY_X_SERIES_DAQ),
    pb.DEVICE_ATTRIBUTE_SERIAL_NUM: Attribute(lambda daq: daq.serial),
    pb.DEVICE_ATTRIBUTE_IS_SIMULATED: Attribute(lambda _: True),
    pb.DEVICE_ATTRIBUTE_BUS_TYPE: Attribute(lambda _: pb.DEVICE_INT32_BUS_TYPE_USB),
    pb.DEVICE_ATTRIBUTE_AI_PHYSICAL_CHANS: Attribute(_names(device.ANALOG_INPUTS)),
    pb.DEVICE_ATTRIBUTE_AO_PHYSICAL_CHANS: Attribute(_names(device.ANALOG_OUTPUTS)),
    pb.DEVICE_ATTRIBUTE_CI_PHYSICAL_CHANS: Attribute(_names(device.COUNTERS)),
    pb.DEVICE_ATTRIBUTE_CO_PHYSICAL_CHANS: Attribute(_names(device.COUNTERS)),
    pb.DEVICE_ATTRIBUTE_CO_MAX_SIZE: Attribute(lambda _: device.COUNTER_BITS),
    pb.DEVICE_ATTRIBUTE_CO_MAX_TIMEBASE: Attribute(lambda _: 100e6),
    pb.DEVICE_ATTRIBUTE_CO_SAMP_CLK_SUPPORTED: Attribute(lambda _: False),
    pb.DEVICE_ATTRIBUTE_DI_MAX_RATE: Attribute(lambda _: device.DIGITAL_MAX_RATE_HZ),
    pb.DEVICE_ATTRIBUTE_DO_MAX_RATE: Attribute(lambda _: device.DIGITAL_MAX_RATE_HZ),
    pb.DEVICE_ATTRIBUTE_DI_LINES: Attribute(_names(device.LINES)),
    pb.DEVICE_ATTRIBUTE_DO_LINES: Attribute(_names(device.LINES)),
    pb.DEVICE_ATTRIBUTE_DI_PORTS: Attribute(_names(tuple(device.PORTS))),
    pb.DEVICE_ATTRIBUTE_DO_PORTS: Attribute(_names(tuple(device.PORTS))),
    pb.DEVICE_ATTRIBUTE_TERMINALS: Attribute(
        lambda daq: ", ".join(rooted(daq, name) for name in device.TERMINALS)
    ),
    pb.DEVICE_ATTRIBUTE_AI_MAX_SINGLE_CHAN_RATE: Attribute(lambda _: device.AI_MAX_SINGLE_RATE_HZ),
    pb.DEVICE_ATTRIBUTE_AI_MAX_MULTI_CHAN_RATE: Attribute(lambda _: device.AI_MAX_MULTI_RATE_HZ),
    pb.DEVICE_ATTRIBUTE_AO_MAX_RATE: Attribute(lambda _: device.AO_MAX_RATE_HZ),
    pb.DEVICE_ATTRIBUTE_AI_VOLTAGE_RNGS: Attribute(lambda _: _BIPOLAR_AI),
    pb.DEVICE_ATTRIBUTE_AO_VOLTAGE_RNGS: Attribute(lambda _: [-device.AO_RANGE_V, device.AO_RANGE_V]),
    pb.DEVICE_ATTRIBUTE_AO_SAMP_CLK_SUPPORTED: Attribute(lambda _: True),
    pb.DEVICE_ATTRIBUTE_CI_SAMP_CLK_SUPPORTED: Attribute(lambda _: True),
    pb.DEVICE_ATTRIBUTE_AI_SIMULTANEOUS_SAMPLING_SUPPORTED: Attribute(lambda _: False),
    pb.DEVICE_ATTRIBUTE_ANLG_TRIG_SUPPORTED: Attribute(lambda _: True),
    pb.DEVICE_ATTRIBUTE_DIG_TRIG_SUPPORTED: Attribute(lambda _: True),
    pb.DEVICE_ATTRIBUTE_CI_MAX_SIZE: Attribute(lambda _: device.COUNTER_BITS),
    pb.DEVICE_ATTRIBUTE_CI_MAX_TIMEBASE: Attribute(lambda _: 100e6),
    pb.DEVICE_ATTRIBUTE_ACCESSORY_PRODUCT_TYPES: Attribute(lambda _: ""),
    pb.DEVICE_ATTRIBUTE_CHASSIS_MODULE_DEV_NAMES: Attribute(lambda _: ""),
}

TASK: dict[int, Attribute[TaskOn]] = {
    pb.TASK_ATTRIBUTE_NAME: Attribute(lambda on: on.task.name),
    pb.TASK_ATTRIBUTE_CHANNELS: Attribute(lambda on: ", ".join(channel.name for channel in on.task.channels)),
    pb.TASK_ATTRIBUTE_NUM_CHANS: Attribute(lambda on: len(on.task.channels)),
    pb.TASK_ATTRIBUTE_DEVICES: Attribute(lambda on: on.daq.name if on.task.channels else ""),
    pb.TASK_ATTRIBUTE_NUM_DEVICES: Attribute(lambda on: 1 if on.task.channels else 0),
    pb.TASK_ATTRIBUTE_COMPLETE: Attribute(lambda on: on.task.done),
}


def _set_rate(on: TaskOn, rate_hz: float) -> None:
    on.task.set_rate(rate_hz)


def _set_samples(on: TaskOn, samples: int) -> None:
    on.task.configure_timing(on.task.timing.type, on.task.timing.mode, samples)


def _set_mode(on: TaskOn, mode: int) -> None:
    on.task.configure_timing(on.task.timing.type, mode, on.task.timing.samples_per_channel)


def _set_type(on: TaskOn, timing: int) -> None:
    if timing == TimingType.ON_DEMAND:
        on.task.check_idle("change its timing")
        on.task.timing.type = TimingType.ON_DEMAND
        return
    if timing not in list(TimingType):
        raise DaqmxError(Code.INVALID_ATTRIBUTE_VALUE, f"Sample timing type {timing} is not supported.")
    timing_now = on.task.timing
    on.task.configure_timing(TimingType(timing), timing_now.mode, timing_now.samples_per_channel)


_ENGINES = {
    ChannelType.ANALOG_INPUT: "ai",
    ChannelType.ANALOG_OUTPUT: "ao",
    ChannelType.DIGITAL_INPUT: "di",
    ChannelType.DIGITAL_OUTPUT: "do",
}
"""By the kind of a task's channels: the subsystem whose timing engine it uses."""


def _engine_terminal(on: TaskOn, signal: str) -> str:
    engine = _ENGINES.get(on.task.kind or ChannelType.COUNTER_INPUT)
    if engine is None:
        raise DaqmxError(Code.PROPERTY_NOT_SUPPORTED, f"Task {on.task.name!r} has no timing engine.")
    return rooted(on.daq, f"{engine}/{signal}")


def _sample_clock_terminal(on: TaskOn) -> str:
    return _engine_terminal(on, "SampleClock")


TIMING: dict[int, Attribute[TaskOn]] = {
    pb.TIMING_ATTRIBUTE_SAMP_TIMING_TYPE: Attribute(lambda on: int(on.task.timing.type), _set_type),
    pb.TIMING_ATTRIBUTE_SAMP_QUANT_SAMP_MODE: Attribute(lambda on: int(on.task.timing.mode), _set_mode),
    pb.TIMING_ATTRIBUTE_SAMP_QUANT_SAMP_PER_CHAN: Attribute(
        lambda on: on.task.timing.samples_per_channel, _set_samples
    ),
    pb.TIMING_ATTRIBUTE_SAMP_CLK_RATE: Attribute(lambda on: on.task.timing.rate_hz, _set_rate),
    pb.TIMING_ATTRIBUTE_SAMP_CLK_MAX_RATE: Attribute(lambda on: on.task.maximum_rate_hz),
    pb.TIMING_ATTRIBUTE_SAMP_CLK_ACTIVE_EDGE: Attribute(lambda on: int(on.task.timing.edge)),
    pb.TIMING_ATTRIBUTE_SAMP_CLK_SRC: Attribute(
        lambda on: "OnboardClock" if on.task.timing.source is None else rooted(on.daq, on.task.timing.source)
    ),
    pb.TIMING_ATTRIBUTE_SAMP_CLK_TERM: Attribute(_sample_clock_terminal),
    pb.TIMING_ATTRIBUTE_SAMP_CLK_TIMEBASE_RATE: Attribute(lambda _: 100e6),
    pb.TIMING_ATTRIBUTE_SAMP_CLK_TIMEBASE_DIV: Attribute(lambda on: on.task.timing.divisor),
}


def _input_buffer(on: TaskOn) -> InputBuffer[Any] | None:
    engine = on.task.engine
    return engine.buffer if isinstance(engine, ClockedInput | ArmedCounter | ChangeDetection) else None


def _available(on: TaskOn) -> int:
    buffer = _input_buffer(on)
    return buffer.available if buffer is not None else 0


def _position(on: TaskOn) -> int:
    buffer = _input_buffer(on)
    return buffer.read_position if buffer is not None else 0


def _acquired(on: TaskOn) -> int:
    buffer = _input_buffer(on)
    return buffer.acquired if buffer is not None else 0


def _generated(on: TaskOn) -> int:
    engine = on.task.engine
    return engine.generated if isinstance(engine, ClockedOutput | ClockedLines) else 0


def _lines_per_channel(on: TaskOn) -> int:
    return max((len(channel.physical) for channel in on.task.channels), default=0)


def _set_read_all(on: TaskOn, value: bool) -> None:
    on.task.read_all_available = value


def _set_channels_to_read(on: TaskOn, names: str) -> None:
    if len(on.task.select(device.expand(names))) != len(on.task.channels):
        raise DaqmxError(Code.INVALID_ATTRIBUTE_VALUE, "The virtual device reads all of a task's channels.")


def _only(wanted: int, what: str) -> Callable[[TaskOn, int], None]:
    def check(_: TaskOn, value: int) -> None:
        if value != wanted:
            raise DaqmxError(Code.INVALID_ATTRIBUTE_VALUE, f"The virtual device has {what} only.")

    return check


READ: dict[int, Attribute[TaskOn]] = {
    pb.READ_ATTRIBUTE_CHANNELS_TO_READ: Attribute(
        lambda on: ", ".join(channel.name for channel in on.task.channels), _set_channels_to_read
    ),
    pb.READ_ATTRIBUTE_NUM_CHANS: Attribute(lambda on: len(on.task.channels)),
    pb.READ_ATTRIBUTE_AVAIL_SAMP_PER_CHAN: Attribute(_available),
    pb.READ_ATTRIBUTE_TOTAL_SAMP_PER_CHAN_ACQUIRED: Attribute(_acquired),
    pb.READ_ATTRIBUTE_CURR_READ_POS: Attribute(_position),
    pb.READ_ATTRIBUTE_DIGITAL_LINES_BYTES_PER_CHAN: Attribute(_lines_per_channel),
    pb.READ_ATTRIBUTE_READ_ALL_AVAIL_SAMP: Attribute(lambda on: on.task.read_all_available, _set_read_all),
    pb.READ_ATTRIBUTE_AUTO_START: Attribute(lambda _: True),
    pb.READ_ATTRIBUTE_OVERLOADED_CHANS_EXIST: Attribute(lambda _: False),
}

WRITE: dict[int, Attribute[TaskOn]] = {
    pb.WRITE_ATTRIBUTE_NUM_CHANS: Attribute(lambda on: len(on.task.channels)),
    pb.WRITE_ATTRIBUTE_DIGITAL_LINES_BYTES_PER_CHAN: Attribute(_lines_per_channel),
    pb.WRITE_ATTRIBUTE_TOTAL_SAMP_PER_CHAN_GENERATED: Attribute(_generated),
    pb.WRITE_ATTRIBUTE_REGEN_MODE: Attribute(
        lambda _: int(pb.WRITE_INT32_REGENERATION_MODE1_ALLOW_REGEN),
        _only(int(pb.WRITE_INT32_REGENERATION_MODE1_ALLOW_REGEN), "generation with regeneration"),
    ),
}


def _set_buffer_size(on: TaskOn, size: int) -> None:
    on.task.check_idle("change its buffer")
    on.task.buffer_size = size or None


BUFFER: dict[int, Attribute[TaskOn]] = {
    pb.BUFFER_ATTRIBUTE_INPUT_BUF_SIZE: Attribute(lambda on: on.task.input_capacity, _set_buffer_size),
}


def _set_trigger_terminal(on: TaskOn, text: str) -> None:
    on.task.check_idle("change its start trigger")
    present = on.task.start_trigger
    edge = present.edge if isinstance(present, StartTrigger) else Edge.RISING
    on.task.start_trigger = StartTrigger(device.terminal(text, on.daq.name), edge)


def _start_terminal(on: TaskOn) -> str:
    trigger = on.task.start_trigger
    return trigger.terminal if isinstance(trigger, StartTrigger) else ""


TRIGGER: dict[int, Attribute[TaskOn]] = {
    pb.TRIGGER_ATTRIBUTE_DIG_EDGE_START_TRIG_SRC: Attribute(
        lambda on: rooted(on.daq, _start_terminal(on)),
        _set_trigger_terminal,
    ),
    pb.TRIGGER_ATTRIBUTE_START_TRIG_TERM: Attribute(lambda on: _engine_terminal(on, "StartTrigger")),
    pb.TRIGGER_ATTRIBUTE_START_TRIG_TYPE: Attribute(
        lambda on: int(
            pb.TRIGGER_INT32_TRIGGER_TYPE8_NONE
            if on.task.start_trigger is None
            else pb.TRIGGER_INT32_TRIGGER_TYPE8_DIG_EDGE
            if isinstance(on.task.start_trigger, StartTrigger)
            else pb.TRIGGER_INT32_TRIGGER_TYPE8_ANLG_EDGE
        )
    ),
    pb.TRIGGER_ATTRIBUTE_REF_TRIG_TYPE: Attribute(
        lambda on: int(
            pb.TRIGGER_INT32_TRIGGER_TYPE8_NONE
            if on.task.reference_trigger is None
            else pb.TRIGGER_INT32_TRIGGER_TYPE8_DIG_EDGE
            if isinstance(on.task.reference_trigger.edge, StartTrigger)
            else pb.TRIGGER_INT32_TRIGGER_TYPE8_ANLG_EDGE
        )
    ),
    pb.TRIGGER_ATTRIBUTE_REF_TRIG_PRETRIG_SAMPLES: Attribute(
        lambda on: on.task.reference_trigger.pretrigger if on.task.reference_trigger else 0
    ),
}


_PREFIXES = {"Chan": "CHANNEL", "Trig": "TRIGGER", "SystemInfo": "SYSTEM"}


def unsupported(number: int, where: str) -> DaqmxError:
    """The error for an attribute this device does not answer, by the name that NI's headers give it."""
    return DaqmxError(
        Code.PROPERTY_NOT_SUPPORTED,
        f"The virtual {device.PRODUCT} has no {where.lower()} property {name_of(number, where)}.",
    )


def name_of(number: int, where: str) -> str:
    """The name that NI's headers give an attribute, such as ``SAMP_CLK_TERM``."""
    prefix = f"{_PREFIXES.get(where, where.upper())}_ATTRIBUTE_"
    names = (
        value.name.removeprefix(prefix)
        for enum in pb.DESCRIPTOR.enum_types_by_name.values()
        for value in enum.values
        if value.number == number and value.name.startswith(prefix)
    )
    return next(names, f"{number:#06x}")
