# SPDX-License-Identifier: Apache-2.0
"""What comes back of a log: whole, killed while it was written, and damaged."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hil.errors import ResultsError
from hil.results.log_file import CHUNK, LogFile, LogWriter
from hil.results.pyramid import BLOCK, FIRST_BUCKET, bucket_samples

RANDOM = np.random.default_rng(3)
LENGTHS = (1, 255, 256, 257, CHUNK + 1, FIRST_BUCKET * BLOCK + 5)


def written(path: Path, samples: NDArray[np.float32]) -> Path:
    with LogWriter(path, {"name": "x"}) as log:
        first = 0
        while first < samples.size:
            count = int(RANDOM.integers(1, 3 * CHUNK))
            log.append(samples[first : first + count])
            first += count
    return path


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("closed", [True, False])
def test_samples_and_each_bucket_come_back(length: int, closed: bool, tmp_path: Path) -> None:
    samples = RANDOM.standard_normal(length).astype(np.float32)
    path = written(tmp_path / "x.hlog", samples)
    if not closed:
        os.truncate(path, path.stat().st_size - 17)
    with LogFile(path) as log:
        assert log.was_closed is closed
        assert log.description == {"name": "x"}
        assert (log.read(0, log.samples) == samples).all()
        assert (log.read(length // 3, length // 2) == samples[length // 3 : length // 2]).all()
        assert log.levels >= 1
        for level in range(1, log.levels + 1):
            own = bucket_samples(level)
            assert log.held(level) == -(-length // own)
            least, greatest, mean = log.buckets(level, 0, log.held(level))
            for number in {0, len(mean) // 2, len(mean) - 2, len(mean) - 1} - {-1}:
                of_bucket = samples[number * own : (number + 1) * own]
                assert least[number] == of_bucket.min()
                assert greatest[number] == of_bucket.max()
                assert mean[number] == pytest.approx(of_bucket.mean(dtype=np.float64), abs=1e-6)


def test_a_long_log_reads_few_buckets_for_a_plot_of_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "x.hlog"
    chunk = np.zeros(1 << 20, np.float32)
    with LogWriter(path, {}) as log:
        for _ in range(20):
            log.append(chunk)
    with LogFile(path) as kept:
        assert kept.levels == 3
        assert kept.held(3) <= BLOCK


_WRITES = """
import sys, time
import numpy as np
from pathlib import Path
from hil.results.log_file import LogWriter
log = LogWriter(Path(sys.argv[1]), {"name": "killed"})
number = 0
while True:
    log.append(np.arange(number, number + 50, dtype=np.float32))
    number += 50
    print(number, flush=True)
    time.sleep(0.005)
"""


def test_a_killed_writer_loses_less_than_a_second(tmp_path: Path) -> None:
    path = tmp_path / "x.hlog"
    with subprocess.Popen(
        [sys.executable, "-c", _WRITES, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        given: list[tuple[float, int]] = []
        while len(given) < 300:
            line = writer.stdout.readline()
            given.append((time.monotonic(), int(line)))
        writer.send_signal(signal.SIGKILL if os.name != "nt" else signal.SIGTERM)
        killed_s = time.monotonic()
    with LogFile(path) as log:
        assert not log.was_closed
        kept = log.read(0, log.samples)
    assert (kept == np.arange(kept.size)).all()
    assert kept.size >= max(number for at_s, number in given if at_s < killed_s - 1)


def test_a_record_that_was_cut_off_costs_itself(tmp_path: Path) -> None:
    samples = RANDOM.standard_normal(3 * CHUNK).astype(np.float32)
    whole = written(tmp_path / "x.hlog", samples).read_bytes()
    for cut in (len(whole) // 2, len(whole) * 3 // 4, len(whole) - 40):
        path = tmp_path / "cut.hlog"
        path.write_bytes(whole[:cut])
        with LogFile(path) as log:
            assert log.samples % CHUNK == 0
            assert (log.read(0, log.samples) == samples[: log.samples]).all()


def test_a_damaged_byte_is_told_when_its_samples_are_read(tmp_path: Path) -> None:
    samples = RANDOM.standard_normal(3 * CHUNK).astype(np.float32)
    path = written(tmp_path / "x.hlog", samples)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with LogFile(path) as log, pytest.raises(ResultsError, match="damaged"):
        log.read(0, log.samples)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_current_is_refused(bad: float, tmp_path: Path) -> None:
    with LogWriter(tmp_path / "x.hlog", {}) as log, pytest.raises(ResultsError, match="no finite number"):
        log.append(np.array([1.0, bad]))


def test_the_caller_s_array_may_be_used_again(tmp_path: Path) -> None:
    samples = np.ones(10, np.float32)
    with LogWriter(tmp_path / "x.hlog", {}) as log:
        log.append(samples)
        samples[:] = 2
        log.append(samples)
    with LogFile(tmp_path / "x.hlog") as kept:
        assert (kept.read(0, 20) == np.repeat([1, 2], 10)).all()
