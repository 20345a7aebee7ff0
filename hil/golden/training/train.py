# SPDX-License-Identifier: Apache-2.0
"""Trains, quantises and judges an anomaly detector.

The network and the threshold come from normal windows alone: whatever faults a data set has, neither sees
one. The same data and options give the same bytes on the same kind of machine, however many threads; another
CPU or numpy may round a cosine differently and so train another, equally good model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hil.errors import ModelError
from hil.golden.data.dataset import Advance, Dataset, Group, inputs_of
from hil.golden.features import BAND_COUNT, INPUT_SCALE, INPUT_ZERO_POINT
from hil.golden.run_model import run_model
from hil.golden.tflite_model import Model
from hil.golden.tflite_writer import write_model
from hil.golden.training import autoencoder, card, page, quantize
from hil.golden.training.false_alarms import MINIMUM_WINDOWS, choose_threshold
from hil.golden.training.threshold import threshold_header

MODEL_FILE, HEADER_FILE, CARD_FILE, PAGE_FILE = (
    "anomaly.tflite",
    "threshold.h",
    "model_card.json",
    "MODEL_CARD.md",
)
HIDDEN = (8, 8)
MINIMUM_TRAINING_WINDOWS = 200
"""Fewer cannot tell 624 parameters what is normal (a choice)."""

_THRESHOLD_STREAM, _CARD_STREAM = 11, 12


@dataclass(frozen=True)
class Options:
    """What a training is asked for, beside its data."""

    seed: int = 1
    epochs: int = 200
    false_alarms_per_window: float = 1 / 60_480
    """Accepted; the default is one a week at a period of 10 s."""
    period_s: float = 10.0
    """Between two windows of the deployed part: turns rates per window into rates per week."""
    per_channel: bool = False
    """One weight scale for each output instead of one for each layer."""


@dataclass(frozen=True)
class Trained:
    """A trained detector: the contents of its files."""

    model: Model
    model_bytes: bytes
    threshold: int
    card: dict[str, object]

    def write(self, folder: Path) -> None:
        """Write the network, the threshold's header and the card into `folder`, which is made if missing.

        Raises:
            ModelError: the folder cannot be written.
        """
        texts = {
            HEADER_FILE: threshold_header(self.threshold),
            CARD_FILE: card.as_json(self.card),
            PAGE_FILE: page.markdown(self.card),
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / MODEL_FILE).write_bytes(self.model_bytes)
            for name, text in texts.items():
                (folder / name).write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise ModelError(
                error.strerror or str(error), where=str(error.filename or folder), operation="write the model"
            ) from error


def train(data: Dataset, options: Options | None = None, advance: Advance | None = None) -> Trained:
    """Train a detector on `data`.

    Raises:
        ModelError: too few windows of normal running.
    """
    options = options or Options()
    _check(data)

    def tell(what: str, share: float) -> None:
        if advance is not None:
            advance(what, share)

    samples = (inputs_of(data.training).astype(np.float64) - INPUT_ZERO_POINT) * INPUT_SCALE
    layers = autoencoder.train(
        samples,
        (BAND_COUNT, *HIDDEN, BAND_COUNT),
        options.epochs,
        options.seed,
        lambda share: tell("training the network", share),
    )
    tell("quantising", 0.0)
    description = f"hil-rig vibration anomaly autoencoder 32-{HIDDEN[0]}-{HIDDEN[1]}-32 int8"
    model = quantize.quantize(layers, samples, description, per_channel=options.per_channel)
    model_bytes = write_model(model)

    tell("choosing the threshold", 0.0)
    threshold = choose_threshold(
        [scores(model, group.inputs) for group in data.threshold],
        options.false_alarms_per_window,
        np.random.default_rng([options.seed, _THRESHOLD_STREAM]),
    )
    tell("judging", 0.0)
    rng = np.random.default_rng([options.seed, _CARD_STREAM])
    contents = card.card(
        data=data,
        model=model,
        model_bytes=model_bytes,
        tensors=autoencoder.activations(layers, samples),
        threshold=threshold,
        score=lambda group: scores(model, group.inputs),
        training={
            "seed": options.seed,
            "epochs": options.epochs,
            "optimiser": "Adam, batches of 128, learning rate 3e-3 falling to 0 along a cosine",
            "loss": "mean squared error of the features",
        },
        period_s=options.period_s,
        rng=rng,
    )
    return Trained(model, model_bytes, threshold.value, contents)


def scores(model: Model, inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
    """The anomaly score of each row of features: the sum of (input - output) squared, in LSB squared."""
    difference = inputs.astype(np.int64) - run_model(model, inputs)
    return np.asarray((difference**2).sum(axis=1))


def _check(data: Dataset) -> None:
    minimum = {"training": MINIMUM_TRAINING_WINDOWS, "threshold": MINIMUM_WINDOWS, "test": MINIMUM_WINDOWS}
    for part, wanted in minimum.items():
        groups: list[Group] = list(getattr(data, part))
        found = sum(len(group.inputs) for group in groups)
        if found < wanted:
            raise ModelError(
                f"{found} windows of normal running for {part}",
                where=str(data.source.get("folder", data.source.get("kind", "data"))),
                operation="train",
                expected=f"at least {wanted}",
                hint="record normal running for longer: about 5 minutes are enough",
            )
