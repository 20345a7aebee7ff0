# SPDX-License-Identifier: Apache-2.0
"""Calls about tasks as such: sessions, states, timing, triggers, the device."""

from __future__ import annotations

from typing import Any

from nidaqmx._stubs import nidaqmx_pb2 as pb
from nidaqmx.error_codes import DAQmxErrors
from session_pb2 import Session

from hil.twin.daq import device
from hil.twin.daq.call import Call, Handler
from hil.twin.daq.channels import Edge
from hil.twin.daq.errors import Code, DaqmxError
from hil.twin.daq.sessions import Initialization
from hil.twin.daq.timing import StartTrigger, TimingType


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
    """CfgSampClkTiming; the onboard clock is the only source."""
    request, task = call.request, call.task
    if request.source not in ("", "OnboardClock"):
        raise DaqmxError(
            Code.FUNCTION_NOT_SUPPORTED,
            f"Sample clock source {request.source!r}: the virtual {device.PRODUCT} has OnboardClock only.",
        )
    mode = request.sample_mode or request.sample_mode_raw
    task.configure_timing(TimingType.SAMPLE_CLOCK, mode, request.samps_per_chan)
    task.set_rate(request.rate)
    return pb.CfgSampClkTimingResponse()


def cfg_implicit_timing(call: Call) -> Any:
    """CfgImplicitTiming."""
    mode = call.request.sample_mode or call.request.sample_mode_raw
    call.task.configure_timing(TimingType.IMPLICIT, mode, call.request.samps_per_chan)
    return pb.CfgImplicitTimingResponse()


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
