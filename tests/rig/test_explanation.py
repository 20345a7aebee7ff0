# SPDX-License-Identifier: Apache-2.0
"""The verdict on a current, from its causes and what measuring without them showed."""

import pytest

from hil.datasheet.figures import Figure
from hil.measurement.uncertainty import Estimate
from hil.rig.current_causes import Cause
from hil.rig.explanation import Explanation, Finding, Verdict

STOP2 = Figure(1.18e-6, 2.8e-6, "DS10198 Rev 8, T45 p138")
HSI16 = Cause("RCC_CR.HSIKERON keeps the HSI16 on in Stop", 155e-6, 190e-6)
FLOATING = Cause("inputs without a pull")


def explanation(measured_a: float, *findings: Finding) -> Explanation:
    return Explanation(Estimate(measured_a, 2.5e-6), "stop2", STOP2, findings, None)


@pytest.mark.parametrize(
    ("measured_a", "findings", "verdict"),
    [
        (2.5e-6, (), Verdict.WITHIN),
        (156e-6, (), Verdict.NOT),
        (156e-6, (Finding(HSI16),), Verdict.EXPLAINED),
        (156e-6, (Finding(HSI16, Estimate(154.9e-6, 2.5e-6)),), Verdict.EXPLAINED),
        (156e-6, (Finding(HSI16, Estimate(0.1e-6, 2.5e-6)),), Verdict.NOT),
        (300e-6, (Finding(HSI16),), Verdict.PARTLY),
        (300e-6, (Finding(HSI16), Finding(FLOATING, Estimate(144e-6, 3e-6))), Verdict.EXPLAINED),
        (60e-6, (Finding(FLOATING),), Verdict.NOT),
    ],
)
def test_the_verdict(measured_a: float, findings: tuple[Finding, ...], verdict: Verdict) -> None:
    assert explanation(measured_a, *findings).verdict is verdict


def test_a_fall_goes_before_a_figure() -> None:
    proven = Finding(HSI16, Estimate(120e-6, 2e-6))
    assert proven.share_a == 120e-6
    assert proven.uncertainty_a == 2e-6
    assert Finding(HSI16).uncertainty_a == pytest.approx(35e-6)


def test_what_remains_is_told_with_its_uncertainty() -> None:
    *_, verdict = explanation(156e-6, Finding(HSI16, Estimate(154.8e-6, 2.5e-6))).lines()
    assert verdict.startswith("explained: beyond the typical current and these causes 0.0 ± ")


def test_a_cause_that_changes_nothing_is_not_called_one() -> None:
    text = str(Finding(HSI16, Estimate(0.0, 1e-6)))
    assert "it is not the cause, or the firmware sets it again" in text
