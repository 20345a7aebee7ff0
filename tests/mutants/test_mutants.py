# SPDX-License-Identifier: Apache-2.0
"""Every test in tests/hil fails for a firmware, model or bench that deserves it, and only then.

A mutant is a planted fault. Each is put on a virtual bench of its own, in a run of its own, as a user would;
the tests that must notice it fail, and some that have no reason to fail pass.
"""

import subprocess
import sys
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hil.firmware.build import MODEL_FILE, build
from hil.golden.tflite_model import read_model
from hil.pytest_plugin.power_modes import POWER_MODES
from hil.report.verdicts import BENCH_FAILED
from hil.results import test_log
from hil.results.test_log import TestOutcome

REPOSITORY = Path(__file__).resolve().parents[2]
SIM = REPOSITORY / "rig_configs" / "sim.toml"

BOOT = "test_boot.py::test_boot_record_names_the_released_model"
SUPPLY = "test_boot.py::test_supply_voltage_at_the_board"
SEQUENCE = "test_console.py::test_records_arrive_complete_and_in_sequence"
REPORTS = "test_console.py::test_every_wake_that_sees_a_fault_reports_it_once"
COUNT = "test_counters.py::test_anomaly_count_survives_a_reset"
NORMAL = "test_decisions.py::test_decision[None]"
OUTER_RACE = "test_decisions.py::test_decision[outer_race]"
INNER_RACE = "test_decisions.py::test_decision[inner_race]"
BALL = "test_decisions.py::test_decision[ball]"
IMBALANCE = "test_decisions.py::test_decision[imbalance]"
MISALIGNMENT = "test_decisions.py::test_decision[misalignment]"
LOOSENESS = "test_decisions.py::test_decision[looseness]"
GEAR_WEAR = "test_decisions.py::test_decision[gear_wear]"
TOOTH_CRACK = "test_decisions.py::test_decision[tooth_crack]"
FAULTY = {OUTER_RACE, INNER_RACE, BALL, IMBALANCE, MISALIGNMENT, LOOSENESS, GEAR_WEAR, TOOTH_CRACK}
PERIOD = "test_duty_cycle.py::test_wake_period"
QUIET_PHASES = "test_duty_cycle.py::test_phases_are_all_there[quiet]"
PHASES = "test_duty_cycle.py::test_phases_are_all_there[reporting]"
AVERAGE = "test_duty_cycle.py::test_average_current"
REPORTING_AVERAGE = "test_duty_cycle.py::test_average_current_with_reports"
COIN_CELL = "test_duty_cycle.py::test_battery_life[cr2032_panasonic]"
AA_CELLS = "test_duty_cycle.py::test_battery_life[l91_energizer_pair]"
LOADS = "test_marker_loads.py::test_the_markers_wires_draw_what_the_daq_is_known_to"
NETWORK = "test_inference.py::test_network_is_bit_exact"
WINDOWS = "test_inference.py::test_windows_are_bit_exact"
COUNTER = "test_latency.py::test_latency_by_counter"
CYCLES = "test_latency.py::test_latency_by_cycle_counter_agrees"
CURRENT = "test_latency.py::test_latency_by_current_agrees"
SLEEP = "test_sleep.py::test_stop2_current"
CHEAPEST = "test_clock_plans.py::test_the_default_plan_is_the_cheapest"
INFO = "test_commands.py::test_the_device_says_what_it_is"
REFUSED = "test_commands.py::test_what_is_no_command_is_refused_and_counted"
SELF_TEST = "test_commands.py::test_the_self_test_passes"
INFER = "test_commands.py::test_inference_over_the_console_is_bit_exact"
RUN = "test_commands.py::test_a_duty_cycle_on_demand"
LOG = "test_commands.py::test_resets_are_logged"
FOOTPRINT = "test_footprint.py::test_flash_and_ram_keep_their_budgets"
SET_PERIOD = "test_settings.py::test_the_period_is_what_it_was_set_to"
SET_WINDOW = "test_settings.py::test_the_window_is_what_it_was_set_to"
SET_THRESHOLD = "test_settings.py::test_the_threshold_decides"
SETTINGS_KEPT = "test_settings.py::test_settings_survive_a_reset_and_defaults_bring_back_the_built_in_ones"
MODES = {f"test_low_power_modes.py::test_current_in_mode[{mode.name}]" for mode in POWER_MODES}


