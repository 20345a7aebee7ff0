# SPDX-License-Identifier: Apache-2.0
"""Calls that register events; their answers are streams that last as long as the registration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Any

from nidaqmx._stubs import nidaqmx_pb2 as pb

from hil.twin.daq.call import Call, Handler
from hil.twin.daq.channels import ChannelType
from hil.twin.daq.errors import Code, DaqmxError
from hil.twin.daq.events import EveryN, Signal
from hil.twin.daq.tasks import State

_CLIENT_CHECK_S = 0.2
"""Wall-clock time after which a silent stream looks whether its client is still there."""

Stream = Callable[[Call], Callable[[], Iterator[Any]]]
"""Registers, with the bench's lock held; what it returns then makes the responses, without the lock."""


def _check_idle(call: Call, code: Code) -> None:
    if call.task.state is State.RUNNING:
        raise DaqmxError(code, f"Task {call.task.name!r} is running; stop it to change its events.")


def register_every_n_samples_event(call: Call) -> Callable[[], Iterator[Any]]:
    """RegisterEveryNSamplesEvent, for samples acquired into a buffer."""
    kind = call.request.every_n_samples_event_type or call.request.every_n_samples_event_type_raw
    _check_idle(call, Code.CANNOT_REGISTER_EVENT_WHILE_RUNNING)
    if kind != EveryN.ACQUIRED_INTO_BUFFER:
        raise DaqmxError(
            Code.EVERY_N_TRANSFERRED_NOT_SUPPORTED,
            "The virtual device tells of samples acquired into a buffer, not of those transferred from one.",
        )
    acquiring = (ChannelType.ANALOG_INPUT, ChannelType.COUNTER_INPUT, ChannelType.DIGITAL_INPUT)
    if call.task.kind not in acquiring:
        raise DaqmxError(
            Code.EVERY_N_ACQUIRED_NOT_FOR_OUTPUT, f"Task {call.task.name!r} acquires nothing into a buffer."
        )
    queue = call.task.events.register_every_n(call.request.n_samples)

    def response(count: int) -> Any:
        return pb.RegisterEveryNSamplesEventResponse(every_n_samples_event_type_raw=kind, n_samples=count)

    return lambda: _responses(call, queue, response)


def register_done_event(call: Call) -> Callable[[], Iterator[Any]]:
    """RegisterDoneEvent."""
    _check_idle(call, Code.CANNOT_REGISTER_EVENT_WHILE_RUNNING)
    queue = call.task.events.register_done()
    return lambda: _responses(call, queue, lambda status: pb.RegisterDoneEventResponse(status=status))


def register_signal_event(call: Call) -> Callable[[], Iterator[Any]]:
    """RegisterSignalEvent: counter output, change detection or sample clock."""
    number = call.request.signal_id or call.request.signal_id_raw
    _check_idle(call, Code.CANNOT_REGISTER_EVENT_WHILE_RUNNING)
    wanted = {
        Signal.COUNTER_OUTPUT: (ChannelType.COUNTER_OUTPUT,),
        Signal.CHANGE_DETECTION: (ChannelType.DIGITAL_INPUT,),
        Signal.SAMPLE_CLOCK: (
            ChannelType.ANALOG_INPUT,
            ChannelType.DIGITAL_INPUT,
            ChannelType.DIGITAL_OUTPUT,
        ),
    }
    if number not in list(Signal) or call.task.kind not in wanted[Signal(number)]:
        raise DaqmxError(Code.SIGNAL_NOT_SUPPORTED, f"Task {call.task.name!r} has no event {number}.")
    queue = call.task.events.register_signal(Signal(number))
    return lambda: _responses(call, queue, lambda signal: pb.RegisterSignalEventResponse(signal_id=signal))


def unregister_signal_event(call: Call) -> Any:
    """UnregisterSignalEvent."""
    number = call.request.signal_id or call.request.signal_id_raw
    _check_idle(call, Code.CANNOT_UNREGISTER_EVENT_WHILE_RUNNING)
    if number in list(Signal):
        call.task.events.unregister_signal(Signal(number))
    return pb.UnregisterSignalEventResponse()


def unregister_every_n_samples_event(call: Call) -> Any:
    """UnregisterEveryNSamplesEvent."""
    _check_idle(call, Code.CANNOT_UNREGISTER_EVENT_WHILE_RUNNING)
    call.task.events.unregister_every_n()
    return pb.UnregisterEveryNSamplesEventResponse()


def unregister_done_event(call: Call) -> Any:
    """UnregisterDoneEvent."""
    _check_idle(call, Code.CANNOT_UNREGISTER_EVENT_WHILE_RUNNING)
    call.task.events.unregister_done()
    return pb.UnregisterDoneEventResponse()


def _responses(call: Call, queue: SimpleQueue[int | None], response: Callable[[int], Any]) -> Iterator[Any]:
    while call.alive():
        try:
            item = queue.get(timeout=_CLIENT_CHECK_S)
        except Empty:
            continue
        if item is None:
            return
        yield response(item)


STREAMS: dict[str, Stream] = {
    "RegisterEveryNSamplesEvent": register_every_n_samples_event,
    "RegisterDoneEvent": register_done_event,
    "RegisterSignalEvent": register_signal_event,
}
LOCKED: dict[str, Handler] = {
    "UnregisterEveryNSamplesEvent": unregister_every_n_samples_event,
    "UnregisterDoneEvent": unregister_done_event,
    "UnregisterSignalEvent": unregister_signal_event,
}
