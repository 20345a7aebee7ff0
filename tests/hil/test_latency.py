# SPDX-License-Identifier: Apache-2.0
"""The network's latency, three independent ways: a counter on a marker pin, the core's cycle counter, the
current."""

from hil.errors import MeasurementError
from hil.firmware.protocol import clock_plans
from hil.instruments.protocols import Console, PowerAnalyzer
from hil.measurement.budget import Budget, rectangle
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.measurement.phases import Phase, PhaseName, first_of
from hil.measurement.pulse import find_pulse
from hil.measurement.uncertainty import Estimate, normalized_error
from hil.pytest_plugin.accuracy import RigAccuracy
from hil.pytest_plugin.acquired import WakeCapture
from hil.pytest_plugin.acquisitions import LONGEST_INFERENCE_S, Acquisitions
from hil.pytest_plugin.recording import Recorder
from hil.pytest_plugin.requirements import Requirements

CORE_CLOCK_ACCURACY = 0.02
"""Half width. Assumption: the MSI, which the firmware does not lock to the quartz (MSIPLLEN stays 0), keeps
its factory calibration to 2 % at room temperature."""
UNMARKED_S = 25e-6
"""Half width. Assumption: what runs between a marker's edge and the change of current that goes with it (the
score, the clock switch, the entry into Stop 2) takes less than 100 cycles at 4 MHz."""
STORING_S = 100e-6
"""Assumption: at the clock of the computing, storing the state in the backup registers takes from nothing to
so long: 2,400 cycles at 24 MHz, the lower of the clocks that a plan for every day has."""
EDGE_SAMPLES = 3
"""Next to either end of the high clock, where the current still settles."""
EDGES = ("marker_inference", "marker_active")
ASSUMED = "assumption of this test"
AGREEMENT = "E_n ≤ 1: they agree within their uncertainties (ISO/IEC 17043:2010, B.3.1.3)"


def test_latency_by_counter(
    console: Console,
    acquisitions: Acquisitions,
    requirements: Requirements,
    rig_accuracy: RigAccuracy,
    measure: Recorder,
) -> None:
    """The slowest of the watched inferences is fast enough."""
    slowest_s = requirements.inference_latency_s.worst(acquisitions.reporting_wakes().inference_s.tolist())
    measure(
        Measurement.of(
            "inference latency",
            Estimate.of(slowest_s, rig_accuracy.interval_s(slowest_s, LONGEST_INFERENCE_S)),
            "s",
            requirements.inference_latency_s,
            ("counter on marker_inference, slowest of the watched wakes",),
            headline=True,
        )
    )


def test_latency_by_cycle_counter_agrees(
    console: Console,
    acquisitions: Acquisitions,
    requirements: Requirements,
    rig_accuracy: RigAccuracy,
    measure: Recorder,
) -> None:
    """The cycles that the firmware counts take, at the clock of its plan, as long as its marker is high; the
    worst wake counts."""
    seen = acquisitions.reporting_wakes()
    boot = next(record for record in seen.records if record.kind == "BOOT")
    core_hz = clock_plans()[boot.integer("plan")].core_hz
    measure.assume(f"The part's own clock is right to {100 * CORE_CLOCK_ACCURACY:g} % at room temperature.")
    reports = seen.anomalies[-len(seen.inference_s) :]
    assert len(reports) == len(seen.inference_s), "a watched wake sent no report, so its cycles are unknown"
    worst: tuple[Measurement, Measurement] | None = None
    for width_s, report in zip(seen.inference_s.tolist(), reports, strict=True):
        cycles_s = report.integer("cycles") / core_hz
        clock = rectangle("core's clock", CORE_CLOCK_ACCURACY, "", ASSUMED, cycles_s)
        by_cycles = Estimate.of(cycles_s, Budget.of(clock))
        by_counter = Estimate.of(width_s, rig_accuracy.interval_s(width_s, LONGEST_INFERENCE_S))
        apart = normalized_error(by_counter, by_cycles)
        if worst is None or apart > worst[1].value:
            worst = (
                Measurement.of(
                    "inference latency by cycle counter", by_cycles, "s", requirements.inference_latency_s
                ),
                Measurement("cycle counter against counter", apart, "", 0, Limit.at_most(1, AGREEMENT)),
            )
    assert worst is not None
    measure(*worst)


def test_latency_by_current_agrees(
    power_analyzer: PowerAnalyzer,
    acquisitions: Acquisitions,
    requirements: Requirements,
    rig_accuracy: RigAccuracy,
    measure: Recorder,
) -> None:
    """The current shows how long marker_inference feeds its wire.

    Where its wire draws too little to be seen, the current shows when the high clock ends. Counters give the
    time from the rise of marker_inference to the fall of marker_active, and what remains is the network, and
    storing what it found.
    """
    capture = acquisitions.wake_capture()
    fast = first_of(capture.phases, PhaseName.INFERENCE)
    margin_s = EDGE_SAMPLES * capture.waveform.period_s
    (wire_a,) = (
        load.current_a.value for load in acquisitions.marker_loads() if load.role == "marker_inference"
    )
    try:
        pulse = find_pulse(capture.waveform.slice(fast.start_s + margin_s, fast.end_s - margin_s), wire_a)
    except MeasurementError:
        pulse = None
    # Another step of the current is no pulse of the marker's wire.
    if pulse is None or not 0.5 < pulse.height_a / wire_a < 2:
        by_current = until_sleep(capture, fast, measure)
    else:
        measure.assume(
            "The time base of the power analyzer adds nothing to the length of a pulse.",
            "The current of the code changes at most a sample before or after the marker.",
        )
        by_current = pulse.duration_s
    half_s = capture.waveform.period_s / 2
    edges = Budget.of(
        *(rectangle(f"{which} of the high clock", half_s, "s", "half a sample") for which in ("rise", "fall"))
    )
    by_counter = Estimate.of(
        capture.inference_s, rig_accuracy.interval_s(capture.inference_s, LONGEST_INFERENCE_S)
    )
    measure(
        Measurement.of("inference latency by current", by_current, "s", requirements.inference_latency_s),
        Measurement.of("high clock by current", Estimate.of(fast.duration_s, edges), "s"),
        Measurement(
            "current against counter",
            normalized_error(by_counter, by_current),
            "",
            0,
            Limit.at_most(1, AGREEMENT),
        ),
    )


def until_sleep(capture: WakeCapture, fast: Phase, measure: Recorder) -> Estimate:
    """The network's latency from the end of the high clock, in seconds."""
    measure.assume(
        f"Between a marker's edge and its change of current pass less than {UNMARKED_S * 1e6:.0f} µs.",
        f"Storing the state takes at most {STORING_S * 1e6:.0f} µs at the clock of the computing.",
    )
    asleep = first_of(capture.phases, PhaseName.SLEEP, fast.end_s)
    wind_down_s = asleep.start_s - fast.end_s
    latency_s = capture.active_s - capture.active_to_inference_s - wind_down_s - STORING_S / 2
    half_s = capture.waveform.period_s / 2
    budget = Budget.of(
        rectangle("fall of the high clock", half_s, "s", "half a sample"),
        rectangle("entry into sleep", half_s, "s", "half a sample"),
        *(rectangle(f"from {edge} to its current", UNMARKED_S, "s", ASSUMED) for edge in EDGES),
        rectangle("storing the state", STORING_S / 2, "s", ASSUMED),
    )
    return Estimate.of(latency_s, budget)
