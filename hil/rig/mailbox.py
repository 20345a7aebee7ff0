# SPDX-License-Identifier: Apache-2.0
"""The firmware's mailbox: a tensor or a window of samples goes in through the debugger, the network's
answer comes out.

The mailbox is a structure of 32-bit little-endian words at the symbol ``hil_mailbox``, in RAM that start-up
code leaves alone: ``firmware/mailbox/hil_mailbox.h``, two files that any firmware can add. It says where the
tensors are, how long, and of what type. Asked for at a reset, the firmware serves it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hil.errors import DeviceTimeoutError, MailboxError
from hil.firmware.image import Image
from hil.instruments.protocols import Board, Clock

_MAGIC, _VERSION, _CONTROL, _REQUEST, _RESPONSE, _COMMAND, _STATUS = 0, 4, 8, 12, 16, 20, 24
_SIZE, _TENSORS, _MARKS, _RUN_COUNT, _RING = 36, 40, 76, 84, 88
"""Offsets in bytes. Cycles and value follow the status; a tensor is an address, a size and a type."""

_STRUCTURE_BYTES = 216
_MARK_CAPACITY = 16
_READY = 0x4D424F58
_SERVE = 0x53455256
_SUPPORTED_VERSION = 2
_COMMAND_INFER, _COMMAND_PROCESS, _COMMAND_REPEAT = 1, 2, 3
_UNKNOWN_COMMAND = 0xFFFFFFFF

_TYPES: Mapping[int, type[np.generic]] = {
    1: np.int8,
    2: np.uint8,
    3: np.int16,
    4: np.uint16,
    5: np.int32,
    6: np.float32,
}
_LARGEST_BYTES = 1 << 20
"""No RAM of a Cortex-M of the kind is larger: a size beyond it is no size. Our assumption."""
_GET_THE_FILES = "build the firmware with the files that `hil firmware mailbox FOLDER` writes"

_BOOT_TIMEOUT_S = 10.0
"""Bench time from the reset to a served mailbox; the quartz takes 2 s to start (DS10198 Rev 8, table 58)."""
_COMMAND_TIMEOUT_S = 2.0
"""Bench time for one command; features and inference together take milliseconds at 80 MHz."""
_POLL_S = 0.001


@dataclass(frozen=True, eq=False)
class MailboxResult:
    """What one command gave."""

    input: NDArray[Any]
    """The network's input tensor: as given, or as the firmware computed it from samples."""
    output: NDArray[Any]
    """The network's output tensor."""
    cycles: int
    """Core cycles of the network's invocation, counted by the firmware."""
    score: int
    """The firmware's own result: of the reference firmware the sum of the squared differences between input
    and output."""


@dataclass(frozen=True)
class Tensor:
    """An array of the firmware, as its mailbox describes it."""

    address: int
    size: int
    """In elements."""
    dtype: type[np.generic]

    @property
    def bytes(self) -> int:
        """Its length in memory."""
        return self.size * np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class Mark:
    """One mark that the firmware left with ``hil_mailbox_mark()``."""

    id: int
    cycles: int
    """The core's cycle counter then, modulo 2**32; it stands still while the core sleeps."""