@dataclass(frozen=True)
class Mutant:
    """A planted fault, the tests that must fail because of it, and some that must not."""

    name: str
    fails: set[str]
    passes: set[str]
    firmware: str | None = None
    """Planted in the firmware: a name of firmware/src/mutant.h."""
    model: str | None = None
    """Planted in the model: "wrong weight" or "low threshold"."""
    bench: dict[str, str] = field(default_factory=dict)
    """Planted in the virtual bench: keys of [twin] and their TOML values."""
    blamed: set[str] = field(default_factory=set)
    """The tests that must call the bench broken, and say nothing about the device."""


MUTANTS = [
    # The regulator in low-power mode turns Stop 2 into Stop 1; debug support keeps clocks on in Stop 2.
    Mutant("lpr_set", {SLEEP}, {PERIOD, PHASES}, firmware="lpr_set"),
    Mutant("dbgmcu_left_set", {SLEEP}, {PERIOD}, firmware="dbgmcu_left_set"),
    Mutant(
        "no_sleep",
        {SLEEP, QUIET_PHASES, PHASES, AVERAGE, REPORTING_AVERAGE, COIN_CELL, AA_CELLS},
        {REPORTS},
        firmware="no_sleep",
    ),
    Mutant("low_clock", {CYCLES}, {COUNTER, NETWORK, SEQUENCE}, firmware="low_clock"),
    Mutant("costly_plan", {CHEAPEST}, {RUN, FOOTPRINT}, firmware="costly_plan"),
    Mutant("wrong_mode", MODES, {INFO}, firmware="wrong_mode"),
    Mutant(
        "lazy_console",
        {SET_PERIOD, SET_WINDOW, SET_THRESHOLD, SETTINGS_KEPT, RUN},
        {INFO, REFUSED},
        firmware="lazy_console",
    ),
    Mutant("lenient_console", {REFUSED}, {INFO, SELF_TEST, LOG}, firmware="lenient_console"),
    Mutant("wrong_reference", {SELF_TEST}, {INFO, BOOT}, firmware="wrong_reference"),
    Mutant("ballast", {FOOTPRINT}, {BOOT}, firmware="ballast"),
    Mutant("wrong_period", {PERIOD}, {SLEEP, AVERAGE}, firmware="wrong_period"),
    Mutant("counter_lost", {COUNT, SETTINGS_KEPT, LOG}, {REPORTS}, firmware="counter_lost"),
    Mutant(
        "silent",
        {REPORTS, *FAULTY, COUNT, CYCLES},
        {BOOT, NORMAL, COUNTER},
        firmware="silent",
    ),
    Mutant("wrong_seq", {SEQUENCE}, {REPORTS, BOOT}, firmware="wrong_seq"),
    Mutant("slow_inference", {COUNTER, CYCLES, CURRENT}, {WINDOWS}, firmware="slow_inference"),
    Mutant("marker_stuck", {COUNTER, CYCLES, CURRENT}, {PERIOD, BOOT}, firmware="marker_stuck"),
    Mutant("wrong_weight", {BOOT, NETWORK, WINDOWS, INFO, INFER}, {COUNTER, SUPPLY}, model="wrong weight"),
    Mutant("low_threshold", {NORMAL}, {OUTER_RACE, NETWORK, WINDOWS, BOOT}, model="low threshold"),
    Mutant("noisy_wire", {NORMAL, IMBALANCE}, {WINDOWS, BOOT}, bench={"sensor_noise": '"100 mV"'}),
    # The bench proves its wire before it plays a signal: no verdict about the device hangs on an open one.
    Mutant("dead_sensor", set(), {NETWORK}, bench={"wires": "{ sensor = { open = true } }"}, blamed={NORMAL}),
    Mutant(
        "swapped_wires",
        {COUNTER, CYCLES, CURRENT},
        {SLEEP, BOOT},
        bench={"wires": '{ marker_inference = { pin = "PB10" }, marker_active = { pin = "PA8" } }'},
    ),
    # Below the least that the DAQ's input can have: something else hangs on the wire. What it draws is known,
    # and the part's own average stays right.
    Mutant(
        "loaded_marker",
        {LOADS},
        {AVERAGE, COIN_CELL},
        bench={"wires": '{ marker_active = { input_resistance = "10 kohm" } }'},
    ),
    Mutant("hot_bench", {SLEEP}, {PERIOD, COUNTER}, bench={"ambient_temperature": '"85 °C"'}),
    Mutant(
        "wrong_supply",
        {SUPPLY},
        {BOOT},
        # The supply's gain error is drawn within what is stated here; seed 1 draws -0.11 of it, which is
        # -1.5 %. From 2 % on the bench itself refuses to go on.
        bench={"power_analyzer": "{ programming_gain_accuracy = 0.14, programming_offset_accuracy_v = 0.0 }"},
    ),
]


