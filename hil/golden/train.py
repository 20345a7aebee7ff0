# SPDX-License-Identifier: Apache-2.0
"""Trains the firmware's anomaly detector: `python -m hil.golden.train [--out firmware/model]`.

Writes anomaly.tflite, threshold.h and model_card.json. The same setup gives the same bytes on the same kind
of machine; another CPU may round a cosine differently and so train another, equally good model. The committed
files are what the firmware is built from and what the tests judge.
"""

from __future__ import annotations

import argparse
import json
import math
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hil.golden import autoencoder, quantize
from hil.golden.analog_path import AnalogPath
from hil.golden.features import (
    BAND_COUNT,
    INPUT_SCALE,
    INPUT_ZERO_POINT,
    SAMPLE_RATE_HZ,
    WINDOW_SAMPLES,
    features,
)
from hil.golden.reference import run_model
from hil.golden.signals import BIAS_V, FAULTS, adc_codes
from hil.golden.tflite_model import Model
from hil.golden.tflite_writer import write_model
from hil.golden.threshold import threshold_header
from hil.golden.windows import BUFFER_RATE_HZ, BUFFER_S, machine_windows

LAYER_SIZES = (BAND_COUNT, 8, 8, BAND_COUNT)
SEVERITIES = (0.25, 0.5, 1.0)
THRESHOLD_MARGIN = 1.5
"""The threshold is this many times the greatest score of the validation windows (a choice: it leaves normal
windows below 0.7 of it and faults of severity 0.5 above twice it)."""

_DEFAULT_OUT = Path("firmware/model")
# Seeds of the machines; the sets are disjoint.
_TRAIN_SEED, _VALIDATION_SEED, _TEST_SEED, _FAULT_SEED = 10_000, 20_000, 30_000, 40_000


@dataclass(frozen=True)
class Setup:
    """How much data and work go into a training; each machine is one buffer of its own seed."""

    train_machines: int = 300
    validation_machines: int = 200
    test_machines: int = 200
    fault_machines: int = 40
    windows_per_machine: int = 12
    epochs: int = 200
    seed: int = 1


