# SPDX-License-Identifier: Apache-2.0
"""A folder of recordings as a data set: ``normal/`` and one folder for each fault."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hil.errors import RecordingError
from hil.golden.data.analog_path import WINDOW_S, AnalogPath, sampled_windows
from hil.golden.data.dataset import Advance, Dataset, Group
from hil.golden.data.recordings.kinds import is_document
from hil.golden.data.recordings.read import PIN_V, ReadOptions, Recorded, read_recording
from hil.golden.data.recordings.screening import outliers
from hil.golden.features import features

NORMAL = "normal"
AS_RECORDED = "as recorded"
SEPARATE_RECORDINGS = 12
"""From so many normal recordings on, whole recordings go into training, threshold or test (a choice)."""
_SHARES = (0.5, 0.25, 0.25)  # training, threshold, test
_BLOCK_WINDOWS = 8
_ADC_STEP_V = PIN_V[1] / 4096
_SPLIT_STREAM, _PATH_STREAM = 31, 32


@dataclass(frozen=True)
class _Labelled:
    label: str
    file: Path
    recorded: Recorded
    group: Group


def folder_dataset(
    folder: Path, options: ReadOptions | None = None, seed: int = 1, advance: Advance | None = None
) -> Dataset:
    """The recordings under `folder`/normal and under `folder`/<fault>, in whatever folders they lie there.

    Documents beside them (a README, a picture) are not read, nor files outside of these folders: the notes in
    the data set's source name them.

    A window is every stretch of 512 ms, through the bench's analog path with its noise and tolerances.

    Raises:
        RecordingError: no folder, no normal recordings, or one that cannot be used.
    """
    files, unread = _files(folder)
    labelled = []
    for number, (label, file) in enumerate(files):
        if advance is not None:
            advance("reading recordings", number / len(files))
        recorded = read_recording(file, options)
        rng = np.random.default_rng([seed, _PATH_STREAM, number])
        if label == NORMAL:
            _refuse_a_dead_sensor(file, recorded)
        labelled.append(_Labelled(label, file, recorded, _windows(file, recorded, rng)))
    normal, odd = _screened(folder, labelled, keep=bool(options and options.keep_outliers))
    rng = np.random.default_rng([seed, _SPLIT_STREAM])
    whole = len(normal) >= SEPARATE_RECORDINGS
    parts = _whole_recordings(normal, rng) if whole else _stretches(normal)
    faults: dict[str, dict[str, list[Group]]] = {}
    for entry in labelled:
        if entry.label != NORMAL:
            faults.setdefault(entry.label, {AS_RECORDED: []})[AS_RECORDED].append(entry.group)
    return Dataset(
        training=parts[0],
        threshold=parts[1],
        test=parts[2],
        faults={fault: dict(groups) for fault, groups in faults.items()},
        source={
            "kind": "recordings",
            "folder": str(folder),
            "split": _split_text(len(normal), whole),
            "analog_path": AnalogPath().__dict__,
            "sensor": (options or ReadOptions()).sensor.__dict__,
            "recordings": [_described(folder, entry) for entry in labelled],
            "notes": [*unread, *_notes(folder, labelled)],
            "warnings": odd,
        },
        group_is="recording" if whole else "stretch of a recording",
    )


def _refused(folder: Path, message: str, expected: str = "", hint: str = "") -> RecordingError:
    return RecordingError(message, where=str(folder), operation="read", expected=expected, hint=hint)


def _files(folder: Path) -> tuple[list[tuple[str, Path]], list[str]]:
    """Label and path of each recording, and notes on what is none."""
    layout = f"{NORMAL}/ with recordings of normal running, and a folder for each fault"
    if not folder.is_dir():
        raise _refused(folder, "no such folder", expected=f'a folder with {layout}, or "synthetic"')
    files: list[tuple[str, Path]] = []
    notes: list[str] = []
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        inside = file.relative_to(folder)
        if any(part.startswith(".") for part in inside.parts):
            continue
        if len(inside.parts) == 1:
            notes.append(f"{inside}: not read, it lies outside of {NORMAL}/ and the faults' folders")
        elif is_document(file):
            notes.append(f"{inside.as_posix()}: not read, a document")
        else:
            files.append((inside.parts[0], file))
    if not any(label == NORMAL for label, _file in files):
        raise _refused(folder, f"no recordings in {folder / NORMAL}", expected=layout)
    return files, notes


def _refuse_a_dead_sensor(file: Path, recorded: Recorded) -> None:
    reach_v = float(np.ptp(recorded.signal.volts))
    if reach_v < _ADC_STEP_V:
        raise _refused(
            file,
            f"its signal moves by {1e3 * reach_v:.2g} mV, less than a step of the ADC: the sensor was dead",
            expected="a machine that runs",
            hint="leave the file out of normal/, or state another --unit, --channel or --sensitivity",
        )


def _screened(folder: Path, labelled: list[_Labelled], *, keep: bool) -> tuple[list[Group], list[str]]:
    """Normal running without the windows that are unlike the rest, and a line on each file that has some."""
    entries = [entry for entry in labelled if entry.label == NORMAL]
    groups: list[Group] = []
    told: list[str] = []
    for entry, odd in zip(entries, outliers([entry.group.inputs for entry in entries]), strict=True):
        if odd.any():
            name = entry.file.relative_to(folder).as_posix()
            done = "kept, as stated" if keep else "left out (--keep-outliers keeps them)"
            told.append(f"{name}: {odd.sum()} of {odd.size} windows are unlike all other normal ones: {done}")
        kept = entry.group.inputs if keep else entry.group.inputs[~odd]
        if len(kept):
            groups.append(Group(entry.group.name, kept))
    return groups, told


def _notes(folder: Path, labelled: list[_Labelled]) -> list[str]:
    """What was taken for granted of which files; one line where several files share it."""
    files: dict[str, list[str]] = {}
    for entry in labelled:
        for note in entry.recorded.notes:
            files.setdefault(note, []).append(entry.file.relative_to(folder).as_posix())
    return [
        f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {note}"
        for note, names in files.items()
    ]


def _windows(file: Path, recorded: Recorded, rng: np.random.Generator) -> Group:
    """Features of window after window, none overlapping."""
    path = AnalogPath()
    step_s = WINDOW_S * (1 + path.clock_spread)
    codes = []
    for signal in recorded.stretches:
        count = math.floor(signal.duration_s / step_s)
        spare_s = signal.duration_s - count * step_s
        starts_s = rng.uniform(0.0, spare_s) + step_s * np.arange(count, dtype=np.float64)
        codes.append(sampled_windows(signal, starts_s, rng, path))
    return Group(str(file), features(np.concatenate(codes)))


def _whole_recordings(normal: list[Group], rng: np.random.Generator) -> list[list[Group]]:
    order = [normal[index] for index in rng.permutation(len(normal))]
    first = round(_SHARES[0] * len(order))
    second = first + round(_SHARES[1] * len(order))
    return [order[:first], order[first:second], order[second:]]


def _stretches(normal: list[Group]) -> list[list[Group]]:
    """Each recording's beginning, middle and end, in blocks that are resampled as one."""
    parts: list[list[Group]] = [[], [], []]
    for group in normal:
        count = len(group.inputs)
        borders = [0, round(_SHARES[0] * count), round((_SHARES[0] + _SHARES[1]) * count), count]
        for part, begin, end in zip(parts, borders[:-1], borders[1:], strict=True):
            for start in range(begin, end, _BLOCK_WINDOWS):
                stop = min(start + _BLOCK_WINDOWS, end)
                part.append(Group(f"{group.name}, windows {start} to {stop - 1}", group.inputs[start:stop]))
    return parts


def _split_text(count: int, whole: bool) -> str:
    if whole:
        return f"Each of the {count} normal recordings is in one part only."
    return (
        f"With {count} normal recordings (fewer than {SEPARATE_RECORDINGS}), each is divided in time: its "
        "first half trains, the next quarter sets the threshold, the last judges. Another day, or another "
        "machine, may differ more than these parts do, and then false alarms are more frequent than stated."
    )


def _described(folder: Path, entry: _Labelled) -> dict[str, Any]:
    return {
        "file": entry.file.relative_to(folder).as_posix(),
        "channel": entry.recorded.channel,
        "rate_hz": round(entry.recorded.rate_hz, 3),
        "duration_s": round(entry.recorded.signal.duration_s, 3),
        "windows": len(entry.group.inputs),
        "clipped": round(entry.recorded.clipped, 6),
    }
