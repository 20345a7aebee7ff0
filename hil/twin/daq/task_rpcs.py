# SPDX-License-Identifier: Apache-2.0
"""Calls about tasks as such: sessions, states, timing, triggers, the device."""

from __future__ import annotations

from typing import Any

from nidaqmx._stubs import nidaqmx_pb2 as pb
from nidaqmx.error_codes import DAQmxErrors
from session_pb2 import Session

from hil.twin.daq import device
from hil.twin.daq.call import Call, Handler
from hil.twin.daq.channels import ChannelType, Edge
from hil.twin.daq.errors import Code, DaqmxError
from hil.twin.daq.sessions import Initialization
from hil.twin.daq.timing import AnalogEdge, ReferenceTrigger, StartTrigger, TimingType


def create_task(call: Call) -> Any:
    """CreateTask."""
    behavior = call.request.initialization_behavior
    if behavior not in list(Initialization):
        raise DaqmxError(
            Code.INVALID_ATTRIBUTE_VALUE, f"Initialization behavior {behavior}: expected 0, 1 or 2."
        )
    task, new = call.sessions.open(call.request.session_name, Initialization(behavior), call.client)
    return pb.CreateTaskResponse(task=Session(name=task.name), new_session_initialized=new)


def clear_task(call: Call) -> Any:
    """ClearTask."""
    call.sessions.clear(call.request.task.name)
    return pb.ClearTaskResponse()


def start_task(call: Call) -> Any:
    """StartTask."""
    call.task.start()
    return pb.StartTaskResponse()


def stop_task(call: Call) -> Any:
    """StopTask."""
    call.task.stop()
    return pb.StopTaskResponse()


def task_control(call: Call) -> Any:
    """TaskControl."""
    task = call.task
    actions = {
        pb.TASK_CONTROL_ACTION_TASK_START: task.start,
        pb.TASK_CONTROL_ACTION_TASK_STOP: task.stop,
        pb.TASK_CONTROL_ACTION_TASK_VERIFY: task.require_channels,
        pb.TASK_CONTROL_ACTION_TASK_COMMIT: task.commit,
        pb.TASK_CONTROL_ACTION_TASK_RESERVE: task.commit,
        pb.TASK_CONTROL_ACTION_TASK_UNRESERVE: task.unreserve,
        pb.TASK_CONTROL_ACTION_TASK_ABORT: task.unreserve,
    }
    action = call.request.action or call.request.action_raw
    if action not in actions:
        raise DaqmxError(Code.INVALID_ATTRIBUTE_VALUE, f"TaskControl has no action {action}.")
    actions[action]()
    return pb.TaskControlResponse()


def is_task_done(call: Call) -> Any:
    """IsTaskDone; a moment passes, so that polling gets somewhere."""
    call.daq.software_call()
    with call.daq.bench.lock:
        return pb.IsTaskDoneResponse(is_task_done=call.task.done)


def wait_until_task_done(call: Call) -> Any:
    """WaitUntilTaskDone."""
    task = call.task
    if not call.daq.wait(lambda: task.done, call.request.time_to_wait, call.alive):
        raise DaqmxError(
            Code.WAIT_TIMED_OUT,
            f"Task {task.name!r} is not done within {call.request.time_to_wait:g} s. Wait longer, or stop "
            "the task if it is continuous.",
        )
    return pb.WaitUntilTaskDoneResponse()


def cfg_samp_clk_timing(call: Call) -> Any:
    """CfgSampClkTiming; from the onboard clock, or from edges on a terminal."""
    request, task = call.request, call.task
    own = request.source.lower() in ("", "onboardclock")
    source = None if own else device.terminal(request.source, call.daq.name)
    if own and task.kind is ChannelType.COUNTER_INPUT:
        raise DaqmxError(
            Code.INVALID_ATTRIBUTE_VALUE, "Counters have no sample clock of their own; name a terminal."
        )
    mode = request.sample_mode or request.sample_mode_raw
    edge = Edge.of(request.active_edge or request.active_edge_raw or Edge.RISING)
    task.configure_timing(TimingType.SAMPLE_CLOCK, mode, request.samps_per_chan)
    task.set_rate(request.rate)
    task.timing.source, task.timing.edge = source, edge
    return pb.CfgSampClkTimingResponse()


def cfg_implicit_timing(call: Call) -> Any:
    """CfgImplicitTiming."""
    mode = call.request.sample_mode or call.request.sample_mode_raw
    call.task.configure_timing(TimingType.IMPLICIT, mode, call.request.samps_per_chan)
    return pb.CfgImplicitTimingResponse()


