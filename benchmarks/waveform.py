# SPDX-License-Identifier: Apache-2.0
"""A long current log on disk: how fast it is written and read, and in how few bytes.

A sensor sleeps, samples and computes. Each current is read in codes of an 18 bit converter of its range, with
the noise that the virtual analyzer's ranges have in one sample of 5.12 µs (assumed there).

``ratio_numpy`` is the smaller of two ratios. The log is appended with its whole pyramid, while plain NumPy
writes the samples to a raw file of float32 and reduces them to least, greatest and mean of 256. Both are then
read back from their files and reduced so. ``in_memory`` is the pace of reading and reducing the log over that
of NumPy alone, with the samples in memory. All paces are of CPU time; each chunk is done in turn both ways.
``HIL_WAVEFORM_SAMPLES`` says how many samples; 10^9 without it.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmark import Benchmark, Results, Say, Target
from hil.results import pyramid
from hil.results.log_file import CHUNK
from hil.results.waveform_file import WaveformWriter, opened

if sys.platform != "win32":
    import resource

SAMPLES = 10**9
PERIOD_S = 5.12e-6
_CODES = 2**18
_SLEEP, _SAMPLING, _COMPUTING = (1.78e-6, 10e-6, 2e-9), (190e-6, 1e-3, 25e-9), (9e-3, 100e-3, 2.5e-6)
"""Current, full scale of the range, and deviation of one sample, in amperes."""
_POOL = 64
"""Chunks that differ; zlib looks back 32 KB, less than one."""
_CALIBRATED = 1.000_137, 3.1e-9
"""Gain and offset in amperes: what makes whole numbers of codes into uneven floats."""


def measure(say: Say, samples: int | None = None) -> Results:
    """Write, read and reduce so many samples.

    Returns:
        ratio_numpy, rss_mb (the process's greatest; NaN on Windows), bytes_per_sample (the
        file's), and what is behind.
    """
    count = int(os.environ.get("HIL_WAVEFORM_SAMPLES", SAMPLES)) if samples is None else samples
    say(f"{count:,} samples in a process of its own")
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:  # whose memory is only this
        return pool.submit(_measure, count).result()


def _measure(count: int) -> Results:
    pool = _pool()
    cpu_s = dict.fromkeys(("append", "raw append", "read", "raw read", "memory"), 0.0)

    @contextmanager
    def timed(what: str) -> Iterator[None]:
        began_s = time.process_time()
        yield
        cpu_s[what] += time.process_time() - began_s

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.hlog"
        with timed("append"):
            writer = WaveformWriter(path, "long", start_s=0.0, period_s=PERIOD_S, supply_voltage_v=3.0)
        raw_path = Path(folder) / "raw"
        with raw_path.open("wb", buffering=0) as raw:
            for chunk in _chunks(pool, count):
                with timed("raw append"):
                    chunk.tofile(raw)
                    _reduce(chunk)
                with timed("append"):
                    writer.append(chunk)
        with timed("append"):
            writer.close()
        with opened(path) as kept, raw_path.open("rb", buffering=0) as raw:
            chunks = kept.chunks()
            for number in range(-(-count // CHUNK)):
                with timed("raw read"):
                    _reduce(np.fromfile(raw, np.float32, CHUNK))
                with timed("read"):
                    _reduce(next(chunks))
                with timed("memory"):
                    _reduce(pool[number % _POOL])
        size = path.stat().st_size
    return {
        "ratio_numpy": min(cpu_s["raw append"] / cpu_s["append"], cpu_s["raw read"] / cpu_s["read"]),
        "rss_mb": _greatest_rss_mb(),
        "bytes_per_sample": size / count,
        "samples": float(count),
        "append_ratio": cpu_s["raw append"] / cpu_s["append"],
        "read_ratio": cpu_s["raw read"] / cpu_s["read"],
        "in_memory": cpu_s["memory"] / cpu_s["read"],
        "append_msps": count / cpu_s["append"] / 1e6,
        "read_msps": count / cpu_s["read"] / 1e6,
    }


def _greatest_rss_mb() -> float:
    """Linux hands getrusage's figure on from the process that started this one; VmHWM is its own.

    Windows keeps none that Python's library reads: it is no number there.
    """
    if sys.platform == "win32":
        return math.nan
    else:  # noqa: RET505 - a type checker for Windows reads what follows a return without else
        status = Path("/proc/self/status")
        if status.exists():
            (line,) = (line for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM"))
            return int(line.split()[1]) * 1024 / 1e6
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # macOS counts bytes


def _reduce(samples: NDArray[np.float32]) -> None:
    whole = samples[: samples.size // pyramid.FIRST_BUCKET * pyramid.FIRST_BUCKET]
    rows = whole.reshape(-1, pyramid.FIRST_BUCKET)
    np.stack((rows.min(1), rows.max(1), rows.mean(1, dtype=np.float64).astype(np.float32)))


def _chunks(pool: list[NDArray[np.float32]], samples: int) -> Iterator[NDArray[np.float32]]:
    for number in range(-(-samples // CHUNK)):
        yield pool[number % _POOL][: samples - number * CHUNK]


def _pool() -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(1)
    pool = []
    for number in range(_POOL):
        chunk = _readings(rng, CHUNK, *_SLEEP)
        if number % 8 == 3:  # awake in one of eight
            chunk[20_000:45_000] = _readings(rng, 25_000, *_SAMPLING)
            chunk[45_000:50_000] = _readings(rng, 5_000, *_COMPUTING)
        pool.append(chunk)
    return pool


def _readings(
    rng: np.random.Generator, count: int, current_a: float, full_scale_a: float, deviation_a: float
) -> NDArray[np.float32]:
    code_a = 2 * full_scale_a / _CODES
    codes = np.rint((current_a + deviation_a * rng.standard_normal(count)) / code_a)
    gain, offset_a = _CALIBRATED
    return (codes * code_a * gain + offset_a).astype(np.float32)


BENCHMARK = Benchmark(
    "a long current log on disk, beside plain NumPy",
    measure,
    {
        "ratio_numpy": Target("at least", 0.33),
        "rss_mb": Target("at most", 300.0),
        "bytes_per_sample": Target("at most", 3.5),
    },
)
