# SPDX-License-Identifier: Apache-2.0
"""The model card: what a detector was made from, what it is, and how well it does its work."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.golden.data.analog_path import WINDOW_S, adc_codes
from hil.golden.data.dataset import Dataset, Group
from hil.golden.data.sensor import SENSOR
from hil.golden.features import WINDOW_SAMPLES, features
from hil.golden.tflite_model import FullyConnected, Model
from hil.golden.training.auc import CONFIDENCE, RESAMPLES, Scores, auc
from hil.golden.training.false_alarms import CARRIED_MOST, Threshold, rates_by_group, windows_per_week

Score = Callable[[Group], Scores]
Section = dict[str, Any]

MISSED_AUC, MISSED_SHARE = 0.99, 0.5
"""A fault that the scores tell apart so well and the threshold detects so seldom is missed (a choice)."""


def card(
    *,
    data: Dataset,
    model: Model,
    model_bytes: bytes,
    tensors: Sequence[npt.NDArray[np.float64]],
    threshold: Threshold,
    score: Score,
    training: Section,
    period_s: float,
    rng: np.random.Generator,
) -> dict[str, object]:
    """The card's contents.

    Args:
        data: what it was made from and is judged on.
        model: the network.
        model_bytes: its file.
        tensors: the float network's input and each layer's output, over the training windows.
        threshold: the threshold and its tail.
        score: gives the scores of a group's windows.
        training: how the network was trained.
        period_s: between two windows of the deployed part.
        rng: draws the resamples of the intervals.
    """
    normal = [score(group) for group in data.test]
    faulty = {
        fault: {severity: [score(group) for group in groups] for severity, groups in by_severity.items()}
        for fault, by_severity in data.faults.items()
    }
    contents: Section = {
        "model": {
            "file": "anomaly.tflite",
            "bytes": len(model_bytes),
            "crc32": f"{zlib.crc32(model_bytes):08x}",
            "description": model.description,
            "parameters": sum(layer.weights.size + layer.bias.size for layer in model.layers),
            "multiply_accumulates": sum(layer.weights.size for layer in model.layers),
            "layers": _layers(model, tensors),
        },
        "training": training,
        "data": {**data.source, "group": data.group_is, **_counts(data)},
        "threshold": _threshold(threshold, normal, period_s),
        "detection": {
            "faults_seen_by_training_or_threshold": "none: both use normal running alone",
            "confidence": CONFIDENCE,
            "interval": f"bootstrap of {RESAMPLES} resamples by {data.group_is}",
            "by_severity": {
                severity: _detection(normal, [faulty[fault][severity] for fault in faulty], threshold, rng)
                for severity in _severities(data)
            },
            "by_fault": {
                fault: {
                    severity: _detection(normal, [groups], threshold, rng)
                    for severity, groups in by_severity.items()
                }
                for fault, by_severity in faulty.items()
            },
        },
        "dead_sensor_scores": _dead_sensor_scores(score),
    }
    contents["warnings"] = [*data.source.get("warnings", []), *warnings(contents, threshold)]
    return contents


def warnings(contents: Section, threshold: Threshold) -> list[str]:
    """What a user must know before relying on the detector, a sentence each."""
    told = []
    section = contents["threshold"]
    if not threshold.extrapolated:
        count = contents["data"]["threshold"]["windows"]
        told.append(
            f"{count} windows do not carry a threshold for {section['false_alarms_per_week']['wanted']:g} "
            "false alarms a week: it is taken from the middle of the scores, and counting bounds the rate"
        )
    highest = section["checked_on_test"]["maximum"]
    if section["value"] > CARRIED_MOST * highest:
        told.append(
            f"the threshold of {section['value']} is {section['value'] / max(highest, 1):.1f} times the "
            f"highest normal score in the test, {highest}"
        )
    above = section["checked_on_test"]["windows_above"]
    if above:
        told.append(
            f"{above} of {section['checked_on_test']['windows']} normal test windows are above the threshold"
        )
    for fault, by_severity in contents["detection"]["by_fault"].items():
        for severity, found in by_severity.items():
            if found["auc"] > MISSED_AUC and found["detected"] < MISSED_SHARE:
                told.append(
                    f"{fault}, {severity}: the scores tell it apart (AUC {found['auc']:.4f}), but at this "
                    f"threshold only {100 * found['detected']:.0f} % of it are detected"
                )
    return told


def as_json(contents: dict[str, object]) -> str:
    """The card as a JSON text."""
    return json.dumps(contents, indent=2, ensure_ascii=False) + "\n"


def significant(value: float, digits: int = 3) -> float:
    """`value` with so many digits that more would pretend to know."""
    return float(f"{value:.{digits}g}")


def _severities(data: Dataset) -> list[str]:
    return list(dict.fromkeys(severity for by_severity in data.faults.values() for severity in by_severity))


def _counts(data: Dataset) -> Section:
    parts = {"training": data.training, "threshold": data.threshold, "test": data.test}
    counts: Section = {
        name: {"groups": len(groups), "windows": sum(len(group.inputs) for group in groups)}
        for name, groups in parts.items()
    }
    counts["faults"] = {
        fault: {
            severity: {"groups": len(groups), "windows": sum(len(group.inputs) for group in groups)}
            for severity, groups in by_severity.items()
        }
        for fault, by_severity in data.faults.items()
    }
    return counts


def _layers(model: Model, tensors: Sequence[npt.NDArray[np.float64]]) -> list[Section]:
    return [
        {
            "operator": "FULLY_CONNECTED",
            "activation": layer.activation.name,
            "inputs": layer.input_size,
            "outputs": layer.output_size,
            "multiply_accumulates": layer.weights.size,
            "weights": {
                "largest": significant(_largest_weight(layer)),
                "scales": "per channel" if layer.per_channel else "per tensor",
                "scale": [significant(float(scale), 6) for scale in layer.weight_scales],
            },
            "output": {
                "minimum": significant(float(tensor.min())),
                "maximum": significant(float(tensor.max())),
                "scale": significant(layer.output_scale, 6),
                "zero_point": layer.output_zero_point,
            },
        }
        for layer, tensor in zip(model.layers, tensors[1:], strict=True)
    ]


def _largest_weight(layer: FullyConnected) -> float:
    real = layer.weights.astype(np.float64) * layer.weight_scales.astype(np.float64).reshape(-1, 1)
    return float(np.abs(real).max())


def _threshold(threshold: Threshold, normal: Sequence[Scores], period_s: float) -> Section:
    per_week = windows_per_week(period_s)
    above = sum(int((scores > threshold.value).sum()) for scores in normal)
    alone = np.sort(rates_by_group(normal, threshold.value)) * per_week
    joined = np.concatenate(normal)
    return {
        "value": threshold.value,
        "rule": "lowest score that keeps the wanted rate with 95 % confidence: generalised Pareto tail of "
        "the threshold windows' scores, resampled by group"
        if threshold.extrapolated
        else "median and MAD of the cube roots of the threshold windows' scores, taken as normal, of all or "
        "of the group with the highest median: their tail does not carry the wanted rate",
        "period_s": period_s,
        "window_s": WINDOW_S,
        "windows_per_week": round(per_week),
        "false_alarms_per_window": {
            "wanted": significant(threshold.wanted),
            "expected": significant(threshold.expected),
            "at_most_95_percent": significant(threshold.at_most),
        },
        "false_alarms_per_week": {
            "wanted": significant(threshold.wanted * per_week),
            "expected": significant(threshold.expected * per_week),
            "at_most_95_percent": significant(threshold.at_most * per_week),
        },
        "tail": {
            "start": significant(threshold.tail.start),
            "share": significant(threshold.tail.share),
            "scale": significant(threshold.tail.scale),
            "shape": significant(threshold.tail.shape),
        },
        "checked_on_test": {
            "groups": len(normal),
            "windows": int(joined.size),
            "windows_above": above,
            "minimum": int(joined.min()),
            "median": int(np.median(joined)),
            "maximum": int(joined.max()),
            "false_alarms_per_week_by_group": {
                "median": significant(float(np.median(alone))),
                "worst_of_20": significant(float(alone[min(alone.size - 1, int(0.95 * alone.size))])),
                "worst": significant(float(alone[-1])),
            },
        },
    }


def _detection(
    normal: Sequence[Scores],
    by_fault: Sequence[Sequence[Scores]],
    threshold: Threshold,
    rng: np.random.Generator,
) -> Section:
    groups = [scores for faulty in by_fault for scores in faulty]
    area = auc(normal, groups, rng)
    joined = np.concatenate(groups)
    return {
        "auc": _area(area.value),
        "auc_interval": None
        if area.low is None or area.high is None
        else [_area(area.low), _area(area.high)],
        "windows": int(joined.size),
        "groups": len(groups),
        "detected": round(float((joined > threshold.value).mean()), 4),
        "lowest_score": int(joined.min()),
        "median_score": int(np.median(joined)),
    }


def _area(value: float) -> float:
    return round(value, 6)


def _dead_sensor_scores(score: Score) -> dict[str, int]:
    """Scores of a pin that does not move: the sensor's bias, ground and supply, by a noiseless ADC."""
    levels_v = {"stuck_at_bias": SENSOR.bias_v, "stuck_at_ground": 0.0, "stuck_at_supply": 3.0}
    codes = adc_codes(np.repeat(np.array(list(levels_v.values()))[:, np.newaxis], WINDOW_SAMPLES, axis=1))
    return dict(zip(levels_v, score(Group("dead sensor", features(codes))).tolist(), strict=True))
