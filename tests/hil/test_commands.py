# SPDX-License-Identifier: Apache-2.0
"""Commands over the console: each is answered once, and what is no command is refused and counted."""

import numpy as np
import pytest

from hil.errors import CommandError
from hil.firmware.protocol import errors
from hil.golden.interpreter import GoldenInterpreter
from hil.golden.vectors import vectors_for
from hil.instruments.commander import Commander
from hil.instruments.protocols import Console
from hil.instruments.records import SEQUENCE_MAX, Record, command_line
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.pytest_plugin.acquisitions import BOOT_TIMEOUT_S
from hil.pytest_plugin.recording import Recorder
from hil.pytest_plugin.reference_model import ReferenceModel
from hil.pytest_plugin.vibration import MACHINE_SEED
from hil.rig import Rig

VECTORS = 40
LINE_VALUES = 35
"""So many int8 fit a command's value: COMMAND_VALUE_CAPACITY of firmware/src/command.h."""
CORRUPT, UNKNOWN, FIELD, RANGE = (
    errors()[f"COMMAND_{name}"][0] for name in ("CORRUPT", "UNKNOWN", "FIELD", "RANGE")
)
SOFTWARE_RESET, INDEPENDENT_WATCHDOG, WINDOW_WATCHDOG, POWER_ON = 1 << 4, 1 << 5, 1 << 6, 1 << 3
"""Reset flags (RM0351, RCC_CSR from bit 24 on)."""


def boot_after_reset(console: Console) -> Record:
    """The BOOT that a reset gave; that of the power-on may not have been taken yet."""
    boot = console.wait_for("BOOT", BOOT_TIMEOUT_S)
    while boot.integer("reset", 16) & POWER_ON:
        boot = console.wait_for("BOOT", BOOT_TIMEOUT_S)
    return boot


def test_the_device_says_what_it_is(from_power_on: None, rig: Rig, model: ReferenceModel) -> None:
    """INFO names the model and the protocol that these tests speak."""
    with rig.commander() as commander:
        info = commander.ask("INFO")
    assert f"{info.integer('model', 16):08x}" == f"{model.crc32:08x}"
    assert info.integer("proto") == 1


def refusal(commander: Commander, line: bytes, seq: int) -> int:
    """The number of the error with which a line is refused."""
    with pytest.raises(CommandError) as caught:
        commander.exchange(line, seq)
    return caught.value.number


def test_what_is_no_command_is_refused_and_counted(from_power_on: None, rig: Rig, measure: Recorder) -> None:
    """A flipped bit, an unknown verb, an unknown key and a value out of range: each has its own error."""
    flipped = bytearray(command_line(900, "SET", {"period_ms": 4000}))
    flipped[-7] ^= 1  # in the last digit of the value: a period of 4001 ms would be out of range, not corrupt
    wrong = [
        (bytes(flipped), SEQUENCE_MAX, CORRUPT),
        (command_line(901, "FROBNICATE", {}), 901, UNKNOWN),
        (command_line(902, "SET", {"colour": 1}), 902, FIELD),
        (command_line(903, "SET", {"period_ms": 999}), 903, RANGE),
        (command_line(904, "SET", {"plan": 4}), 904, RANGE),
    ]
    with rig.commander() as commander:
        before = commander.ask("STATUS")
        numbers = [refusal(commander, line, seq) for line, seq, _ in wrong]
        after = commander.ask("STATUS")
    assert numbers == [number for _, _, number in wrong]
    assert after.integer("period_ms") == before.integer("period_ms")
    measure(
        Measurement(
            "refused commands counted",
            after.integer("bad_commands") - before.integer("bad_commands"),
            "",
            0,
            Limit.exactly(len(wrong), "as many as were sent"),
        ),
        Measurement(
            "answers to nobody", commander.stray_answers, "", 0, Limit.exactly(0, "one answer per command")
        ),
    )


def test_the_self_test_passes(from_power_on: None, rig: Rig) -> None:
    """TEST finds nothing wrong with RAM, flash, model, clock and ADC."""
    with rig.commander() as commander:
        answer = commander.ask("TEST")
    parts = ("ram", "flash", "model", "clock", "adc")
    assert {part: answer.integer(part) for part in parts} == dict.fromkeys(parts, 1)


def test_inference_over_the_console_is_bit_exact(
    from_power_on: None, rig: Rig, golden: GoldenInterpreter, measure: Recorder
) -> None:
    """INFER answers what the golden interpreter does."""
    if golden.model.input_size > LINE_VALUES:
        pytest.skip(f"a command's line has no room for {golden.model.input_size} values")
    inputs = vectors_for(golden.model, VECTORS, seed=MACHINE_SEED + 1)
    with rig.commander() as commander:
        answers = [commander.ask("INFER", **{"in": vector.tobytes().hex()}) for vector in inputs]
    outputs = np.array(
        [np.frombuffer(bytes.fromhex(answer.record.fields["out"]), dtype=np.int8) for answer in answers]
    )
    scores = np.array([answer.integer("score") for answer in answers])
    source = f"golden interpreter {golden.name} {golden.version}, {VECTORS} vectors"
    wrong = int(np.count_nonzero((outputs != golden.infer(inputs)).any(axis=1)))
    wrong_scores = int(np.count_nonzero(scores != golden.score(inputs)))
    measure(
        Measurement("vectors whose output over the console differs", wrong, "", 0, Limit.exactly(0, source)),
        Measurement(
            "vectors whose score over the console differs", wrong_scores, "", 0, Limit.exactly(0, source)
        ),
    )


def test_a_duty_cycle_on_demand(from_power_on: None, rig: Rig, measure: Recorder) -> None:
    """RUN samples and judges a window at once."""
    with rig.commander() as commander:
        before = commander.ask("STATUS").integer("wakes")
        answer = commander.ask("RUN")
        status = commander.ask("STATUS")
    assert answer.integer("score") == status.integer("score")
    assert answer.integer("cycles") > 0
    measure(
        Measurement(
            "duty cycles that RUN added", status.integer("wakes") - before, "", 0, Limit.exactly(1, "RUN")
        )
    )


def test_resets_are_logged(from_power_on: None, rig: Rig, console: Console) -> None:
    """RESET and a watchdog reset are told by BOOT and stand in the log, the latest last."""
    with rig.commander() as commander:
        commander.ask("RESET")
        assert boot_after_reset(console).integer("reset", 16) & SOFTWARE_RESET
        commander.ask("WDTEST")
        watchdog = boot_after_reset(console).integer("reset", 16)
        assert watchdog & (INDEPENDENT_WATCHDOG | WINDOW_WATCHDOG)
        log = commander.ask("LOG")
    entries = [record for record in log.before if record.kind == "LOGE"]
    assert log.integer("entries") == len(entries)
    assert [entry.integer("i") for entry in entries] == list(range(len(entries)))
    power_on, software, last = (entry.integer("reset", 16) for entry in entries[-3:])
    assert power_on & POWER_ON
    assert software & SOFTWARE_RESET
    assert last == watchdog
