# SPDX-License-Identifier: Apache-2.0
"""Why a current is too high: the causes that registers show, held against what was measured.

The registers are read while the core waits in WFI. The same run then goes on without the debugger, and its
current is measured: it has to be the one that is explained. Then each likely cause is taken away in a run of
its own, before the firmware sleeps on, and the current is measured again. What the current falls by is the
cause's share, whatever a datasheet says. A firmware that sets the bit again at each wake shows no fall.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from hil.datasheet.figures import Figure
from hil.firmware.image import Image
from hil.instruments.protocols import Progress
from hil.measurement.budget import Budget, scatter_of_mean
from hil.measurement.current_log import CurrentLog
from hil.measurement.text import uncertain, with_unit
from hil.measurement.uncertainty import Estimate, normalized_error
from hil.rig.core_looks import SETTLING_S, CoreLooks, halt_at_wait
from hil.rig.current_causes import Cause, Circumstances, find_causes
from hil.rig.marker_loads import MARKERS
from hil.rig.mode_current import DEEP_MODES, printed
from hil.rig.rig import Rig
from hil.rig.states import State

EXPERIMENTS = 4
"""Causes that are taken away one by one, the dearest first."""
LOG_S = 4.0
"""Of each log: whole wakes of a firmware that wakes each second (assumption)."""
PERIOD_S = 1e-3
LEAST_SHARE = 0.02
"""Of the excess: a fall of the current below it explains nothing (assumption)."""

_WITHOUT_CORE = ("standby", "shutdown")
"""Modes in which the core has no power."""

InstrumentBudget = Callable[[NDArray[np.float64]], Budget]


class Verdict(StrEnum):
    """What the causes say about the current."""

    WITHIN = "within the datasheet's figures"
    """There is nothing to explain."""
    EXPLAINED = "explained"
    PARTLY = "partly explained"
    NOT = "not explained"


@dataclass(frozen=True)
class Finding:
    """A cause with what an experiment says of it."""

    cause: Cause
    fall: Estimate | None = None
    """What the current fell by without the cause; None: not tried."""

    @property
    def proven(self) -> bool:
        """Whether the experiment showed that it draws current."""
        return self.fall is not None and self.fall.value > self.fall.expanded_uncertainty

    @property
    def share_a(self) -> float:
        """What it explains: what was measured, else what is printed."""
        if self.fall is None:
            return self.cause.adds_a or 0.0
        return self.fall.value if self.proven else 0.0

    @property
    def uncertainty_a(self) -> float:
        """How far :attr:`share_a` may be off."""
        if self.fall is not None:
            return self.fall.expanded_uncertainty
        if self.cause.adds_a is None or self.cause.most_a is None:
            return 0.0
        return max(0.0, self.cause.most_a - self.cause.adds_a)

    def __str__(self) -> str:
        if self.fall is None:
            proposed = "" if self.cause.adds_a is not None else "; no document gives a figure"
            return f"{self.cause}{proposed}"
        if self.proven:
            fall = uncertain(self.fall.value, self.fall.expanded_uncertainty, "A")
            return f"{self.cause}; without it the current falls by {fall}"
        return f"{self.cause}; undone, it changes nothing: it is not the cause, or the firmware sets it again"


@dataclass(frozen=True)
class Explanation:
    """A current, what it should be, and why it is not."""

    measured: Estimate
    mode: str
    """The mode that was meant."""
    allowed: Figure
    findings: tuple[Finding, ...]
    same_run: Estimate | None
    """The current of the run whose registers were read; None where registers name no cause."""
    proofs: tuple[str, ...] = ()

    @property
    def excess_a(self) -> float:
        """Above the typical figure."""
        return self.measured.value - self.allowed.typ

    @property
    def remainder(self) -> Estimate:
        """What no cause explains, beyond the typical current of the mode."""
        spread = 0.0 if self.allowed.max is None else max(0.0, self.allowed.max - self.allowed.typ)
        terms = [
            self.measured.expanded_uncertainty,
            spread,
            *(found.uncertainty_a for found in self.findings),
        ]
        rest_a = self.excess_a - sum(found.share_a for found in self.findings)
        return Estimate(rest_a, math.hypot(*terms))

    @property
    def verdict(self) -> Verdict:
        """Whether the causes explain the current."""
        most_a = self.allowed.typ if self.allowed.max is None else self.allowed.max
        if self.measured.value - self.measured.expanded_uncertainty <= most_a:
            return Verdict.WITHIN
        rest = self.remainder
        if not any(found.share_a > LEAST_SHARE * self.excess_a for found in self.findings):
            return Verdict.NOT
        return Verdict.EXPLAINED if abs(rest.value) <= rest.expanded_uncertainty else Verdict.PARTLY

    def lines(self) -> Iterator[str]:
        """The explanation as sentences, the dearest cause first."""
        measured = uncertain(self.measured.value, self.measured.expanded_uncertainty, "A")
        most = "" if self.allowed.max is None else f", at most {with_unit(self.allowed.max, 'A')}"
        typical = f"{with_unit(self.allowed.typ, 'A')}{most} ({self.allowed.source})"
        yield f"the current is {measured}; {self.mode} typically draws {typical}"
        for number, found in enumerate(self.findings, 1):
            yield f"{number}. {found}"
        if self.verdict is Verdict.WITHIN:
            yield f"the current is {self.verdict}: nothing needs an explanation"
            yield from self.proofs
            return
        rest = self.remainder
        left = uncertain(rest.value, rest.expanded_uncertainty, "A")
        yield f"{self.verdict}: beyond the typical current and these causes {left} remain"
        yield from self.proofs


def explain(
    rig: Rig,
    image: Image,
    looks: CoreLooks,
    measured: Estimate,
    instrument: InstrumentBudget,
    meant: str | None = None,
    *,
    experiments: int = EXPERIMENTS,
    say: Callable[[str], None] = lambda text: None,
) -> Explanation:
    """Explain a current asleep.

    Args:
        rig: with probe, supply and ammeter.
        image: the firmware.
        looks: at it, by :func:`hil.rig.core_looks.look`.
        measured: its current asleep, in *measuring*.
        instrument: the ammeter's budget for the mean of samples.
        meant: the mode that the firmware claims; None: the one that its registers name, or Stop 2.
        experiments: how many causes are taken away one by one.
        say: told what goes on.

    The board is *off* afterwards.
    """
    board = rig.config.board
    mode = meant or (looks.mode if looks.mode in DEEP_MODES else "stop2")
    supply_v, ambient_c = board.supply_voltage_v, board.ambient_temperature_c
    allowed = printed(board.definition.part, mode, looks.registers, supply_v, ambient_c)
    wired = [getattr(rig.config.wiring, role) for role in MARKERS]
    loads_ohm = {str(wire.pin): wire.input_resistance_ohm for wire in wired if wire is not None}
    circumstances = Circumstances(supply_v, ambient_c, looks.mode, mode, loads_ohm)
    causes = find_causes(rig, image, looks.registers, circumstances)

    if not causes or looks.mode in _WITHOUT_CORE:
        untried = ("without power the core cannot be halted: no cause was tried",) if causes else ()
        return Explanation(measured, mode, allowed, tuple(map(Finding, causes)), None, untried)
    say("measuring the run whose registers are read")
    same_run = _without(rig, image, None, instrument)
    proofs = _proofs(looks, measured, same_run, any(cause.by_detaching for cause in causes))
    findings = [Finding(cause, _fall(measured, same_run) if cause.by_detaching else None) for cause in causes]
    tried = [number for number, found in enumerate(findings) if found.cause.undo][:experiments]
    for number in tried:
        cause = findings[number].cause
        say(f"measuring without: {cause.text}")
        fall = _fall(same_run, _without(rig, image, cause, instrument))
        findings[number] = replace(findings[number], fall=fall)
    rig.to(State.OFF)
    ranked = tuple(sorted(findings, key=lambda found: (not found.proven, -found.share_a)))
    return Explanation(measured, mode, allowed, ranked, same_run, proofs)


def floor_of(log: CurrentLog, instrument: InstrumentBudget) -> Estimate:
    """The mean of settled sleep in a log."""
    samples_a = log.floor_samples_a
    noise = scatter_of_mean("noise", samples_a, "A")
    return Estimate.of(float(samples_a.mean()), Budget.of(instrument(samples_a), noise))


def log_current(rig: Rig, progress: Progress | None = None) -> CurrentLog:
    """A log of the board as it runs."""
    period_s = max(PERIOD_S, rig.ammeter.capabilities.log_period_s)
    voltage_v = rig.supply.measure_voltage_v()
    return CurrentLog.of(rig.ammeter.log(LOG_S, period_s, progress), voltage_v)


def _without(rig: Rig, image: Image, cause: Cause | None, instrument: InstrumentBudget) -> Estimate:
    """The current of a run in which the core was halted at its wait, and a cause taken away."""
    rig.to(State.OFF)
    rig.to(State.RUNNING, image, restart=True)
    rig.clock.sleep(SETTLING_S)
    halt_at_wait(rig, image)
    for rewrite in cause.undo if cause is not None else ():
        rewrite.apply(rig.board, rig.config.board.definition.part)
    with rig.let_go():
        rig.clock.sleep(SETTLING_S)
        return floor_of(log_current(rig), instrument)


def _fall(before: Estimate, after: Estimate) -> Estimate:
    uncertainty = math.hypot(before.expanded_uncertainty, after.expanded_uncertainty)
    return Estimate(before.value - after.value, uncertainty)


def _proofs(looks: CoreLooks, measured: Estimate, same_run: Estimate, cleared: bool) -> tuple[str, ...]:
    """How far the registers are those of the run that was measured."""
    at = "while the core waited in WFI" if looks.halted_at_wait else "of a core that was halted while it ran"
    drawn = uncertain(same_run.value, same_run.expanded_uncertainty, "A")
    error = normalized_error(measured, same_run)
    if error <= 1.0:
        return (
            f"registers were read {at}; a run halted so and let go draws the same, {drawn} (E_n {error:.2f})",
        )
    why = ", as the debugger has cleared DBGMCU" if cleared else ": what follows may be of another run"
    return (f"registers were read {at}; a run halted so and let go draws {drawn}{why}",)
