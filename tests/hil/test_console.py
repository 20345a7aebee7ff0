# SPDX-License-Identifier: Apache-2.0
"""The console as a link: what it says, it says completely."""

from hil.instruments.protocols import Console
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.pytest_plugin.acquisitions import Acquisitions
from hil.pytest_plugin.recording import Recorder

FORMAT = "the record format: sequence numbers count by one, every line carries its checksum"


def test_records_arrive_complete_and_in_sequence(
    console: Console, acquisitions: Acquisitions, measure: Recorder
) -> None:
    """From BOOT over several reports, no number is missing or repeated and no line is garbage."""
    seen = acquisitions.reporting_wakes()
    measure(
        Measurement("records lost", seen.lost_records, "", 0, Limit.exactly(0, FORMAT)),
        Measurement("records repeated", seen.repeated_records, "", 0, Limit.exactly(0, FORMAT)),
        Measurement("lines of garbage", seen.garbage_lines, "", 0, Limit.exactly(0, FORMAT)),
    )


def test_every_wake_that_sees_a_fault_reports_it_once(
    console: Console, acquisitions: Acquisitions, measure: Recorder
) -> None:
    """One report per wake, numbered by the wakes without a gap."""
    seen = acquisitions.reporting_wakes()
    wakes = [record.integer("wake") for record in seen.anomalies][-len(seen.inference_s) :]
    measure(
        Measurement(
            "reports from watched wakes",
            len(wakes),
            "",
            0,
            Limit.exactly(len(seen.inference_s), "one report per wake that sees a fault"),
        )
    )
    assert wakes == list(range(wakes[0], wakes[0] + len(wakes)))
