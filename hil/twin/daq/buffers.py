# SPDX-License-Identifier: Apache-2.0
"""The buffer between a clocked acquisition and the client that reads it."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from hil.twin.daq.errors import Code, DaqmxError

T = TypeVar("T")


class InputBuffer(Generic[T]):
    """First in, first out. A finite acquisition ends at ``total`` samples; a continuous one may lose the
    oldest.
    """

    def __init__(self, capacity: int, total: int | None) -> None:
        self.capacity = capacity
        self.total = total
        self.acquired = 0
        self.read_position = 0
        self._samples: deque[T] = deque()
        self._lost = 0

    @property
    def available(self) -> int:
        """Samples that can be read now."""
        return len(self._samples)

    @property
    def complete(self) -> bool:
        """Whether a finite acquisition has all its samples."""
        return self.total is not None and self.acquired >= self.total

    def append(self, sample: T) -> None:
        """Take a sample; a complete acquisition takes no more."""
        if self.complete:
            return
        self.acquired += 1
        self._samples.append(sample)
        if self.total is None and len(self._samples) > self.capacity:
            self._samples.popleft()
            self._lost += 1

    def check(self, count: int) -> int:
        """How many of ``count`` samples can be read now or later: fewer at the end of a finite acquisition.

        Raises:
            DaqmxError: -200279 if samples were overwritten unread, -200278 if all have been read.
        """
        if self._lost:
            lost, self._lost = self._lost, 0
            self.read_position += lost
            raise DaqmxError(
                Code.SAMPLES_OVERWRITTEN,
                f"The oldest {lost} samples were overwritten unread. Read more often, read more at a time, "
                f"or make the buffer larger than {self.capacity} samples per channel.",
            )
        if self.total is None:
            return count
        left = self.total - self.read_position
        if count and not left:
            raise DaqmxError(
                Code.READ_BEYOND_FINAL_SAMPLE,
                f"The task acquires {self.total} samples per channel, and all have been read; {count} more "
                "are asked for.",
            )
        return min(count, left)

    def take(self, count: int) -> list[T]:
        """Remove and return the oldest samples, at most ``count``."""
        taken = [self._samples.popleft() for _ in range(min(count, len(self._samples)))]
        self.read_position += len(taken)
        return taken
