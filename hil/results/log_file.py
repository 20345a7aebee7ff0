# SPDX-License-Identifier: Apache-2.0
"""A log on disk, appended as its samples come: one quantity at a constant rate, with its pyramid.

The file begins with ``MAGIC``. Records follow, each a head of 24 bytes (``HEAD``: kind, level, two bytes
of nothing, number of the first sample or bucket, how many, length and CRC-32 of what follows) and its content. Kind ``S`` holds samples and ``P``
buckets of a level of the pyramid, both packed by :mod:`hil.results.log_codec`; buckets are all least values, then
all greatest, then all means. Kind ``D`` is the description, JSON: the last one is valid. A file that was closed
ends with a record ``I``, the index: per record of samples and buckets level, count, first and offset
(``_INDEX``), deflated; its head has the offset of the description in the place of the first number. Then follow
the index's own offset in 8 bytes and ``END``. All numbers are little-endian.

A file that nobody closed has no index. All records that are whole are still in it: they are found by their heads.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from isal.isal_zlib import crc32
from numpy.typing import NDArray

from hil.errors import ResultsError, one_line
from hil.results.log_codec import pack, unpack
from hil.results.pyramid import Buckets, Pyramid

MAGIC = b"HILLOG1\n"
END = b"HILLOGIX"
HEAD = struct.Struct("<cBHQIII")
CHUNK = 1 << 16
"""Samples that are written at once, unless they come slowly."""
LONGEST_HELD_S = 0.5
"""Samples are written that long after the one before them at the latest, so that a killed process loses less
than a second."""
_INDEX = np.dtype([("level", "<u4"), ("count", "<u4"), ("first", "<u8"), ("offset", "<u8")])
_RECORD_MAX = 1 << 26


class LogWriter:
    """Appends samples to a new file. Close it, or use it as a context."""

    def __init__(self, path: Path, description: dict[str, Any]) -> None:
        """Begin the file, in place of an earlier one.

        Raises:
            ResultsError: it cannot be written.
        """
        self._path = path
        self._pyramid = Pyramid()
        self._held: list[NDArray[np.float32]] = []
        self._held_samples = 0
        self._written = 0
        self._index: list[tuple[int, int, int, int]] = []
        self._offset = 0
        self._last_write_s = time.monotonic()
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb", buffering=0)
            self._write(MAGIC)
        self.describe(description)

    @property
    def samples(self) -> int:
        """How many samples it was given."""
        return self._written + self._held_samples

    def describe(self, description: dict[str, Any]) -> None:
        """State anew what the samples are.

        Raises:
            ResultsError: it cannot be written.
        """
        self._described_at = self._offset
        self._record(b"D", 0, 0, 0, zlib.compress(json.dumps(description).encode()))

    def append(self, samples: NDArray[Any]) -> None:
        """Take the next samples. They are stored as float32.

        Raises:
            ResultsError: they cannot be written, or one of them is no finite number.
        """
        given = np.asarray(samples, np.float32).ravel()
        if not np.isfinite(given).all():
            raise ResultsError("a sample is no finite number", where=str(self._path), operation="append")
        self._held.append(given)
        self._held_samples += given.size
        late = time.monotonic() - self._last_write_s >= LONGEST_HELD_S
        if self._held_samples >= CHUNK or late:
            self._flush(everything=late)
        elif self._held_samples:
            self._held[-1] = self._held[-1].copy()  # the caller may use the array again

    def close(self) -> None:
        """Write what is left and the index.

        Raises:
            ResultsError: it cannot be written.
        """
        if self._file.closed:
            return
        try:
            self._flush(everything=True)
            for level, first, buckets in self._pyramid.finish():
                self._buckets(level, first, buckets)
            index = zlib.compress(np.array(self._index, _INDEX).tobytes())
            offset = self._offset
            self._record(b"I", 0, self._described_at, len(self._index), index)
            with self._errors():
                self._write(struct.pack("<Q", offset) + END)
        finally:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _flush(self, *, everything: bool) -> None:
        held = self._held[0] if len(self._held) == 1 else np.concatenate((*self._held, _NO_SAMPLES))
        end = held.size if everything else held.size // CHUNK * CHUNK
        for begin in range(0, end, CHUNK):
            chunk = held[begin : min(begin + CHUNK, end)]
            self._record(b"S", 0, self._written, chunk.size, pack(chunk))
            self._written += chunk.size
            for level, first, buckets in self._pyramid.add(chunk):
                self._buckets(level, first, buckets)
        self._held = [held[end:].copy()] if end < held.size else []
        self._held_samples = held.size - end
        self._last_write_s = time.monotonic()

    def _buckets(self, level: int, first: int, buckets: Buckets) -> None:
        self._record(b"P", level, first, buckets.shape[1], pack(buckets.ravel()))

    def _record(self, kind: bytes, level: int, first: int, count: int, content: bytes) -> None:
        if kind in (b"S", b"P"):
            self._index.append((level, count, first, self._offset))
        head = HEAD.pack(kind, level, 0, first, count, len(content), crc32(content))
        with self._errors():
            self._write(head + content)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = self._file.write(view)
            view = view[written or 0 :]
        self._offset += len(data)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ResultsError(str(error), where=str(self._path), operation="save waveform") from error


class LogFile:
    """Reads a log, also one that nobody closed. What it holds in memory does not grow with the samples."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            ResultsError: it is no such file.
        """
        self._path = path
        with self._errors():
            self._file = path.open("rb")
            try:
                if self._file.read(len(MAGIC)) != MAGIC:
                    raise ValueError("it begins otherwise")
                self._size = os.fstat(self._file.fileno()).st_size
                self.was_closed = self._indexed()
                if not self.was_closed:
                    self._scan()
                self._sort()
            except BaseException:
                self._file.close()
                raise

    description: dict[str, Any]
    """As the writer stated it last."""
    samples: int
    """How many there are."""
    was_closed: bool
    """Whether its writer closed it."""

    @property
    def levels(self) -> int:
        """The number of the level with the longest buckets; 0 where there are only samples."""
        return max(self._levels)

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def close(self) -> None:
        """Release the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def read(self, first: int, last: int) -> NDArray[np.float32]:
        """Return samples ``first`` to ``last`` (exclusive).

        Raises:
            ResultsError: they are not in the file, or damaged.
        """
        parts = [chunk for _, chunk in self.chunks(first, last)]
        return np.concatenate(parts) if parts else _NO_SAMPLES

    def chunks(self, first: int = 0, last: int | None = None) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield the samples from ``first`` to ``last``, a chunk at a time, each with its first one's number.

        Raises:
            ResultsError: they are not in the file, or damaged.
        """
        end = self.samples if last is None else last
        for begin, values in self._blocks(0, first, end):
            yield begin, values[0]

    def buckets(self, level: int, first: int, last: int) -> Buckets:
        """Return buckets ``first`` to ``last`` (exclusive) of a level, as far as the file holds them: a file
        that nobody closed lacks the last ones.

        Raises:
            ResultsError: they are damaged.
        """
        if level == 0:
            samples = self.read(first, last)
            return np.stack((samples, samples, samples))
        parts = [values for _, values in self._blocks(level, first, last)]
        return np.concatenate(parts, axis=1) if parts else np.empty((3, 0), np.float32)

    def held(self, level: int) -> int:
        """How many buckets of that level the file holds."""
        rows = self._levels.get(level)
        return 0 if rows is None or not rows.size else int(rows["first"][-1] + rows["count"][-1])

    def _blocks(self, level: int, first: int, last: int) -> Iterator[tuple[int, Buckets]]:
        rows = self._levels.get(level)
        if rows is None or first >= last:
            return
        begin = max(0, int(np.searchsorted(rows["first"], first, "right")) - 1)
        for row in rows[begin:]:
            start, count = int(row["first"]), int(row["count"])
            if start >= last:
                return
            with self._errors():
                values = self._values(level, start, count, int(row["offset"]))
            low, high = max(first - start, 0), min(last - start, count)
            if low < high:
                yield start + low, values[:, low:high]

    def _values(self, level: int, first: int, count: int, offset: int) -> Buckets:
        _, found, content = self._content(offset)
        if found[1:4] != (level, first, count):
            raise ValueError("the index and the records differ")
        rows = 1 if level == 0 else 3
        return unpack(content, rows * count).reshape(rows, count)

    def _content(self, offset: int) -> tuple[bytes, tuple[Any, ...], bytes]:
        kind, level, first, count, length, checksum = self._head(offset)
        content = self._file.read(length)
        if len(content) != length or crc32(content) != checksum:
            raise ValueError(f"the record at {offset} is damaged")
        return kind, (kind, level, first, count), content

    def _head(self, offset: int) -> tuple[bytes, int, int, int, int, int]:
        self._file.seek(offset)
        kind, level, _, first, count, length, checksum = HEAD.unpack(self._file.read(HEAD.size))
        if kind not in (b"S", b"P", b"D", b"I") or length > _RECORD_MAX or count > 1 << 28:
            raise ValueError(f"no record at {offset}")
        return kind, level, first, count, length, checksum

    def _indexed(self) -> bool:
        if self._size < 16 + len(MAGIC):
            return False
        self._file.seek(self._size - 16)
        tail = self._file.read(16)
        if tail[8:] != END:
            return False
        offset = struct.unpack("<Q", tail[:8])[0]
        kind, found, content = self._content(offset)
        if kind != b"I":
            raise ValueError("the index is none")
        self._rows = np.frombuffer(_inflated(content), _INDEX)
        self.description = self._described(found[2])
        return True

    def _described(self, offset: int) -> dict[str, Any]:
        described = json.loads(_inflated(self._content(offset)[2]))
        if not isinstance(described, dict):
            raise ValueError("the description is none")
        return described

    def _scan(self) -> None:
        rows, offset = [], len(MAGIC)
        self.description = {}
        while offset + HEAD.size <= self._size:
            kind, level, first, count, length, _ = self._head(offset)
            if offset + HEAD.size + length > self._size:
                break  # it was being written
            if kind == b"D":
                self.description = self._described(offset)
            elif kind in (b"S", b"P"):
                rows.append((level, count, first, offset))
            offset += HEAD.size + length
        self._rows = np.array(rows, _INDEX)

    def _sort(self) -> None:
        rows = self._rows
        self._levels = {int(level): rows[rows["level"] == level] for level in np.unique(rows["level"])}
        for level, own in self._levels.items():
            ends = own["first"] + own["count"]
            if own["first"][0] != 0 or (own["first"][1:] != ends[:-1]).any():
                raise ValueError(f"level {level} has a gap")
        self.samples = self.held(0)
        if not self.samples:
            raise ValueError("it holds no samples")

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except _DAMAGES as error:
            raise ResultsError(
                f"is no waveform ({type(error).__name__}: {one_line(error)})",
                where=str(self._path),
                operation="load waveform",
            ) from error


def _inflated(content: bytes) -> bytes:
    inflater = zlib.decompressobj()
    data = inflater.decompress(content, _RECORD_MAX)
    if not inflater.eof:
        raise ValueError("a record is cut off")
    return data


_NO_SAMPLES = np.empty(0, np.float32)
_DAMAGES = (
    *(AttributeError, IndexError, KeyError, MemoryError, OSError, OverflowError, RecursionError),
    *(TypeError, ValueError, struct.error, zlib.error),
)
"""What a damaged file leads to."""