class Mailbox:
    """The mailbox of a running firmware, entered and left as a context manager."""

    def __init__(self, board: Board, clock: Clock, image: Image) -> None:
        """Nothing is touched yet. Raises MailboxError if the image has no mailbox.

        Args:
            board: connected, holding ``image``.
            clock: the bench's clock.
            image: the firmware, for the address of its mailbox.
        """
        self._board = board
        self._clock = clock
        address = image.mailbox
        if address is None:
            raise MailboxError(f"{image.path} has no mailbox", where="hil_mailbox", hint=_GET_THE_FILES)
        self._address = address
        self._request = 0
        self._input: Tensor | None = None
        self._output: Tensor | None = None
        self._samples: Tensor | None = None

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
        self._check_layout()
        (self._request,) = self._read(_RESPONSE, 1)
        words = self._read(_TENSORS, 9)
        self._input, self._output, self._samples = (
            _tensor(name, *words[3 * place : 3 * place + 3])
            for place, name in enumerate(("input", "output", "samples"))
        )

    @property
    def input(self) -> Tensor:
        """The network's input. Raises MailboxError before `enter_service`, or if the firmware named none."""
        return _named("input", self._input)

    @property
    def output(self) -> Tensor:
        """The network's output. Raises MailboxError before `enter_service`, or if the firmware named none."""
        return _named("output", self._output)

    def marks(self) -> list[Mark]:
        """The last marks that the firmware left, oldest first; 16 at most. Needs no service.

        Raises:
            MailboxError: it has no mailbox of this version, or has not come to it yet.
        """
        (magic,) = self._read(_MAGIC, 1)
        if magic != _READY:
            raise MailboxError(
                f"word 0 is 0x{magic:08X}", where="hil_mailbox", operation="marks", expected="an open mailbox"
            )
        self._check_layout()
        capacity, count = self._read(_MARKS, 2)
        if capacity != _MARK_CAPACITY:
            raise MailboxError(f"{capacity} marks", where="hil_mailbox", expected=f"{_MARK_CAPACITY}")
        ring = self._read(_RING, 2 * _MARK_CAPACITY)
        numbers = range(max(0, count - capacity), count)
        places = [2 * (number % capacity) for number in numbers]
        return [Mark(ring[place], ring[place + 1]) for place in places]

    def infer(self, tensor: ArrayLike) -> MailboxResult:
        """Run the network on ``tensor``, as many values as the network's input and of its type.

        Raises:
            ValueError: the tensor does not fit.
            MailboxError: the firmware reports an error.
            DeviceTimeoutError: the firmware does not answer.
        """
        given = self._put(self.input, tensor)
        return self._run(_COMMAND_INFER, "infer", given)

    def process(self, samples: ArrayLike) -> MailboxResult:
        """Have the firmware compute the input from samples, and run the network on it.

        The reference firmware takes 1024 ADC codes, 0 to 4095.

        Raises:
            ValueError: the window does not fit.
            MailboxError: the firmware reports an error.
            DeviceTimeoutError: the firmware does not answer.
        """
        self._put(_named("samples", self._samples), samples)
        return self._run(_COMMAND_PROCESS, "process")

    def repeat(self, tensor: ArrayLike) -> None:
        """Have the network run on ``tensor`` over and over. The next command, or `leave`, ends it.

        Raises:
            ValueError: the tensor does not fit.
        """
        self._put(self.input, tensor)
        self._request = (self._request + 1) & 0xFFFFFFFF
        self._write(_COMMAND, _COMMAND_REPEAT)
        self._write(_REQUEST, self._request)

    def run_count(self) -> int:
        """How often the network has run since `repeat`.

        Raises:
            MailboxError: the firmware reports an error.
        """
        (status,) = self._read(_STATUS, 1)
        if status != 0:
            raise MailboxError(
                f"status {status}", where="hil_mailbox", operation="repeat", expected="status 0"
            )
        return self._read(_RUN_COUNT, 1)[0]

    def leave(self) -> None:
        """End the service loop; the firmware resets the part and runs as always."""
        self._write(_CONTROL, 0)

    def _run(self, command: int, name: str, given: NDArray[Any] | None = None) -> MailboxResult:
        self._request = (self._request + 1) & 0xFFFFFFFF
        self._write(_COMMAND, command)
        self._write(_REQUEST, self._request)
        self._wait(_RESPONSE, self._request, _COMMAND_TIMEOUT_S, name)
        status, cycles, value = self._read(_STATUS, 3)
        if status == _UNKNOWN_COMMAND:
            raise MailboxError("the firmware does not know this command", where="hil_mailbox", operation=name)
        if status != 0:
            raise MailboxError(f"status {status}", where="hil_mailbox", operation=name, expected="status 0")
        # An engine may use the memory of its input for something else once it has read it.
        source = self._get(self.input) if given is None else given
        return MailboxResult(source, self._get(self.output), cycles, value)

    def _put(self, tensor: Tensor, values: ArrayLike) -> NDArray[Any]:
        array = _exactly(values, tensor.dtype, tensor.size)
        little = array.astype(np.dtype(tensor.dtype).newbyteorder("<"))
        self._board.write_memory(tensor.address, little.tobytes())
        return array

    def _get(self, tensor: Tensor) -> NDArray[Any]:
        data = self._board.read_memory(tensor.address, tensor.bytes)
        return np.frombuffer(data, np.dtype(tensor.dtype).newbyteorder("<")).astype(tensor.dtype)

    def _check_layout(self) -> None:
        (version,) = self._read(_VERSION, 1)
        if version != _SUPPORTED_VERSION:
            raise MailboxError(
                f"version {version}",
                where="hil_mailbox",
                expected=f"version {_SUPPORTED_VERSION}",
                hint=_GET_THE_FILES,
            )
        (size,) = self._read(_SIZE, 1)
        if size != _STRUCTURE_BYTES:
            raise MailboxError(
                f"the structure has {size} bytes",
                where="hil_mailbox",
                expected=f"{_STRUCTURE_BYTES}",
                hint=_GET_THE_FILES,
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


def _tensor(name: str, address: int, size_bytes: int, kind: int) -> Tensor | None:
    """What three words describe; None for an array that the firmware does not have."""
    if size_bytes == 0:
        return None
    dtype = _TYPES.get(kind)
    if dtype is None:
        raise MailboxError(
            f"the {name} is of type {kind}",
            where="hil_mailbox",
            expected="one of " + ", ".join(f"{number} {known.__name__}" for number, known in _TYPES.items()),
        )
    item_bytes = np.dtype(dtype).itemsize
    if size_bytes > _LARGEST_BYTES or size_bytes % item_bytes:
        raise MailboxError(
            f"the {name} has {size_bytes} bytes",
            where="hil_mailbox",
            expected=f"whole elements of {item_bytes} bytes, 1 MiB at most",
        )
    return Tensor(address, size_bytes // item_bytes, dtype)


def _named(name: str, tensor: Tensor | None) -> Tensor:
    if tensor is None:
        raise MailboxError(f"the firmware names no {name}", where="hil_mailbox", hint=_GET_THE_FILES)
    return tensor


def _exactly(values: ArrayLike, dtype: type[np.generic], size: int) -> NDArray[Any]:
    """``values`` as an array of that type and length, without wrapping anything around."""
    given = np.asarray(values)
    if np.issubdtype(dtype, np.floating):
        given = given.astype(dtype)  # the nearest value is what a float's input means
    array = given.astype(dtype)
    same = np.array_equal(array, given, equal_nan=np.issubdtype(dtype, np.floating))
    if array.shape != (size,) or not same:
        raise ValueError(
            f"the mailbox takes {size} values that fit {np.dtype(dtype).name}, "
            f"got an array of shape {given.shape} and type {given.dtype}"
        )
    return array
