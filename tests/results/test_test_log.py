# SPDX-License-Identifier: Apache-2.0
"""The tests' record is the same from the file as from memory, and a damaged file says so."""

import os
import signal
from pathlib import Path

import pytest

from hil.errors import ResultsError
from hil.results import test_log
from hil.results.test_log import TestLog, TestOutcome

resource = pytest.importorskip("resource", reason="has no limit on files' sizes to stand in for a full disk")


def write(path: Path) -> TestLog:
    log = TestLog(path)
    log.collected(["a.py::test_one", "a.py::test_\udcff", "a.py::test_three"], 1)
    log.started("a.py::test_one")
    for phase in ("setup", "call", "teardown"):
        log.phase("a.py::test_one", phase, "passed", message="", duration_s=0.5, bench_error=False)
    log.finished("a.py::test_one")
    log.started("a.py::test_\udcff")
    return log


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    log = write(tmp_path / "tests.jsonl")
    record = test_log.read(tmp_path / "tests.jsonl")
    assert record == log.record()
    assert [(test.outcome, test.duration_s) for test in record.tests] == [
        (TestOutcome.PASSED, 1.5),
        (TestOutcome.INTERRUPTED, 0.0),
        (TestOutcome.NOT_RUN, 0.0),
    ]


@pytest.mark.parametrize("damage", [b"\xff\n", b"[]\n", b'{"event": "x"}\n', b'{"event": "phase"}\n', b"{\n"])
def test_a_damaged_line_is_named_and_the_rest_is_read(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "tests.jsonl"
    write(path).close()
    path.write_bytes(damage + path.read_bytes())
    record = test_log.read(path)
    assert len(record.damages) == 1
    assert record.count(TestOutcome.PASSED) == 1


def test_every_beginning_of_the_file_is_readable_and_proves_no_more(tmp_path: Path) -> None:
    write(tmp_path / "tests.jsonl").close()
    content = (tmp_path / "tests.jsonl").read_bytes()
    for length in range(len(content)):
        (tmp_path / "part").write_bytes(content[:length])
        record = test_log.read(tmp_path / "part")
        assert record.damages == ()
        whole = b'"finished"' in content[:length].rpartition(b"\n")[0]
        assert record.count(TestOutcome.PASSED) == whole


def test_a_full_disk_leaves_no_half_line_and_loses_nothing_of_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "tests.jsonl"
    log = write(path)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    earlier = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, hard))
        with pytest.raises(ResultsError, match=os.strerror(27)):
            log.error("does not fit")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, earlier)
    assert path.read_bytes() == before
    log.error("fits")
    assert test_log.read(path).errors == ("fits",)
