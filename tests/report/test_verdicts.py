# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.report.verdicts import RunVerdict, TestOutcome, judge, read_junit
from hil.results.journal import JournalEntry

JUNIT = """<?xml version="1.0"?><testsuites><testsuite name="pytest">
<testcase classname="tests.hil.test_a" name="test_good" time="0.5"/>
<testcase classname="tests.hil.test_a" name="test_bad" time="1.5">
  <failure message="Failed: period is 8 s">trace</failure></testcase>
<testcase classname="tests.hil.test_a" name="test_bench" time="0.1">
  <properties><property name="bench_error" value="daq: play: no answer"/></properties>
  <failure message="x">y</failure></testcase>
<testcase classname="tests.hil.test_a" name="test_setup" time="0.1">
  <error message="failed on setup">y</error></testcase>
<testcase classname="tests.hil.test_a" name="test_absent" time="0">
  <skipped message="no analyzer">y</skipped></testcase>
<testcase classname="tests.hil.test_a" name="test_good" time="0">
  <error message="failed on teardown">y</error></testcase>
</testsuite></testsuites>"""


def test_every_way_to_end_is_read(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text(JUNIT, "utf-8")
    verdicts = {v.name.rpartition("::")[2]: v for v in read_junit(tmp_path / "junit.xml")}
    assert {name: verdict.outcome for name, verdict in verdicts.items()} == {
        "test_good": TestOutcome.BENCH_ERROR,  # its tear-down failed after it had passed
        "test_bad": TestOutcome.FAILED,
        "test_bench": TestOutcome.BENCH_ERROR,
        "test_setup": TestOutcome.BENCH_ERROR,
        "test_absent": TestOutcome.SKIPPED,
    }
    assert verdicts["test_bad"].message == "period is 8 s"
    assert verdicts["test_bench"].message == "daq: play: no answer"
    assert verdicts["test_bad"].name == "tests/hil/test_a.py::test_bad"


def test_a_run_without_a_junit_file_tested_nothing(tmp_path: Path) -> None:
    tests = read_junit(tmp_path / "junit.xml")
    assert judge(tests, [], 1).outcome is RunVerdict.NOTHING_TESTED


def test_the_device_s_failures_come_before_the_bench_s(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text(JUNIT, "utf-8")
    tests = read_junit(tmp_path / "junit.xml")
    assert judge(tests, [], 1).outcome is RunVerdict.FAIL
    without_failures = [test for test in tests if test.outcome is not TestOutcome.FAILED]
    assert judge(without_failures, [], 10).outcome is RunVerdict.BENCH_ERROR


def test_a_good_run_says_how_many_measurements_conform(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text(JUNIT, "utf-8")
    good = [test for test in read_junit(tmp_path / "junit.xml") if test.name.endswith("absent")]
    assert judge(good, [], 0).outcome is RunVerdict.NOTHING_TESTED
    entry = JournalEntry(1, "t", Measurement("m", 1.0, "A", 0.1, Limit.at_most(2.0, "s")), "")
    (tmp_path / "one.xml").write_text(
        '<testsuite><testcase classname="a" name="b" time="1"/></testsuite>', "utf-8"
    )
    verdict = judge(read_junit(tmp_path / "one.xml"), [entry], 0)
    assert verdict.outcome is RunVerdict.PASS
    assert verdict.sentence == "All 1 tests passed; 1 of 1 judged measurements conform with their limits."


def test_an_interrupted_run_is_no_pass(tmp_path: Path) -> None:
    (tmp_path / "one.xml").write_text(
        '<testsuite><testcase classname="a" name="b" time="1"/></testsuite>', "utf-8"
    )
    tests = read_junit(tmp_path / "one.xml")
    for exit_status in (2, None):
        assert judge(tests, [], exit_status).outcome is RunVerdict.INCOMPLETE
