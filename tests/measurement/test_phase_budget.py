# SPDX-License-Identifier: Apache-2.0
"""The phases of a period against a waveform whose charges are known."""

import math

import numpy as np
import pytest

from hil.errors import MeasurementError
from hil.measurement.budget import Budget, Distribution, Term
from hil.measurement.phase_budget import PhaseBudget, phase_budget
from hil.measurement.phases import Phase, PhaseName, segment
from hil.measurement.uncertainty import Estimate
from hil.measurement.waveform import Waveform

PERIOD_S = 1e-3
SUPPLY = Estimate(3.0, 0.003)


def waveform(computing_ms: tuple[int, ...] = (7, 7, 7)) -> Waveform:
    pieces = [(1.67e-6, 500)]
    for length in computing_ms:
        pieces += [(40e-6, 500), (9e-3, length), (1.67e-6, 2000 - 500 - length)]
    return Waveform(40.0, PERIOD_S, np.concatenate([np.full(count, level) for level, count in pieces]))


def standard(of_mean_a: float, level_a: float = 0.0) -> Budget:
    """An instrument with this standard uncertainty, another one at each level."""
    return Budget.of(Term(f"at {level_a} A", of_mean_a, "A", Distribution.NORMAL, "test"))


def budget(taken: Waveform, accuracy_a: float = 0.0) -> dict[str, PhaseBudget]:
    rows = phase_budget(taken, segment(taken), SUPPLY, lambda samples: standard(accuracy_a))
    return {str(row.name): row for row in rows}


def test_charges_durations_and_shares_are_those_of_a_period() -> None:
    rows = budget(waveform())
    total_c = 40e-6 * 0.5 + 9e-3 * 7e-3 + 1.67e-6 * 1.493
    assert list(rows) == ["sleep", "sampling", "inference"]
    assert rows["inference"].occurrences == 2
    assert rows["inference"].charge_c.value == pytest.approx(63e-6)
    assert rows["inference"].energy_j.value == pytest.approx(3 * 63e-6)
    assert rows["inference"].duration_s.value == pytest.approx(7e-3)
    assert rows["inference"].current_a.value == pytest.approx(9e-3)
    assert rows["inference"].average_a.value == pytest.approx(63e-6 / 2.0)
    assert rows["sampling"].share.value == pytest.approx(20e-6 / total_c)
    assert sum(row.share.value for row in rows.values()) == pytest.approx(1.0)
    assert sum(row.average_a.value for row in rows.values()) == pytest.approx(total_c / 2.0)


def test_accuracy_edges_and_scatter_make_the_uncertainty() -> None:
    # An edge is known to half a sample either way: a rectangle of that half width, per edge.
    edge_c = 0.5 * PERIOD_S / math.sqrt(3)
    exact = budget(waveform())["inference"]
    edges_c = edge_c * math.hypot(*[9e-3 - 40e-6, 9e-3 - 1.67e-6] * 2) / 2
    assert exact.charge_c.standard_uncertainty == pytest.approx(edges_c, rel=1e-3)
    # Of a duration the edges are interpolated: a quarter of a sample each is left, however many there are.
    edges_s = math.sqrt(2) * 0.25 * PERIOD_S / math.sqrt(3)
    assert exact.duration_s.standard_uncertainty == pytest.approx(edges_s, rel=1e-3)
    inaccurate = budget(waveform(), accuracy_a=90e-6)["inference"]
    assert inaccurate.charge_c.standard_uncertainty == pytest.approx(
        math.hypot(edges_c, 90e-6 * 7e-3), rel=1e-3
    )
    scattered = budget(waveform((7, 9, 7)))["inference"]
    two_readings = math.sqrt(2) * 1e-3 / math.sqrt(2)
    assert scattered.duration_s.standard_uncertainty == pytest.approx(
        math.hypot(edges_s, two_readings), rel=1e-3
    )
    # Student's factor for one degree of freedom is 12.71.
    assert scattered.duration_s.expanded_uncertainty > 10 * scattered.duration_s.standard_uncertainty
    assert scattered.charge_c.expanded_uncertainty > exact.charge_c.expanded_uncertainty


def test_a_share_is_as_uncertain_as_either_part() -> None:
    """With errors of one per cent in each charge, s (1 - s) of one per cent times the root of two."""
    taken = waveform()
    means = {40e-6: 0.4e-6, 9e-3: 90e-6, 1.67e-6: 0.0}
    rows = phase_budget(
        taken, segment(taken), SUPPLY, lambda samples: standard(means[float(samples[0])], float(samples[0]))
    )
    row = next(row for row in rows if row.name is PhaseName.INFERENCE)
    share = row.share.value
    assert row.share.expanded_uncertainty >= 2 * 0.01 * share * (1 - share)
    assert row.share.expanded_uncertainty < 2 * 0.1 * share


def test_the_supply_s_uncertainty_is_in_the_energy_only() -> None:
    sleep = budget(waveform())["sleep"]
    relative = sleep.energy_j.standard_uncertainty / sleep.energy_j.value
    supply = SUPPLY.standard_uncertainty / SUPPLY.value
    charge = sleep.charge_c.standard_uncertainty / sleep.charge_c.value
    assert relative == pytest.approx(math.hypot(charge, supply))


def test_a_waveform_without_a_whole_period_has_no_budget() -> None:
    whole = waveform((7,))
    phases: list[Phase] = segment(whole)
    with pytest.raises(MeasurementError, match=r"1 wake-up\(s\)"):
        phase_budget(whole, phases, SUPPLY, lambda samples: Budget())
