# SPDX-License-Identifier: Apache-2.0
"""What a training is given: the model's inputs, kept apart by machine and by what they are for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Advance = Callable[[str, float], None]
"""Told what is being done and which share of it is done."""


@dataclass(frozen=True)
class Group:
    """Windows that belong together: of one machine, or of one recording.

    Statistics draw groups, not windows, because windows of a group resemble each other.
    """

    name: str
    inputs: npt.NDArray[np.int8]
    """Features, [windows, 32]."""


@dataclass(frozen=True)
class Dataset:
    """Normal running in three parts that share no group, and faults."""

    training: Sequence[Group]
    """Normal; the network is fitted to these."""
    threshold: Sequence[Group]
    """Normal; the threshold is chosen from these."""
    test: Sequence[Group]
    """Normal; nothing is decided from these."""
    faults: dict[str, dict[str, Sequence[Group]]] = field(default_factory=dict)
    """By fault and then by severity ("moderate", or "as recorded"); nothing is decided from these."""
    source: dict[str, Any] = field(default_factory=dict)
    """What the model card says of the data's origin."""
    group_is: str = "machine"
    """What a group is, in one word."""


def inputs_of(groups: Sequence[Group]) -> npt.NDArray[np.int8]:
    """All windows of `groups`, [windows, 32]."""
    return np.concatenate([group.inputs for group in groups])
