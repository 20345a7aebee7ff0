# SPDX-License-Identifier: Apache-2.0
"""The calls that get and set attributes: one pair for each type and each thing that has attributes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from nidaqmx._stubs import nidaqmx_pb2 as pb

from hil.twin.daq import attributes, channel_attributes, device
from hil.twin.daq.call import Call, Handler
from hil.twin.daq.errors import Code, DaqmxError

_NAME = re.compile(
    r"(?P<action>Get|Set)(?P<where>SystemInfo|Device|Chan|Task|Timing|Read|Write|Buffer|Trig)Attribute(Ex)?"
    r"(Bool|Double|DoubleArray|Int32|Int32Array|String|UInt32|UInt64)"
)

PROGRESS = frozenset(
    {
        pb.READ_ATTRIBUTE_AVAIL_SAMP_PER_CHAN,
        pb.READ_ATTRIBUTE_TOTAL_SAMP_PER_CHAN_ACQUIRED,
        pb.WRITE_ATTRIBUTE_TOTAL_SAMP_PER_CHAN_GENERATED,
        pb.TASK_ATTRIBUTE_COMPLETE,
        pb.CHANNEL_ATTRIBUTE_CI_COUNT,
    }
)
"""Attributes that programs poll: a moment of bench time passes before they are answered."""


def _system(call: Call) -> Any:
    return attributes.System(call.daq, call.sessions)


def _device(call: Call) -> Any:
    if call.request.device_name.lower() != call.daq.name.lower():
        raise DaqmxError(
            Code.INVALID_DEVICE,
            f"There is no device {call.request.device_name!r}; {call.daq.name!r} is the only one.",
        )
    return call.daq


def _task(call: Call) -> Any:
    return attributes.TaskOn(call.daq, call.task)


def _channel(call: Call) -> Any:
    channels = call.task.select(device.expand(call.request.channel))
    if not channels:
        raise DaqmxError(Code.NO_CHANNELS_IN_TASK, f"Task {call.task.name!r} has no channels.")
    return channel_attributes.ChannelOf(call.daq, call.task, channels[0])


_TARGETS: dict[str, tuple[dict[int, attributes.Attribute[Any]], Callable[[Call], Any]]] = {
    "SystemInfo": (attributes.SYSTEM, _system),
    "Device": (attributes.DEVICE, _device),
    "Task": (attributes.TASK, _task),
    "Timing": (attributes.TIMING, _task),
    "Read": (attributes.READ, _task),
    "Write": (attributes.WRITE, _task),
    "Buffer": (attributes.BUFFER, _task),
    "Trig": (attributes.TRIGGER, _task),
    "Chan": (channel_attributes.CHANNEL, _channel),
}


def handler(name: str) -> Handler | None:
    """The handler of an attribute call, or ``None`` if ``name`` is none that this device answers."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    where = match["where"]
    table, target_of = _TARGETS[where]
    response_type = getattr(pb, f"{name}Response")

    def find(call: Call) -> tuple[int, attributes.Attribute[Any]]:
        number = call.request.attribute or call.request.attribute_raw
        if number not in table:
            raise attributes.unsupported(number, where)
        return number, table[number]

    def get(call: Call) -> Any:
        number, attribute = find(call)
        if number in PROGRESS:
            call.daq.software_call()
        with call.daq.bench.lock:
            value = attribute.get(target_of(call))
        field = "value_raw" if "value_raw" in response_type.DESCRIPTOR.fields_by_name else "value"
        return response_type(**{field: value})

    def put(call: Call) -> Any:
        number, attribute = find(call)
        if attribute.set is None:
            raise DaqmxError(
                Code.PROPERTY_NOT_SUPPORTED,
                f"The {where.lower()} property {attributes.name_of(number, where)} cannot be set.",
            )
        raw = "value_raw" in call.request.DESCRIPTOR.fields_by_name
        value = (call.request.value or call.request.value_raw) if raw else call.request.value
        with call.daq.bench.lock:
            if where == "Chan":
                for channel in call.task.select(device.expand(call.request.channel)):
                    attribute.set(channel_attributes.ChannelOf(call.daq, call.task, channel), value)
            else:
                attribute.set(target_of(call), value)
        return response_type()

    return get if match["action"] == "Get" else put
