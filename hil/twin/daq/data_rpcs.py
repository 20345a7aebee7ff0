# SPDX-License-Identifier: Apache-2.0
"""Calls that read and write samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from nidaqmx._stubs import nidaqmx_pb2 as pb
from numpy.typing import NDArray

from hil.twin.daq.call import Call, Handler
from hil.twin.daq.channels import ChannelType, CounterChannel, Edge
from hil.twin.daq.counters import scale, timebase_hz
from hil.twin.daq.errors import Code, DaqmxError
from hil.twin.daq.reading import SamplesTimeoutError, line_bits


def _by_scan(call: Call) -> bool:
    """Whether the client wants samples interleaved rather than channel after channel."""
    fill_mode: int = call.request.fill_mode or call.request.fill_mode_raw
    return bool(fill_mode == pb.GROUP_BY_GROUP_BY_SCAN_NUMBER)


def _laid_out(call: Call, data: NDArray[Any], room: int) -> NDArray[Any]:
    """Samples x channels (x the rest), flat in the order that the client asked for.

    Channel after channel, each begins where it would with all ``room`` samples in the client's array, as
    task.read() of the nidaqmx package expects when fewer came.
    """
    samples, channels = data.shape[:2]
    if _by_scan(call):
        return data.ravel()
    places = np.zeros(
        (channels, max(samples, room // channels if channels > 1 else 0), *data.shape[2:]), data.dtype
    )
    places[:, :samples] = data.swapaxes(0, 1)
    return places.ravel()


def _with_partial(read: Callable[[], list[Any]], respond: Callable[[list[Any], int, int], Any]) -> Any:
    """Answer with all samples, or after a time-out with those that came and the time-out as status."""
    try:
        samples = read()
    except SamplesTimeoutError as timeout:
        if not timeout.samples:
            raise timeout.error from timeout
        return respond(timeout.samples, len(timeout.samples), int(Code.SAMPLES_NOT_YET_AVAILABLE))
    return respond(samples, len(samples), 0)


def _scalar(read: Callable[[int], list[Any]]) -> Any:
    try:
        return read(1)[0]
    except SamplesTimeoutError as timeout:
        raise timeout.error from timeout


def read_analog_f64(call: Call) -> Any:
    """ReadAnalogF64."""

    def respond(samples: list[Any], count: int, status: int) -> Any:
        data = np.asarray(samples, dtype=np.float64)
        laid_out = _laid_out(call, data, call.request.array_size_in_samps)
        return pb.ReadAnalogF64Response(status=status, read_array=laid_out, samps_per_chan_read=count)

    return _with_partial(lambda: call.reader.analog(call.request.num_samps_per_chan), respond)


def read_analog_scalar_f64(call: Call) -> Any:
    """ReadAnalogScalarF64."""
    return pb.ReadAnalogScalarF64Response(value=_scalar(call.reader.analog)[0])


def read_digital_lines(call: Call) -> Any:
    """ReadDigitalLines: one byte for each line."""
    samples = call.reader.lines(call.request.num_samps_per_chan)
    levels = np.array(samples, dtype=np.uint8)  # samples x channels x lines
    lines = levels.shape[2]
    data = _laid_out(call, levels, call.request.array_size_in_bytes // lines)
    return pb.ReadDigitalLinesResponse(
        read_array=data.tobytes(), samps_per_chan_read=len(samples), num_bytes_per_samp=lines
    )


def _ports(call: Call, count: int) -> NDArray[np.uint32]:
    """Port values, samples x channels."""
    return np.array(
        [
            [line_bits(levels, channel) for levels, channel in zip(sample, call.task.channels, strict=True)]
            for sample in call.reader.lines(count)
        ],
        dtype=np.uint32,
    )


def _read_ports(response: Any, dtype: type[np.unsignedinteger[Any]]) -> Handler:
    def read(call: Call) -> Any:
        ports = _ports(call, call.request.num_samps_per_chan)
        room = call.request.array_size_in_bytes if dtype is np.uint8 else call.request.array_size_in_samps
        data = _laid_out(call, ports, room)
        packed = data.astype(dtype).tobytes() if dtype is np.uint8 else data.tolist()
        return response(read_array=packed, samps_per_chan_read=len(ports))

    return read


def read_digital_scalar_u32(call: Call) -> Any:
    """ReadDigitalScalarU32."""
    return pb.ReadDigitalScalarU32Response(value=int(_ports(call, 1)[0, 0]))


def _scaled(call: Call, sample: tuple[int, ...]) -> float:
    channel = call.task.channels[0]
    assert isinstance(channel, CounterChannel)
    return scale(channel, sample[0], timebase_hz(channel))


def _read_counter_f64(response: Any) -> Handler:
    def read(call: Call) -> Any:
        def respond(samples: list[Any], count: int, status: int) -> Any:
            values = [_scaled(call, sample) for sample in samples]
            return response(status=status, read_array=values, samps_per_chan_read=count)

        return _with_partial(lambda: call.reader.counter(call.request.num_samps_per_chan), respond)

    return read


def _read_counter_u32(response: Any) -> Handler:
    def read(call: Call) -> Any:
        def respond(samples: list[Any], count: int, status: int) -> Any:
            values = [sample[0] for sample in samples]
            return response(status=status, read_array=values, samps_per_chan_read=count)

        return _with_partial(lambda: call.reader.counter(call.request.num_samps_per_chan), respond)

    return read


def read_counter_scalar_f64(call: Call) -> Any:
    """ReadCounterScalarF64."""
    return pb.ReadCounterScalarF64Response(value=_scaled(call, _scalar(call.reader.counter)))


def read_counter_scalar_u32(call: Call) -> Any:
    """ReadCounterScalarU32."""
    return pb.ReadCounterScalarU32Response(value=_scalar(call.reader.counter)[0])


def _high_and_low_s(call: Call, sample: tuple[int, ...]) -> tuple[float, float]:
    channel = call.task.channels[0]
    if not isinstance(channel, CounterChannel) or len(sample) != 2:
        raise DaqmxError(Code.FUNCTION_NOT_SUPPORTED, "Only a pulse channel is read as high and low time.")
    first, second = (ticks / timebase_hz(channel) for ticks in sample)
    return (first, second) if channel.edge is Edge.RISING else (second, first)


def read_ctr_time(call: Call) -> Any:
    """ReadCtrTime: high and low times of pulses, in seconds."""

    def respond(samples: list[Any], count: int, status: int) -> Any:
        times = [_high_and_low_s(call, sample) for sample in samples]
        return pb.ReadCtrTimeResponse(
            status=status,
            read_array_high_time=[high_s for high_s, _ in times],
            read_array_low_time=[low_s for _, low_s in times],
            samps_per_chan_read=count,
        )

    return _with_partial(lambda: call.reader.counter(call.request.num_samps_per_chan), respond)


def read_ctr_time_scalar(call: Call) -> Any:
    """ReadCtrTimeScalar."""
    high_s, low_s = _high_and_low_s(call, _scalar(call.reader.counter))
    return pb.ReadCtrTimeScalarResponse(high_time=high_s, low_time=low_s)


def _require(call: Call, kind: ChannelType) -> None:
    if call.task.kind is not kind:
        raise DaqmxError(
            Code.WRITE_NO_OUTPUT_CHANNELS, f"Task {call.task.name!r} has no {kind.name} channels to write."
        )


def _check_data(call: Call, present: int, per_sample: int) -> int:
    """The number of samples per channel, if the data have just as many."""
    count: int = call.request.num_samps_per_chan
    if count < 1 or present != count * per_sample:
        raise DaqmxError(
            Code.WRITE_CHANNEL_COUNT_MISMATCH,
            f"{count} samples per channel of task {call.task.name!r} are {count * per_sample} values; "
            f"{present} were sent.",
        )
    return count


def _grouped(call: Call, data: NDArray[Any], count: int) -> NDArray[Any]:
    """Flat data as channels x samples (x the rest)."""
    channels = len(call.task.channels)
    layout = call.request.data_layout or call.request.data_layout_raw
    if layout == pb.GROUP_BY_GROUP_BY_SCAN_NUMBER:
        return data.reshape(count, channels, -1).swapaxes(0, 1)
    return data.reshape(channels, count, -1)


def write_analog_f64(call: Call) -> Any:
    """WriteAnalogF64."""
    _require(call, ChannelType.ANALOG_OUTPUT)
    data = np.array(call.request.write_array, dtype=np.float64)
    count = _check_data(call, data.size, len(call.task.channels))
    call.task.write_analog(_grouped(call, data, count)[:, :, 0], auto_start=call.request.auto_start)
    return pb.WriteAnalogF64Response(samps_per_chan_written=count)


def write_analog_scalar_f64(call: Call) -> Any:
    """WriteAnalogScalarF64."""
    _require(call, ChannelType.ANALOG_OUTPUT)
    call.task.write_analog(np.array([[call.request.value]]), auto_start=call.request.auto_start)
    return pb.WriteAnalogScalarF64Response()


def write_digital_lines(call: Call) -> Any:
    """WriteDigitalLines: one byte for each line."""
    _require(call, ChannelType.DIGITAL_OUTPUT)
    channels = call.task.channels
    widest = max(len(channel.physical) for channel in channels)
    data = np.frombuffer(call.request.write_array, dtype=np.uint8)
    count = _check_data(call, data.size, len(channels) * widest)
    grouped = _grouped(call, data, count)
    if call.task.clocked:
        samples = [
            [
                bool(level)
                for row, channel in zip(grouped[:, index], channels, strict=True)
                for level in row[: len(channel.physical)]
            ]
            for index in range(count)
        ]
        call.task.write_line_samples(samples, auto_start=call.request.auto_start)
        return pb.WriteDigitalLinesResponse(samps_per_chan_written=count)
    for index in range(count):
        call.task.write_lines(
            [
                [bool(level) for level in row[: len(channel.physical)]]
                for row, channel in zip(grouped[:, index], channels, strict=True)
            ],
            auto_start=call.request.auto_start,
        )
    return pb.WriteDigitalLinesResponse(samps_per_chan_written=count)


def _drive_ports(call: Call, values: NDArray[Any]) -> None:
    call.task.write_lines(
        [
            [bool(int(value) >> bit & 1) for bit in channel.bits]
            for value, channel in zip(values, call.task.channels, strict=True)
        ],
        auto_start=call.request.auto_start,
    )


def _write_ports(response: Any) -> Handler:
    def write(call: Call) -> Any:
        _require(call, ChannelType.DIGITAL_OUTPUT)
        data = np.array(list(call.request.write_array), dtype=np.uint32)
        count = _check_data(call, data.size, len(call.task.channels))
        grouped = _grouped(call, data, count)[:, :, 0]
        if call.task.clocked:
            samples = [
                [
                    bool(int(value) >> bit & 1)
                    for value, channel in zip(grouped[:, index], call.task.channels, strict=True)
                    for bit in channel.bits
                ]
                for index in range(count)
            ]
            call.task.write_line_samples(samples, auto_start=call.request.auto_start)
            return response(samps_per_chan_written=count)
        for index in range(count):
            _drive_ports(call, grouped[:, index])
        return response(samps_per_chan_written=count)

    return write


def write_digital_scalar_u32(call: Call) -> Any:
    """WriteDigitalScalarU32."""
    _require(call, ChannelType.DIGITAL_OUTPUT)
    _drive_ports(call, np.array([call.request.value]))
    return pb.WriteDigitalScalarU32Response()


LOCKED: dict[str, Handler] = {
    "WriteAnalogF64": write_analog_f64,
    "WriteAnalogScalarF64": write_analog_scalar_f64,
    "WriteDigitalLines": write_digital_lines,
    "WriteDigitalU8": _write_ports(pb.WriteDigitalU8Response),
    "WriteDigitalU16": _write_ports(pb.WriteDigitalU16Response),
    "WriteDigitalU32": _write_ports(pb.WriteDigitalU32Response),
    "WriteDigitalScalarU32": write_digital_scalar_u32,
}
"""Calls that take no bench time; they run with the bench's lock held."""

