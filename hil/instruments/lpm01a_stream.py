# SPDX-License-Identifier: Apache-2.0
"""The PowerShield's stream of samples and metadata, format ``bin_hexa`` (UM2269 Rev 6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.errors import ProtocolError

_FIXED_LENGTHS = {0xF3: 9, 0xF4: 4, 0xF5: 4, 0xF6: 4, 0xF7: 6, 0xF8: 6, 0xF9: 5}
"""Bytes of the metadata frames by their tag (UM2269, tables 40 to 46); 0xF1 and 0xF2 end with two 0xFF."""


@dataclass(frozen=True)
class Frame:
    """A piece of metadata in a stream."""

    tag: int
    content: bytes

    @property
    def text(self) -> str:
        """What it says, where it is text."""
        return self.content.decode("ascii", "replace").strip()


class BinaryStream:
    """Takes a stream in the format ``bin_hexa`` apart."""

    def __init__(self) -> None:
        """Nothing has arrived yet."""
        self._rest = b""
        self._begun = False
        self.ended = False
        """Whether the end of the acquisition was told. What follows it is text."""
        self.count = 0
        """Samples so far."""

    @property
    def rest(self) -> bytes:
        """What has arrived and is not taken apart yet; behind the end: text."""
        return self._rest

    def feed(self, data: bytes) -> list[NDArray[np.float64] | Frame]:
        """Samples in amperes and metadata, in order, of what has arrived.

        Raises:
            ProtocolError: there is metadata that nobody knows.
        """
        self._rest += data
        if not self._begun:  # what is left of the acknowledgement, before the first timestamp
            start = self._rest.find(b"\xf0")
            self._begun = start >= 0
            self._rest = self._rest[start:] if self._begun else b""
        found: list[NDArray[np.float64] | Frame] = []
        while self._rest and not self.ended:
            raw = np.frombuffer(self._rest, dtype=np.uint8)
            first_bytes = raw[: raw.size // 2 * 2 : 2]
            tags = np.flatnonzero(first_bytes >= 0xF0)
            samples = int(tags[0]) if tags.size else first_bytes.size
            if samples:
                found.append(decoded(self._rest[: 2 * samples]))
                self._rest = self._rest[2 * samples :]
                self.count += samples
            if not tags.size:
                break
            frame = self._frame()
            if frame is None:
                break
            found.append(frame)
            self.ended = frame.tag == 0xF4
        return found

    def _frame(self) -> Frame | None:
        """The metadata that what has arrived begins with; None while it is not complete."""
        tag = self._rest[1]
        if self._rest[0] != 0xF0 or (tag not in _FIXED_LENGTHS and tag not in (0xF1, 0xF2)):
            raise ProtocolError(
                f"the stream holds {self._rest[:2].hex(' ')}",
                where="power_analyzer",
                operation="acquire",
                expected="samples, or metadata that UM2269 describes",
            )
        if tag in _FIXED_LENGTHS:
            length = _FIXED_LENGTHS[tag]
            if len(self._rest) < length:
                return None
        else:
            end = self._rest.find(b"\xff\xff", 2)
            if end < 0:
                return None
            length = end + 2
        content, self._rest = self._rest[2 : length - 2], self._rest[length:]
        return Frame(tag, content)


def decoded(data: bytes) -> NDArray[np.float64]:
    """Currents in amperes of samples of two bytes: 4 bits of negative power of 16, 12 bits of value."""
    words = np.frombuffer(data, dtype=">u2").astype(np.int64)
    return np.asarray((words & 0xFFF) * 16.0 ** -(words >> 12), dtype=np.float64)