def cfg_change_detection_timing(call: Call) -> Any:
    """CfgChangeDetectionTiming."""
    request, task = call.request, call.task
    task.require_channels()
    lines = [
        tuple(device.physical_channels(text, call.daq.name, device.LINES)) if text else ()
        for text in (request.rising_edge_chan, request.falling_edge_chan)
    ]
    if not any(lines):
        raise DaqmxError(
            Code.NO_CHANNELS_FOR_CHANGE_DETECTION, "Neither rising nor falling edges are to be detected."
        )
    present = {line for channel in task.channels for line in channel.physical}
    foreign = sorted({*lines[0], *lines[1]} - present)
    if foreign:
        raise DaqmxError(
            Code.CHANGE_DETECTION_CHANNEL_NOT_IN_TASK,
            f"{foreign[0]!r} is not in task {task.name!r}, so its changes cannot be detected.",
        )
    mode = request.sample_mode or request.sample_mode_raw
    task.configure_timing(TimingType.CHANGE_DETECTION, mode, request.samps_per_chan)
    task.timing.rising_lines, task.timing.falling_lines = lines
    return pb.CfgChangeDetectionTimingResponse()


def _analog_edge(call: Call) -> AnalogEdge:
    """The analog edge that a request describes, on one of the task's channels."""
    request, task = call.request, call.task
    slope = Edge.of(request.trigger_slope or request.trigger_slope_raw)
    (channel,) = task.select([request.trigger_source])
    if channel.kind is not ChannelType.ANALOG_INPUT:
        raise DaqmxError(Code.INVALID_ATTRIBUTE_VALUE, f"{channel.name!r} is no analog input.")
    if not channel.minimum <= request.trigger_level <= channel.maximum:
        raise DaqmxError(
            Code.INVALID_ATTRIBUTE_VALUE,
            f"A trigger level of {request.trigger_level:g} V is outside {channel.name!r}, "
            f"{channel.minimum:g} V to {channel.maximum:g} V.",
        )
    return AnalogEdge(task.channels.index(channel), request.trigger_level, slope is Edge.RISING)


def cfg_anlg_edge_start_trig(call: Call) -> Any:
    """CfgAnlgEdgeStartTrig; one of the task's own channels."""
    call.task.check_idle("change its start trigger")
    call.task.start_trigger = _analog_edge(call)
    return pb.CfgAnlgEdgeStartTrigResponse()


def _reference(call: Call, edge: StartTrigger | AnalogEdge) -> None:
    task = call.task
    task.check_idle("change its reference trigger")
    if task.kind is not ChannelType.ANALOG_INPUT:
        raise DaqmxError(
            Code.FUNCTION_NOT_SUPPORTED, "The virtual device has reference triggers for analog inputs only."
        )
    if call.request.pretrigger_samples < 2:
        raise DaqmxError(
            Code.INVALID_ATTRIBUTE_VALUE,
            f"{call.request.pretrigger_samples} samples before the trigger; 2 is the least.",
        )
    task.reference_trigger = ReferenceTrigger(edge, call.request.pretrigger_samples)


def cfg_dig_edge_ref_trig(call: Call) -> Any:
    """CfgDigEdgeRefTrig."""
    edge = Edge.of(call.request.trigger_edge or call.request.trigger_edge_raw)
    _reference(call, StartTrigger(device.terminal(call.request.trigger_source, call.daq.name), edge))
    return pb.CfgDigEdgeRefTrigResponse()


def cfg_anlg_edge_ref_trig(call: Call) -> Any:
    """CfgAnlgEdgeRefTrig; one of the task's own channels."""
    _reference(call, _analog_edge(call))
    return pb.CfgAnlgEdgeRefTrigResponse()


def disable_ref_trig(call: Call) -> Any:
    """DisableRefTrig."""
    call.task.check_idle("change its reference trigger")
    call.task.reference_trigger = None
    return pb.DisableRefTrigResponse()


_SIGNALS = {
    (pb.SIGNAL_SAMPLE_CLOCK, ChannelType.ANALOG_INPUT): "ai/SampleClock",
    (pb.SIGNAL_START_TRIGGER, ChannelType.ANALOG_INPUT): "ai/StartTrigger",
    (pb.SIGNAL_REFERENCE_TRIGGER, ChannelType.ANALOG_INPUT): "ai/ReferenceTrigger",
    (pb.SIGNAL_START_TRIGGER, ChannelType.ANALOG_OUTPUT): "ao/StartTrigger",
    (pb.SIGNAL_SAMPLE_CLOCK, ChannelType.DIGITAL_INPUT): "di/SampleClock",
    (pb.SIGNAL_SAMPLE_CLOCK, ChannelType.DIGITAL_OUTPUT): "do/SampleClock",
    (pb.SIGNAL_CHANGE_DETECTION_EVENT, ChannelType.DIGITAL_INPUT): "ChangeDetectionEvent",
}


def export_signal(call: Call) -> Any:
    """ExportSignal: the route stands as long as the task runs."""
    task, number = call.task, call.request.signal_id or call.request.signal_id_raw
    task.check_idle("export a signal")
    task.require_channels()
    destination = device.terminal(call.request.output_terminal, call.daq.name)
    if number == pb.SIGNAL_COUNTER_OUTPUT_EVENT and task.kind is ChannelType.COUNTER_OUTPUT:
        source = f"Ctr{task.channels[0].physical[0].removeprefix('ctr')}InternalOutput"
    elif task.kind is not None and (number, task.kind) in _SIGNALS:
        source = _SIGNALS[number, task.kind]
    else:
        raise DaqmxError(
            Code.ROUTE_NOT_SUPPORTED,
            f"A task of kind {task.kind.name if task.kind else 'none'} has no signal {number} to export.",
        )
    if destination not in device.PFI_TERMINALS:
        raise DaqmxError(Code.ROUTE_NOT_SUPPORTED, f"{destination!r} cannot be driven; PFI0 to PFI15 can.")
    task.exports.append((source, destination))
    return pb.ExportSignalResponse()