BLOCKING: dict[str, Handler] = {
    "ReadAnalogF64": read_analog_f64,
    "ReadAnalogScalarF64": read_analog_scalar_f64,
    "ReadDigitalLines": read_digital_lines,
    "ReadDigitalU8": _read_ports(pb.ReadDigitalU8Response, np.uint8),
    "ReadDigitalU16": _read_ports(pb.ReadDigitalU16Response, np.uint16),
    "ReadDigitalU32": _read_ports(pb.ReadDigitalU32Response, np.uint32),
    "ReadDigitalScalarU32": read_digital_scalar_u32,
    "ReadCounterF64": _read_counter_f64(pb.ReadCounterF64Response),
    "ReadCounterF64Ex": _read_counter_f64(pb.ReadCounterF64ExResponse),
    "ReadCounterScalarF64": read_counter_scalar_f64,
    "ReadCounterU32": _read_counter_u32(pb.ReadCounterU32Response),
    "ReadCounterU32Ex": _read_counter_u32(pb.ReadCounterU32ExResponse),
    "ReadCounterScalarU32": read_counter_scalar_u32,
    "ReadCtrTime": read_ctr_time,
    "ReadCtrTimeScalar": read_ctr_time_scalar,
}
"""Calls during which bench time passes; they take the lock themselves, in pieces."""
