# SPDX-License-Identifier: Apache-2.0
"""NI-DAQmx status codes, as far as this device reports them (names and numbers: ``nidaqmx.error_codes``)."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """The NI-DAQmx errors this device can answer with."""

    RESOURCE_RESERVED = -50103
    INVALID_ATTRIBUTE_VALUE = -200077
    INVALID_TASK = -200088
    DUPLICATE_TASK = -200089
    PHYSICAL_CHANNEL_NOT_SPECIFIED = -200099
    PHYSICAL_CHANNEL_DOES_NOT_EXIST = -200170
    INVALID_DEVICE = -200220
    INVALID_TERMINAL = -200254
    READ_BEYOND_FINAL_SAMPLE = -200278
    SAMPLES_OVERWRITTEN = -200279
    SAMPLES_NOT_YET_AVAILABLE = -200284
    EVERY_N_INTERVAL_ZERO = -200880
    DONE_ALREADY_REGISTERED = -200950
    CANNOT_REGISTER_EVENT_WHILE_RUNNING = -200960
    EVERY_N_ACQUIRED_NOT_FOR_OUTPUT = -200964
    EVERY_N_ALREADY_REGISTERED = -200966
    EVERY_N_TRANSFERRED_NOT_SUPPORTED = -200980
    CANNOT_UNREGISTER_EVENT_WHILE_RUNNING = -200986
    RATE_TOO_LOW = -200331
    RATE_TOO_HIGH = -200332
    INVALID_PHYSICAL_CHANNEL_TYPE = -200430
    PROPERTY_NOT_SUPPORTED = -200452
    WRITE_NO_OUTPUT_CHANNELS = -200459
    READ_NO_INPUT_CHANNELS = -200460
    OUTPUT_BUFFER_EMPTY = -200462
    CANNOT_WRITE_UNLESS_STARTED = -200472
    NO_CHANNELS_IN_TASK = -200478
    CHANNEL_NOT_IN_TASK = -200486
    CHANNEL_ALREADY_IN_TASK = -200489
    WRITE_CHANNEL_COUNT_MISMATCH = -200524
    MULTI_SAMPLE_WRITE_NOT_SUPPORTED = -200539
    CANNOT_SET_WHILE_RUNNING = -200557
    MULTIPLE_CHANNEL_TYPES = -200559
    WAIT_TIMED_OUT = -200560
    INVALID_AO_VALUE = -200561
    FUNCTION_NOT_SUPPORTED = -209876


class DaqmxError(Exception):
    """An NI-DAQmx error on its way to the client that made the call.

    ``samples_read`` (per channel) turns it into a ``DaqReadError`` on the client's side.
    """

    def __init__(self, code: Code, message: str, *, samples_read: int | None = None) -> None:
        super().__init__(f"{message}\n\nStatus Code: {int(code)}")
        self.code = code
        self.samples_read = samples_read
