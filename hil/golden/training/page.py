# SPDX-License-Identifier: Apache-2.0
"""The model card as a page to read."""

from __future__ import annotations

from typing import Any


def markdown(card: Any) -> str:
    """The page of a card's contents."""
    return (
        "\n".join(
            [
                *_head(card),
                *_threshold(card),
                *_detection(card),
                *_network(card),
                *_data(card),
                *_limits(card),
            ]
        )
        + "\n"
    )


def _table(header: list[str], rows: list[list[object]]) -> list[str]:
    lines = [header, ["---"] * len(header), *([str(cell) for cell in row] for row in rows)]
    return [*("| " + " | ".join(line) + " |" for line in lines), ""]


def _head(card: Any) -> list[str]:
    model = card["model"]
    return [
        "# Model card",
        "",
        f"{model['description']}: {model['bytes']} bytes, {model['parameters']} parameters, "
        f"{model['multiply_accumulates']} multiply-accumulates, CRC-32 {model['crc32']}. "
        "`model_card.json` beside this page has all figures.",
        "",
        *(f"- **Warning:** {warning}." for warning in card["warnings"]),
        *([""] if card["warnings"] else []),
    ]


def _threshold(card: Any) -> list[str]:
    threshold = card["threshold"]
    week, test = threshold["false_alarms_per_week"], threshold["checked_on_test"]
    alone = test["false_alarms_per_week_by_group"]
    group = card["data"]["group"]
    return [
        "## Threshold",
        "",
        f"A window is reported if its score is above **{threshold['value']}**. At one window every "
        f"{threshold['period_s']:g} s that is **{week['expected']:g} false alarms per week** (at most "
        f"{week['at_most_95_percent']:g} with 95 % confidence; {week['wanted']:g} were accepted), or "
        f"{threshold['false_alarms_per_window']['expected']:g} per window.",
        "",
        f"Rule: {threshold['rule']}. Tail: {threshold['tail']['share']:g} of the windows score above "
        f"{threshold['tail']['start']:g}, scale {threshold['tail']['scale']:g}, shape "
        f"{threshold['tail']['shape']:g}.",
        "",
        f"Checked on {test['windows']} windows of {test['groups']} other groups ({group}): "
        f"{test['windows_above']} above the threshold, highest score {test['maximum']}, median "
        f"{test['median']}. False alarms fall unevenly: by itself the median {group} gives "
        f"{alone['median']:g} per week, one in twenty {alone['worst_of_20']:g} or more, the worst "
        f"{alone['worst']:g}.",
        "",
    ]


def _detection(card: Any) -> list[str]:
    detection = card["detection"]
    if not detection["by_fault"]:
        return ["## Detection", "", "The data held no fault, so how well one is detected is not known.", ""]
    rows: list[list[object]] = []
    for name, by_severity in (("all faults", detection["by_severity"]), *detection["by_fault"].items()):
        for severity, found in by_severity.items():
            interval = found["auc_interval"]
            rows.append(
                [
                    name.replace("_", " "),
                    severity,
                    f"{found['auc']:.4f}",
                    "–" if interval is None else f"{interval[0]:.4f} … {interval[1]:.4f}",
                    f"{100 * found['detected']:.1f} %",
                    f"{found['windows']} / {found['groups']}",
                ]
            )
    return [
        "## Detection",
        "",
        f"Faults seen by training or threshold: {detection['faults_seen_by_training_or_threshold']}. AUC is "
        "against the normal test windows; the interval (95 %) is a "
        f"{detection['interval']}, a dash where no pair is out of order or there are too few groups. "
        '"Detected" is the share of windows above the threshold.',
        "",
        *_table(["fault", "severity", "AUC", "interval", "detected", "windows / groups"], rows),
    ]


def _network(card: Any) -> list[str]:
    rows: list[list[object]] = [
        [
            f"{layer['inputs']} → {layer['outputs']}",
            layer["activation"],
            layer["multiply_accumulates"],
            f"± {layer['weights']['largest']:g}, {layer['weights']['scales']}",
            f"{layer['output']['minimum']:g} … {layer['output']['maximum']:g}",
            f"{layer['output']['scale']:g}, {layer['output']['zero_point']}",
        ]
        for layer in card["model"]["layers"]
    ]
    return [
        "## Network",
        "",
        "int8, quantised after training; ranges over the training windows. Input and output have the "
        "features' scale: one step is an eighth of an octave of a band's energy.",
        "",
        *_table(["layer", "activation", "MACs", "weights", "output range", "output scale, zero point"], rows),
    ]


def _data(card: Any) -> list[str]:
    data = card["data"]
    rows: list[list[object]] = [
        [part, data[part]["groups"], data[part]["windows"]] for part in ("training", "threshold", "test")
    ]
    for fault, by_severity in data["faults"].items():
        for severity, count in by_severity.items():
            rows.append([f"{fault.replace('_', ' ')}, {severity}", count["groups"], count["windows"]])
    if data["kind"] == "synthetic":
        origin = (
            f"Made up: a fleet of machines of seed {data['seed']} (`{data['generator']}`), through the "
            "analog path of the bench. Severities: "
            + ", ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in data["severities"].items())
            + "; `hil/golden/data/faults.py` says what they mean physically."
        )
    else:
        origin = f"Recordings in `{data['folder']}`. {data['split']}"
    return [
        "## Data",
        "",
        origin,
        "",
        *_table(["part", f"groups ({data['group']})", "windows"], rows),
        f"Training: seed {card['training']['seed']}, {card['training']['epochs']} epochs, "
        f"{card['training']['optimiser']}; loss: {card['training']['loss']}.",
        "",
    ]


def _limits(card: Any) -> list[str]:
    dead = card["dead_sensor_scores"]
    return [
        "## Limits",
        "",
        "- The rate of false alarms holds for machines like those listened to; a machine unlike all of them, "
        "or a change that is no fault (another speed, another mounting), raises the score too.",
        "- The rate is an extrapolation: no test of this size could count alarms that are so rare.",
        "- A sensor that does not move scores "
        + ", ".join(f"{score} ({name.replace('_', ' ')})" for name, score in dead.items())
        + f", against a threshold of {card['threshold']['value']}.",
        "",
    ]
