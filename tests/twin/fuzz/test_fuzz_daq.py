# SPDX-License-Identifier: Apache-2.0
"""Every call of the DAQ service with random contents: answered, or refused with a DAQmx status."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from nidaqmx._stubs import nidaqmx_pb2 as pb

METHODS = tuple(pb.DESCRIPTOR.services_by_name["NiDAQmx"].methods)
TEXTS = (
    "",
    "Dev1",
    "Dev1/ai0",
    "Dev1/ai0:3",
    "Dev1/ctr9",
    "Dev2/ai0",
    "/Dev1/PFI3",
    "/Dev1/PFI99",
    "\0",
    "é,,:",
    "x" * 300,
)
INTEGERS = (0, 1, -1, 2, 10, 10123, 10178, 10280, 10348, 2**31 - 1, -(2**31))
FLOATS = (0.0, 1.0, -1.0, 1e-9, 1e6, 1e300, -1e300, math.inf, -math.inf, math.nan)
WAIT_S = 0.15
"""Wall-clock patience: a call that waits for ever (-1) is given up by its client after this long."""


def fill(source: random.Random, message: Any, task: str) -> Any:
    """Give each field of a message, with a probability, a value of its type."""
    for entry in message.DESCRIPTOR.fields:
        if entry.name == "task":
            message.task.name = task
            continue
        if source.random() < 0.3:
            continue
        value = _value(source, entry)
        if value is None:
            continue
        if entry.is_repeated:
            getattr(message, entry.name).extend([value] * source.randrange(4))
        else:
            setattr(message, entry.name, value)
    return message


def _value(source: random.Random, entry: Any) -> Any:
    match entry.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING:
            text = source.choice(TEXTS)
            return text.encode() if entry.type == FieldDescriptor.TYPE_BYTES else text
        case FieldDescriptor.CPPTYPE_DOUBLE | FieldDescriptor.CPPTYPE_FLOAT:
            return source.choice(FLOATS)
        case FieldDescriptor.CPPTYPE_BOOL:
            return source.random() < 0.5
        case FieldDescriptor.CPPTYPE_UINT32 | FieldDescriptor.CPPTYPE_UINT64:
            return abs(source.choice(INTEGERS))
        case FieldDescriptor.CPPTYPE_INT32 | FieldDescriptor.CPPTYPE_INT64:
            return source.choice(INTEGERS)
        case FieldDescriptor.CPPTYPE_ENUM:
            known = [value.number for value in entry.enum_type.values]
            return source.choice([*known, *INTEGERS])
    return None


def call(channel: grpc.Channel, method: Any, request: Any, patience_s: float = WAIT_S) -> str:
    """Make a call; how it ended: "ok", the DAQmx status, or the gRPC status."""
    path = f"/nidaqmx_grpc.NiDAQmx/{method.name}"
    reply = getattr(pb, method.output_type.name).FromString
    try:
        if method.server_streaming:
            stream = channel.unary_stream(path, type(request).SerializeToString, reply)(
                request, timeout=WAIT_S
            )
            stream.initial_metadata()
            stream.cancel()
        else:
            channel.unary_unary(path, type(request).SerializeToString, reply)(request, timeout=patience_s)
    except grpc.RpcError as error:
        metadata = dict(error.trailing_metadata() or ())
        if "ni-error" in metadata:
            return str(metadata["ni-error"])
        if error.code() is grpc.StatusCode.CANCELLED:
            return "ok"
        return f"{error.code()}: {error.details()}"
    return "ok"


def refused_properly(outcome: str, request: Any) -> bool:
    patience_s = [getattr(request, name, 0.0) for name in ("timeout", "time_to_wait")]
    waits_for_ever = not all(0 <= limit_s <= 1.0 for limit_s in patience_s)
    if outcome.startswith("StatusCode.DEADLINE_EXCEEDED"):
        return waits_for_ever
    return outcome == "ok" or outcome.removeprefix("-").isdecimal()


@pytest.fixture
def channel(live: Any) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(live.servers["daq"].address) as channel:
        yield channel


def create(channel: grpc.Channel, name: str, kind: str) -> None:
    def ask(method: str, **fields: Any) -> None:
        request = getattr(pb, f"{method}Request")(**fields)
        (found,) = [entry for entry in METHODS if entry.name == method]
        assert call(channel, found, request, patience_s=20) == "ok"

    ask("CreateTask", session_name=name)
    task = {"name": name}
    if kind == "CreateAIVoltageChan":
        ask(kind, task=task, physical_channel="Dev1/ai0", terminal_config=-1, max_val=3, units=10348)
    else:
        ask(kind, task=task, counter="Dev1/ctr0", edge=10280)


@pytest.mark.parametrize("kind", ["no task", "CreateAIVoltageChan", "CreateCICountEdgesChan"])
def test_every_call_with_random_contents(live: Any, channel: grpc.Channel, kind: str) -> None:
    print("seed", kind)
    source = random.Random(kind)
    failures = []
    for method in METHODS:
        request = getattr(pb, method.input_type.name)()
        if kind != "no task":
            create(channel, "fuzzed", kind)
        outcome = call(channel, method, fill(source, request, "fuzzed"))
        live.tally("daq", outcome.partition(":")[0])
        if not refused_properly(outcome, request):
            failures.append(f"{method.name} {request}: {outcome}"[:400])
        clear = pb.ClearTaskRequest(task={"name": "fuzzed"})
        call(channel, METHODS_BY_NAME["ClearTask"], clear, patience_s=20)
    assert not failures, "\n".join(failures)


METHODS_BY_NAME = {method.name: method for method in METHODS}


def test_bytes_that_are_no_message(channel: grpc.Channel) -> None:
    raw = channel.unary_unary("/nidaqmx_grpc.NiDAQmx/ReadAnalogF64")
    with pytest.raises(grpc.RpcError) as refusal:
        raw(b"\xff" * 100, timeout=5)
    assert refusal.value.code() is grpc.StatusCode.INTERNAL


def test_calls_that_do_not_exist(channel: grpc.Channel) -> None:
    for path in ("/nidaqmx_grpc.NiDAQmx/MakeCoffee", "/no.such.Service/Call"):
        with pytest.raises(grpc.RpcError) as refusal:
            channel.unary_unary(path)(b"", timeout=5)
        assert refusal.value.code() is grpc.StatusCode.UNIMPLEMENTED
