# SPDX-License-Identifier: Apache-2.0
"""What inference engines cost on a bench: the same network, the same vectors, one image after the other.

Answers and cycles come through the mailbox. For time and energy the firmware runs the network over and over
while the ammeter logs. The firmware counts how often it ran, and the bench's clock says how long, so no clock
frequency has to be known. The loop around the network, with the score, is in both. The core never sleeps
meanwhile, so the open debug session keeps no clock on that would be off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.errors import DeviceError
from hil.firmware.footprint import footprint
from hil.firmware.image import Image
from hil.instruments.protocols import Progress
from hil.rig.rig import Rig

WATCHED_S = 0.5
"""Bench time of the current's log: some hundred inferences. Reading the count takes far less (assumption)."""


@dataclass(frozen=True)
class EngineCost:
    """One engine's figures."""

    name: str
    differing: int
    """Vectors whose output is not the golden one to the bit."""
    vectors: int
    cycles: int
    """Of the slowest vector, as the firmware counts them."""
    latency_s: float
    """Per inference, at the mailbox's clock, with the loop around it."""
    current_a: float
    energy_j: float
    """Per inference, from the supply."""
    flash_bytes: int
    """Without the model."""
    ram_bytes: int
    """Static, without the network's arena."""


def compare(
    rig: Rig,
    images: Mapping[str, Image],
    vectors: NDArray[np.int8],
    expected: NDArray[np.int8],
    progress: Progress | None = None,
) -> list[EngineCost]:
    """Measure each image, in their order.

    Args:
        rig: open, with a board, a supply and an ammeter.
        images: by the engine's name; each with the mailbox and the same network.
        vectors: a row for each inference.
        expected: the golden outputs, a row for each.
        progress: told the share that is done.

    Raises:
        DeviceError: a firmware does not serve, or fails an inference.
        HilError: the bench fails.
    """
    costs = []
    for number, (name, image) in enumerate(images.items(), start=1):
        costs.append(_measure(rig, name, image, vectors, expected))
        if progress is not None:
            progress(number / len(images))
    return costs


def _measure(
    rig: Rig, name: str, image: Image, vectors: NDArray[np.int8], expected: NDArray[np.int8]
) -> EngineCost:
    with rig.mailbox(image) as mailbox:
        answers = [mailbox.infer(vector) for vector in vectors]
        voltage_v = rig.supply.measure_voltage_v()
        mailbox.repeat(vectors[0])
        before, began_s = mailbox.run_count(), rig.clock.now_s()
        log = rig.ammeter.log(WATCHED_S, rig.ammeter.capabilities.log_period_s)
        runs, ended_s = mailbox.run_count() - before, rig.clock.now_s()
    if runs <= 0:
        raise DeviceError(
            f"{name}: the network ran {runs} times in {ended_s - began_s:g} s",
            where="hil_mailbox",
            operation="repeat",
        )
    taken = footprint(image.path, rig.config.board.definition.part)
    latency_s = (ended_s - began_s) / runs
    outputs = np.array([answer.output for answer in answers])
    return EngineCost(
        name=name,
        differing=int(np.count_nonzero((outputs != expected).any(axis=1))),
        vectors=len(vectors),
        cycles=max(answer.cycles for answer in answers),
        latency_s=latency_s,
        current_a=log.mean_a,
        energy_j=voltage_v * log.mean_a * latency_s,
        flash_bytes=taken.flash_bytes,
        ram_bytes=taken.ram_bytes,
    )
