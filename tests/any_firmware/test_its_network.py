# SPDX-License-Identifier: Apache-2.0
"""The network of any firmware that has the mailbox: its answers against the golden ones, and its cycles.

The mailbox is two C files (docs/mailbox.md). Where it is missing, or a network to compare with, a test is
skipped and says so.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from hil.firmware.image import NO_MAILBOX, Image
from hil.golden.interpreter import GoldenInterpreter
from hil.instruments.protocols import Board
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.pytest_plugin.recording import Recorder
from hil.rig import Mailbox, MailboxResult, Rig

VECTORS = 24
SEED = 5
ADVICE = (
    "it has no mailbox; to test its network, add the files of `hil firmware mailbox FOLDER` (docs/mailbox.md)"
    ", or say in hil.toml where it is: [firmware] mailbox"
)


@pytest.fixture(scope="module")
def answers(rig: Rig, board: Board, image: Image) -> list[MailboxResult]:
    """What the network makes of random tensors of its own length and type; the first is asked twice."""
    if image.mailbox is None:
        pytest.skip('hil.toml says mailbox = "none"' if image.mailbox_name == NO_MAILBOX else ADVICE)
    with rig.mailbox(image) as mailbox:
        vectors = random_vectors(mailbox)
        return [mailbox.infer(vector) for vector in (*vectors, vectors[0])]


def random_vectors(mailbox: Mailbox) -> list[NDArray[np.generic]]:
    """Over the whole range of an integer type; of floats, between -1 and 1."""
    generator = np.random.default_rng(SEED)
    shape, dtype = (VECTORS, mailbox.input.size), mailbox.input.dtype
    if np.issubdtype(dtype, np.floating):
        return list(generator.uniform(-1, 1, shape).astype(dtype))
    bounds = np.iinfo(dtype)  # type: ignore[type-var]
    return list(generator.integers(bounds.min, bounds.max, shape, dtype, endpoint=True))


def test_it_answers_and_counts(answers: list[MailboxResult], measure: Recorder) -> None:
    """The same tensor has the same answer after others, and an inference takes cycles."""
    first, last = answers[0], answers[-1]
    assert np.array_equal(first.output, last.output), f"seed {SEED}: one tensor had two answers"
    cycles = [answer.cycles for answer in answers]
    if not any(cycles):
        pytest.skip("it counts no cycles: its core has no counter (a Cortex-M0+), or it says 0")
    measure(Measurement("cycles per inference, the most", max(cycles), "", 0, headline=True))


def test_it_is_bit_exact(answers: list[MailboxResult], golden: GoldenInterpreter, measure: Recorder) -> None:
    """Every output is the golden interpreter's."""
    inputs = np.array([answer.input for answer in answers[:VECTORS]])
    if inputs.shape[1] != golden.model.input_size or inputs.dtype != golden.model.input_dtype:
        pytest.fail(
            f"the mailbox takes {inputs.shape[1]} values of {inputs.dtype}, its network "
            f"{golden.model.input_size} of {golden.model.input_dtype}",
            pytrace=False,
        )
    outputs = np.array([answer.output for answer in answers[:VECTORS]])
    expected = golden.infer(inputs)
    if outputs.shape != expected.shape:
        pytest.fail(f"it gives {outputs.shape[1]} values, the network {expected.shape[1]}", pytrace=False)
    differing = int(np.count_nonzero((outputs != expected).any(axis=1)))
    source = f"golden interpreter {golden.name} {golden.version}, {VECTORS} vectors, seed {SEED}"
    measure(Measurement("vectors whose output differs", differing, "", 0, Limit.exactly(0, source)))
