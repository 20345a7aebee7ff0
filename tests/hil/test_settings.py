# SPDX-License-Identifier: Apache-2.0
"""Settings that the console changes: each changes what the device does, and survives a reset."""

from hil.firmware.image import Image
from hil.instruments.protocols import Console, Daq
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.measurement.uncertainty import Estimate
from hil.pytest_plugin.accuracy import RigAccuracy
from hil.pytest_plugin.acquisitions import AWAKE_MAXIMUM_S, BOOT_TIMEOUT_S, Acquisitions
from hil.pytest_plugin.recording import Recorder
from hil.pytest_plugin.vibration import Vibration
from hil.rig import Rig

PERIOD_S = 3.0
PERIOD_TOLERANCE = 1e-3
WINDOW_S = 1.024
ACCELEROMETER_WINDOW_S = 1.232
"""Two windows at 1.66 kHz, in whole ms of the built-in one."""
HIGHEST_THRESHOLD = 2**32 - 1
WAKES = 2
POWER_ON = 1 << 3
"""BOR among the reset flags (RM0351, RCC_CSR from bit 24 on): set by a power-on and by no reset."""


def test_the_period_is_what_it_was_set_to(
    from_power_on: None,
    rig: Rig,
    daq: Daq,
    acquisitions: Acquisitions,
    rig_accuracy: RigAccuracy,
    measure: Recorder,
) -> None:
    """A counter on marker_active sees the period that SET ordered."""
    with rig.commander() as commander:
        commander.ask("SET", period_ms=round(1000 * PERIOD_S))
    acquisitions.wait_for_wakes(1)
    limit = Limit(
        PERIOD_S * (1 - PERIOD_TOLERANCE),
        PERIOD_S * (1 + PERIOD_TOLERANCE),
        f"SET period_ms, ± {PERIOD_TOLERANCE}",
    )
    worst_s = limit.worst(acquisitions.wake_periods_s(WAKES).tolist())
    measure(
        Measurement.of(
            "wake period set by command",
            Estimate.of(worst_s, rig_accuracy.interval_s(worst_s, acquisitions.longest_interval_s)),
            "s",
            limit,
        )
    )


def test_the_window_is_what_it_was_set_to(
    from_power_on: None,
    rig: Rig,
    image: Image,
    daq: Daq,
    acquisitions: Acquisitions,
    rig_accuracy: RigAccuracy,
    measure: Recorder,
) -> None:
    """With a longer window the device is awake for longer."""
    window_s = ACCELEROMETER_WINDOW_S if image.samples_accelerometer else WINDOW_S
    with rig.commander() as commander:
        commander.ask("SET", window_ms=round(1000 * window_s))
    awake_s = float(acquisitions.wait_for_wakes(WAKES)[-1])
    measure(
        Measurement.of(
            "time awake with the longer window",
            Estimate.of(awake_s, rig_accuracy.interval_s(awake_s, acquisitions.longest_interval_s)),
            "s",
            Limit(window_s, window_s + AWAKE_MAXIMUM_S - WINDOW_S / 2, "SET window_ms, and time to compute"),
        )
    )


def test_the_threshold_decides(
    from_power_on: None,
    rig: Rig,
    daq: Daq,
    console: Console,
    vibration: Vibration,
    acquisitions: Acquisitions,
    measure: Recorder,
) -> None:
    """Above the highest threshold nothing is reported, above the lowest everything."""
    for fault, threshold, reports in (("outer_race", HIGHEST_THRESHOLD, 0), (None, 0, WAKES)):
        vibration.play(fault)
        with rig.commander() as commander:
            commander.ask("SET", threshold=threshold)
        acquisitions.wait_for_wakes(1)
        console.poll()
        before = len(console.records)
        acquisitions.wait_for_wakes(WAKES)
        console.poll()
        seen = sum(record.kind == "ANOM" for record in console.records[before:])
        measure(
            Measurement(
                f"reports at a threshold of {threshold}",
                seen,
                "",
                0,
                Limit.exactly(reports, f"{WAKES} wakes"),
            )
        )


def test_settings_survive_a_reset_and_defaults_bring_back_the_built_in_ones(
    from_power_on: None, rig: Rig, image: Image, console: Console
) -> None:
    """BOOT after RESET tells what was set; after DEFAULTS the STATUS is that of the beginning."""
    names = ("period_ms", "window_ms", "threshold", "plan")
    with rig.commander() as commander:
        built_in = {name: commander.ask("STATUS").integer(name) for name in names}
        changed = {
            "period_ms": 5000,
            "window_ms": 2 * built_in["window_ms"],
            "threshold": built_in["threshold"] + 1,
            "plan": (built_in["plan"] + 1) % 4,
        }
        for name, value in changed.items():
            assert commander.ask("SET", **{name: value}).integer(name) == value
        commander.ask("RESET")
        boot = console.wait_for("BOOT", BOOT_TIMEOUT_S)
        while boot.integer("reset", 16) & POWER_ON:  # that of the start, which nobody has waited for
            boot = console.wait_for("BOOT", BOOT_TIMEOUT_S)
        assert {name: boot.integer(name) for name in names} == changed
        commander.ask("DEFAULTS")
        status = commander.ask("STATUS")
        assert {name: status.integer(name) for name in names} == built_in