def wrong_weight(folder: Path) -> Path:
    """The released model with one weight of its last layer off by one step."""
    content = bytearray(MODEL_FILE.read_bytes())
    weights = read_model(bytes(content)).layers[-1].weights.tobytes()
    position = content.find(weights)
    assert position >= 0
    assert content.count(weights) == 1
    content[position] = (content[position] + 1) % 256
    assert zlib.crc32(content) != zlib.crc32(MODEL_FILE.read_bytes())
    return _model_in(folder, bytes(content), MODEL_FILE.with_name("threshold.h").read_text("utf-8"))


def low_threshold(folder: Path) -> Path:
    """The released model with a threshold that normal running exceeds (its scores begin near 200)."""
    return _model_in(folder, MODEL_FILE.read_bytes(), "#define HIL_ANOMALY_THRESHOLD 50u\n")


def _model_in(folder: Path, content: bytes, threshold_header: str) -> Path:
    path = folder / "model.tflite"
    path.write_bytes(content)
    (folder / "threshold.h").write_text(threshold_header, "utf-8")
    return path


MODELS = {"wrong weight": wrong_weight, "low threshold": low_threshold}


def rig_file(folder: Path, bench: dict[str, str]) -> Path:
    """The virtual bench's configuration with a fault planted in it."""
    text = SIM.read_text("utf-8")
    assert text.count("\n[twin]\n") == 1
    planted = "".join(f"{key} = {value}\n" for key, value in bench.items())
    path = folder / "rig.toml"
    path.write_text(text.replace("\n[twin]\n", f"\n[twin]\n{planted}"), "utf-8")
    return path


def run_pytest(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=240, check=False)


@pytest.mark.short_form(6)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant_is_noticed(mutant: Mutant, tmp_path: Path) -> None:
    model = MODELS[mutant.model](tmp_path) if mutant.model else None
    image = build(model=model, mutant=mutant.firmware, build_dir=tmp_path / "build")
    run = run_pytest(
        f"--rig={rig_file(tmp_path, mutant.bench)}",
        f"--firmware={image}",
        f"--hil-model={MODEL_FILE}",
        f"--results={tmp_path / 'results'}",
        *(f"tests/hil/{test}" for test in sorted(mutant.fails | mutant.passes | mutant.blamed)),
    )
    expected = BENCH_FAILED if mutant.blamed else pytest.ExitCode.TESTS_FAILED
    assert run.returncode == expected, run.stdout + run.stderr
    (folder,) = (tmp_path / "results").iterdir()
    record = test_log.read(folder / "tests.jsonl")
    outcomes = {verdict.name.removeprefix("tests/hil/"): verdict for verdict in record.tests}

    def named(outcome: TestOutcome) -> set[str]:
        return {name for name, verdict in outcomes.items() if verdict.outcome is outcome}

    found = (named(TestOutcome.FAILED), named(TestOutcome.PASSED), named(TestOutcome.BENCH_ERROR))
    assert found == (mutant.fails, mutant.passes, mutant.blamed), {
        name: verdict.message for name, verdict in outcomes.items()
    }


def test_every_test_of_the_suite_is_failed_by_a_mutant() -> None:
    listed = run_pytest("--rig=sim", "--collect-only", "-q", "tests/hil")
    collected = {
        line.removeprefix("tests/hil/")
        for line in listed.stdout.splitlines()
        if line.startswith("tests/hil/")
    }
    assert collected
    assert collected == set().union(*(mutant.fails for mutant in MUTANTS))