@dataclass(frozen=True)
class Trained:
    """A trained detector: the three files' contents."""

    model_bytes: bytes
    threshold: int
    card: dict[str, object]

    def write(self, folder: Path) -> None:
        """Writes anomaly.tflite, threshold.h and model_card.json into `folder`, which is made if missing."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "anomaly.tflite").write_bytes(self.model_bytes)
        header = threshold_header(self.threshold)
        (folder / "threshold.h").write_text(header, encoding="utf-8", newline="\n")
        card = json.dumps(self.card, indent=2) + "\n"
        (folder / "model_card.json").write_text(card, encoding="utf-8", newline="\n")


def train(setup: Setup) -> Trained:
    """Trains, quantises and judges the detector of `setup`."""
    per_machine = setup.windows_per_machine
    training = _inputs(_TRAIN_SEED, setup.train_machines, per_machine)
    samples = (training.astype(np.float64) - INPUT_ZERO_POINT) * INPUT_SCALE
    layers = autoencoder.train(samples, LAYER_SIZES, setup.epochs, setup.seed)
    model = quantize.quantize(layers, samples, "hil-rig vibration anomaly autoencoder 32-8-8-32 int8")
    model_bytes = write_model(model)

    validation = _scores(model, _inputs(_VALIDATION_SEED, setup.validation_machines, per_machine))
    threshold = math.ceil(THRESHOLD_MARGIN * int(validation.max()))
    test = _scores(model, _inputs(_TEST_SEED, setup.test_machines, per_machine))
    card: dict[str, object] = {
        "model": {
            "file": "anomaly.tflite",
            "bytes": len(model_bytes),
            "crc32": f"{zlib.crc32(model_bytes):08x}",
            "layers": list(LAYER_SIZES),
            "parameters": sum(layer.weights.size + layer.bias.size for layer in model.layers),
            "quantisation": "int8 per tensor, after training; input and output scale 0.125, zero point -128",
        },
        "setup": asdict(setup),
        "data": {
            "source": "hil.golden.signals through hil.golden.analog_path",
            "buffer_s": BUFFER_S,
            "buffer_rate_hz": BUFFER_RATE_HZ,
            "sample_rate_hz": SAMPLE_RATE_HZ,
            "window_samples": WINDOW_SAMPLES,
            "analog_path": asdict(AnalogPath()),
            "first_seeds": {
                "train": _TRAIN_SEED,
                "validation": _VALIDATION_SEED,
                "test": _TEST_SEED,
                "faults": _FAULT_SEED,
            },
        },
        "threshold": {
            "value": threshold,
            "rule": f"{THRESHOLD_MARGIN} x the greatest score of the validation windows, rounded up",
            "validation_windows": int(validation.size),
            "false_alarm_rate_at_most_95_percent": _significant(_rule_of_three(test, threshold)),
            "false_alarm_rate_estimate": _significant(_tail(validation, threshold)),
        },
        "normal_test_scores": _summary(test, threshold),
        "faults": {fault: _fault_card(model, fault, setup, test, threshold) for fault in FAULTS},
        "dead_sensor_scores": _dead_sensor_scores(model),
    }
    return Trained(model_bytes, threshold, card)


def _inputs(
    first_seed: int, machines: int, per_machine: int, fault: str | None = None, severity: float = 0.0
) -> npt.NDArray[np.int8]:
    return features(machine_windows(range(first_seed, first_seed + machines), per_machine, fault, severity))


def _scores(model: Model, inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
    difference = inputs.astype(np.int64) - run_model(model, inputs)
    return np.asarray((difference**2).sum(axis=1))


def _summary(scores: npt.NDArray[np.int64], threshold: int) -> dict[str, object]:
    return {
        "windows": int(scores.size),
        "minimum": int(scores.min()),
        "median": int(np.median(scores)),
        "maximum": int(scores.max()),
        "minimum_per_threshold": round(float(scores.min()) / threshold, 3),
        "maximum_per_threshold": round(float(scores.max()) / threshold, 3),
        "share_above_threshold": round(float((scores > threshold).mean()), 5),
    }


def _fault_card(
    model: Model, fault: str, setup: Setup, normal: npt.NDArray[np.int64], threshold: int
) -> dict[str, object]:
    card: dict[str, object] = {}
    for severity in SEVERITIES:
        inputs = _inputs(_FAULT_SEED, setup.fault_machines, setup.windows_per_machine, fault, severity)
        scores = _scores(model, inputs)
        card[str(severity)] = {"auc": round(_auc(normal, scores), 6), **_summary(scores, threshold)}
    return card


def _auc(normal: npt.NDArray[np.int64], faulty: npt.NDArray[np.int64]) -> float:
    """Probability that a faulty window scores above a normal one (ties count half)."""
    ordered = np.sort(normal)
    below = np.searchsorted(ordered, faulty, side="left")
    not_above = np.searchsorted(ordered, faulty, side="right")
    return float((below + not_above).mean() / (2 * ordered.size))


def _rule_of_three(scores: npt.NDArray[np.int64], threshold: int) -> float | None:
    """Upper 95 % bound of the false-alarm rate if no window of `scores` is above: 3 / n; else None.

    Windows of one machine share its load and phases, so n overstates the evidence somewhat.
    """
    return None if (scores > threshold).any() else 3.0 / scores.size


def _tail(scores: npt.NDArray[np.int64], threshold: int) -> float:
    """Share of normal windows above the threshold, if the cube root of the scores is normally distributed.

    Wilson and Hilferty (1931) for sums of squares; an extrapolation, not a measurement.
    """
    roots = np.cbrt(scores.astype(np.float64))
    deviations = (threshold ** (1 / 3) - float(roots.mean())) / float(roots.std())
    return 0.5 * math.erfc(deviations / math.sqrt(2.0))


def _significant(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.2g}")


def _dead_sensor_scores(model: Model) -> dict[str, int]:
    """Scores of a pin that does not move: the sensor's bias, ground and supply, by a noiseless ADC."""
    levels_v = {"stuck_at_bias": BIAS_V, "stuck_at_ground": 0.0, "stuck_at_supply": 3.0}
    codes = adc_codes(np.repeat(np.array(list(levels_v.values()))[:, np.newaxis], WINDOW_SAMPLES, axis=1))
    return dict(zip(levels_v, _scores(model, features(codes)).tolist(), strict=True))


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line: trains with the default setup and writes the files."""
    parser = argparse.ArgumentParser(
        prog="python -m hil.golden.train", description="Train the anomaly detector."
    )
    parser.add_argument(
        "--out", type=Path, default=_DEFAULT_OUT, help="folder for the files (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    trained = train(Setup())
    trained.write(options.out)
    print(f"{options.out}: {len(trained.model_bytes)} bytes, threshold {trained.threshold}")


if __name__ == "__main__":
    main()
