# SPDX-License-Identifier: Apache-2.0
"""What a marker's wire draws is read with the core held: nothing bursts into a larger range in between."""

from types import SimpleNamespace
from typing import Any, cast

from hil.rig.marker_loads import _accuracy_a

RANGES = [
    SimpleNamespace(range_a=full_scale, gain=gain, offset_a=offset, source="table")
    for full_scale, gain, offset in ((1e-3, 0.00025, 1e-7), (0.1, 0.00025, 1e-5))
]


def test_the_difference_of_two_steady_readings_leaves_the_gain_of_their_range_open() -> None:
    bench = cast("Any", SimpleNamespace(config=SimpleNamespace(measured_by=SimpleNamespace(ranges=RANGES))))
    budget = _accuracy_a(bench, low_a=600e-6, high_a=750e-6)
    assert [term.name for term in budget.terms] == ["ammeter, 0.001 A range, gain"]
    assert 0.02e-6 < budget.expanded_uncertainty < 150e-6 * 0.00025 * 1.2
