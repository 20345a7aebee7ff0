# SPDX-License-Identifier: Apache-2.0
"""The network and its features on the part, against the golden interpreter, to the bit.

Tensors and windows go in through the mailbox, so nothing analog comes between.
"""

import numpy as np
from numpy.typing import NDArray

from hil.firmware.image import Image
from hil.golden.data.faults import FAULTS
from hil.golden.data.windows import machine_windows
from hil.golden.features import WINDOW_SAMPLES, features
from hil.golden.interpreter import GoldenInterpreter
from hil.golden.vectors import vectors_for
from hil.instruments.protocols import Board
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.pytest_plugin.progress import Progress
from hil.pytest_plugin.recording import Recorder
from hil.pytest_plugin.vibration import MACHINE_SEED
from hil.rig import Rig

VECTOR_COUNT = 240
"""At least 200 are asked for."""
WINDOWS_PER_SIGNAL = 8
"""Two are too few to notice one weight of the network that is off by one (tests/mutants, wrong_weight)."""


def windows() -> NDArray[np.uint16]:
    """Windows of ADC codes: every kind of signal, and what a broken sensor gives."""
    machines = [
        machine_windows([MACHINE_SEED], WINDOWS_PER_SIGNAL, fault, 0.0 if fault is None else 0.6)
        for fault in (None, *FAULTS)
    ]
    square = np.where(np.arange(WINDOW_SAMPLES) % 2, 4095, 0)  # the largest energy that there is
    extreme = [np.zeros(WINDOW_SAMPLES), np.full(WINDOW_SAMPLES, 4095), square]
    return np.concatenate([*machines, np.array(extreme)]).astype(np.uint16)


def differing_rows(answered: list[NDArray[np.int8]], expected: NDArray[np.int8]) -> int:
    """How many rows are not equal to the bit."""
    return int(np.count_nonzero((np.array(answered) != expected).any(axis=1)))


def test_network_is_bit_exact(
    rig: Rig, board: Board, image: Image, golden: GoldenInterpreter, progress: Progress, measure: Recorder
) -> None:
    """The network's outputs and scores are the golden interpreter's, for over 200 input tensors."""
    inputs = vectors_for(golden.model, VECTOR_COUNT, seed=MACHINE_SEED)
    with (
        progress.step(f"{len(inputs)} vectors through the mailbox") as advance,
        rig.mailbox(image) as mailbox,
    ):
        answers = []
        for number, vector in enumerate(inputs, start=1):
            answers.append(mailbox.infer(vector))
            advance(number / len(inputs))
    outputs = differing_rows([answer.output for answer in answers], golden.infer(inputs))
    scores = int(np.count_nonzero(np.array([answer.score for answer in answers]) != golden.score(inputs)))
    source = f"golden interpreter {golden.name} {golden.version}, {len(inputs)} vectors"
    measure(
        Measurement("vectors whose output differs", outputs, "", 0, Limit.exactly(0, source)),
        Measurement("vectors whose score differs", scores, "", 0, Limit.exactly(0, source)),
    )


def test_windows_are_bit_exact(
    rig: Rig,
    board: Board,
    image: Image,
    front_end: None,
    golden: GoldenInterpreter,
    progress: Progress,
    measure: Recorder,
) -> None:
    """Features, outputs and scores of windows of ADC codes are the golden model's."""
    codes = windows()
    with progress.step(f"{len(codes)} windows through the mailbox"), rig.mailbox(image) as mailbox:
        answers = [mailbox.process(window) for window in codes]
    inputs = features(codes)
    wrong_features = differing_rows([answer.input for answer in answers], inputs)
    wrong_outputs = differing_rows([answer.output for answer in answers], golden.infer(inputs))
    wrong_scores = int(
        np.count_nonzero(np.array([answer.score for answer in answers]) != golden.score(inputs))
    )
    source = f"golden features and interpreter {golden.name} {golden.version}, {len(codes)} windows"
    measure(
        Measurement("windows whose features differ", wrong_features, "", 0, Limit.exactly(0, source)),
        Measurement("windows whose output differs", wrong_outputs, "", 0, Limit.exactly(0, source)),
        Measurement("windows whose score differs", wrong_scores, "", 0, Limit.exactly(0, source)),
    )