def connect_terms(call: Call) -> Any:
    """ConnectTerms; signals are not inverted."""
    modifiers = call.request.signal_modifiers or call.request.signal_modifiers_raw
    if modifiers:
        raise DaqmxError(Code.ROUTE_NOT_SUPPORTED, "The virtual device inverts no signal on its way.")
    source, destination = (
        device.terminal(text, call.daq.name)
        for text in (call.request.source_terminal, call.request.destination_terminal)
    )
    call.daq.connect_terminals(source, destination)
    return pb.ConnectTermsResponse()


def disconnect_terms(call: Call) -> Any:
    """DisconnectTerms."""
    source, destination = (
        device.terminal(text, call.daq.name)
        for text in (call.request.source_terminal, call.request.destination_terminal)
    )
    call.daq.disconnect_terminals(source, destination)
    return pb.DisconnectTermsResponse()


def tristate_output_term(call: Call) -> Any:
    """TristateOutputTerm: nothing drives it any more."""
    name = device.terminal(call.request.output_terminal, call.daq.name)
    if name not in device.PFI_TERMINALS:
        raise DaqmxError(Code.ROUTE_NOT_SUPPORTED, f"{name!r} is not on a screw.")
    call.daq.tristate(name)
    return pb.TristateOutputTermResponse()


def cfg_input_buffer(call: Call) -> Any:
    """CfgInputBuffer."""
    call.task.check_idle("change its buffer")
    call.task.buffer_size = call.request.num_samps_per_chan or None
    return pb.CfgInputBufferResponse()


def cfg_dig_edge_start_trig(call: Call) -> Any:
    """CfgDigEdgeStartTrig; any PFI terminal."""
    request, task = call.request, call.task
    task.check_idle("change its start trigger")
    edge = Edge.of(request.trigger_edge or request.trigger_edge_raw)
    task.start_trigger = StartTrigger(device.terminal(request.trigger_source, call.daq.name), edge)
    return pb.CfgDigEdgeStartTrigResponse()


def disable_start_trig(call: Call) -> Any:
    """DisableStartTrig."""
    call.task.check_idle("change its start trigger")
    call.task.start_trigger = None
    return pb.DisableStartTrigResponse()


def _check_device(call: Call) -> None:
    if call.request.device_name.lower() != call.daq.name.lower():
        raise DaqmxError(
            Code.INVALID_DEVICE,
            f"There is no device {call.request.device_name!r}; {call.daq.name!r} is the only one.",
        )


def reset_device(call: Call) -> Any:
    """ResetDevice."""
    _check_device(call)
    call.daq.reset_device()
    return pb.ResetDeviceResponse()


def self_test_device(call: Call) -> Any:
    """SelfTestDevice: passes."""
    _check_device(call)
    return pb.SelfTestDeviceResponse()


def get_error_string(call: Call) -> Any:
    """GetErrorString: the error's symbolic name."""
    number = call.request.error_code
    known = {error.value: error.name for error in DAQmxErrors}
    return pb.GetErrorStringResponse(error_string=known.get(number, ""))


LOCKED: dict[str, Handler] = {
    "CreateTask": create_task,
    "ClearTask": clear_task,
    "StartTask": start_task,
    "StopTask": stop_task,
    "TaskControl": task_control,
    "CfgSampClkTiming": cfg_samp_clk_timing,
    "CfgImplicitTiming": cfg_implicit_timing,
    "CfgChangeDetectionTiming": cfg_change_detection_timing,
    "CfgAnlgEdgeStartTrig": cfg_anlg_edge_start_trig,
    "CfgDigEdgeRefTrig": cfg_dig_edge_ref_trig,
    "CfgAnlgEdgeRefTrig": cfg_anlg_edge_ref_trig,
    "DisableRefTrig": disable_ref_trig,
    "ExportSignal": export_signal,
    "ConnectTerms": connect_terms,
    "DisconnectTerms": disconnect_terms,
    "TristateOutputTerm": tristate_output_term,
    "CfgInputBuffer": cfg_input_buffer,
    "CfgDigEdgeStartTrig": cfg_dig_edge_start_trig,
    "DisableStartTrig": disable_start_trig,
    "ResetDevice": reset_device,
    "SelfTestDevice": self_test_device,
    "GetErrorString": get_error_string,
}
"""Calls that take no bench time; they run with the bench's lock held."""

BLOCKING: dict[str, Handler] = {
    "IsTaskDone": is_task_done,
    "WaitUntilTaskDone": wait_until_task_done,
}
"""Calls during which bench time passes; they take the lock themselves, in pieces."""
