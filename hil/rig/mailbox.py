# SPDX-License-Identifier: Apache-2.0
"""The firmware's mailbox: a tensor or a window of samples goes in through the debugger, the network's
answer comes out.

The mailbox is a structure of 32-bit little-endian words at the symbol ``hil_mailbox``, in RAM that start-up
code leaves alone. Asked for at a reset, the firmware serves it instead of sleeping and sampling.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hil.errors import DeviceTimeoutError, MailboxError
from hil.firmware.image import Image
from hil.instruments.protocols import Board, Clock

_MAGIC, _VERSION, _CONTROL, _REQUEST, _RESPONSE, _COMMAND = 0, 4, 8, 12, 16, 20
_INPUT_SIZE, _INPUT, _OUTPUT, _SAMPLES = 36, 44, 108, 172
"""Offsets of the fields in bytes; between command and input size: status, cycles, score."""

_TENSOR_MAX = 64
_SAMPLE_COUNT = 1024

_READY = 0x4D424F58
_SERVE = 0x53455256
_SUPPORTED_VERSION = 1
_COMMAND_INFER, _COMMAND_PROCESS = 1, 2

_BOOT_TIMEOUT_S = 10.0
"""Bench time from the reset to a served mailbox; the quartz takes 2 s to start (DS10198 Rev 8, table 58)."""
_COMMAND_TIMEOUT_S = 2.0
"""Bench time for one command; features and inference together take milliseconds at 80 MHz."""
_POLL_S = 0.001


@dataclass(frozen=True, eq=False)
class MailboxResult:
    """What one command gave."""

    input: NDArray[np.int8]
    """The network's input tensor: as given, or as the firmware computed it from samples."""
    output: NDArray[np.int8]
    """The network's output tensor."""
    cycles: int
    """Core cycles of the network's invocation, counted by the firmware."""
    score: int
    """Sum of the squared differences between input and output."""


class Mailbox:
    """The mailbox of a running firmware, entered and left as a context manager."""

    def __init__(self, board: Board, clock: Clock, image: Image) -> None:
        """Nothing is touched yet. Raises ImageError if the image has no mailbox.

        Args:
            board: connected, holding ``image``.
            clock: the bench's clock.
            image: the firmware, for the address of its mailbox.
        """
        self._board = board
        self._clock = clock
        self._address = image.symbol("hil_mailbox")
        self._request = 0
        self._input_size = 0
        self._output_size = 0

    def __enter__(self) -> Self:
        self.enter_service()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def enter_service(self) -> None:
        """Reset the part into its service loop.

        Raises:
            DeviceTimeoutError: the firmware does not get there.
            MailboxError: it speaks another version.
        """
        self._board.reset(halt=True)
        # The complement tells an order from what RAM happens to hold after power-on.
        self._write(_CONTROL, _SERVE, ~_SERVE & 0xFFFFFFFF)
        self._write(_MAGIC, 0)
        self._board.resume()
        self._wait(_MAGIC, _READY, _BOOT_TIMEOUT_S, "enter service")
        (version,) = self._read(_VERSION, 1)
        if version != _SUPPORTED_VERSION:
            raise MailboxError(
                f"version {version}", where="hil_mailbox", expected=f"version {_SUPPORTED_VERSION}"
            )
        (self._request,) = self._read(_RESPONSE, 1)
        self._input_size, self._output_size = self._read(_INPUT_SIZE, 2)
        if not (0 < self._input_size <= _TENSOR_MAX and 0 < self._output_size <= _TENSOR_MAX):
            raise MailboxError(
                f"tensor sizes {self._input_size} and {self._output_size}",
                where="hil_mailbox",
                expected=f"1 to {_TENSOR_MAX}",
            )

    def infer(self, tensor: ArrayLike) -> MailboxResult:
        """Run the network on ``tensor`` (int8, as long as the network's input).

        Raises:
            ValueError: the tensor does not fit.
            MailboxError: the firmware reports an error.
            DeviceTimeoutError: the firmware does not answer.
        """
        values = _exactly(tensor, np.int8, self._input_size)
        self._board.write_memory(self._address + _INPUT, values.tobytes())
        return self._run(_COMMAND_INFER, "infer")

    def process(self, samples: ArrayLike) -> MailboxResult:
        """Compute the features of a window of ADC codes (1024, 0 to 4095), and run the network on them.

        Raises:
            ValueError: the window does not fit.
            MailboxError: the firmware reports an error.
            DeviceTimeoutError: the firmware does not answer.
        """
        values = _exactly(samples, np.uint16, _SAMPLE_COUNT)
        self._board.write_memory(self._address + _SAMPLES, values.astype("<u2").tobytes())
        return self._run(_COMMAND_PROCESS, "process")

    def leave(self) -> None:
        """End the service loop; the firmware resets the part and runs as always."""
        self._write(_CONTROL, 0)

    def _run(self, command: int, name: str) -> MailboxResult:
        self._request = (self._request + 1) & 0xFFFFFFFF
        self._write(_COMMAND, command)
        self._write(_REQUEST, self._request)
        self._wait(_RESPONSE, self._request, _COMMAND_TIMEOUT_S, name)
        head = self._board.read_memory(self._address + _RESPONSE, _SAMPLES - _RESPONSE)
        _response, _command, status, cycles, score, _in, _out = struct.unpack_from("<7I", head)
        if status != 0:
            raise MailboxError(f"status {status}", where="hil_mailbox", operation=name, expected="status 0")
        tensors = np.frombuffer(head, dtype=np.int8)
        first, second = _INPUT - _RESPONSE, _OUTPUT - _RESPONSE
        return MailboxResult(
            input=tensors[first : first + self._input_size].copy(),
            output=tensors[second : second + self._output_size].copy(),
            cycles=cycles,
            score=score,
        )

    def _wait(self, offset: int, value: int, timeout_s: float, operation: str) -> None:
        deadline_s = self._clock.now_s() + timeout_s
        while self._read(offset, 1) != (value,):
            if self._clock.now_s() >= deadline_s:
                raise DeviceTimeoutError(
                    f"word {offset} is 0x{self._read(offset, 1)[0]:08X} after {timeout_s:g} s",
                    where="hil_mailbox",
                    operation=operation,
                    expected=f"0x{value:08X}",
                    hint="does the image on the board have the mailbox, and does it get past its start-up?",
                )
            self._clock.sleep(_POLL_S)

    def _read(self, offset: int, words: int) -> tuple[int, ...]:
        return struct.unpack(f"<{words}I", self._board.read_memory(self._address + offset, 4 * words))

    def _write(self, offset: int, *words: int) -> None:
        self._board.write_memory(self._address + offset, struct.pack(f"<{len(words)}I", *words))


def _exactly(values: ArrayLike, dtype: type[np.generic], size: int) -> NDArray[np.generic]:
    """``values`` as an array of that type and length, without wrapping anything around."""
    given = np.asarray(values)
    array = given.astype(dtype)
    if array.shape != (size,) or not np.array_equal(array, given):
        raise ValueError(
            f"the mailbox takes {size} values that fit {np.dtype(dtype).name}, "
            f"got an array of shape {given.shape} and type {given.dtype}"
        )
    return array
