# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from hil.golden.data.dataset import Dataset
from hil.golden.data.faults import FAULTS
from hil.golden.data.synthetic import FleetSize, synthetic

TINY = FleetSize(training=3, threshold=2, test=2, per_fault=1, moments=2, windows_per_moment=2)


@pytest.fixture(scope="module")
def fleet() -> Dataset:
    return synthetic(1, TINY)


def test_the_fleet_has_the_asked_size(fleet: Dataset):
    assert [len(part) for part in (fleet.training, fleet.threshold, fleet.test)] == [3, 2, 2]
    assert all(group.inputs.shape == (4, 32) for group in fleet.training)
    assert tuple(fleet.faults) == FAULTS
    for by_severity in fleet.faults.values():
        assert list(by_severity) == ["early", "moderate", "severe"]
        assert all(group.inputs.shape == (2, 32) for groups in by_severity.values() for group in groups)


def test_no_machine_is_in_two_parts(fleet: Dataset):
    parts = [
        fleet.training,
        fleet.threshold,
        fleet.test,
        *(groups["severe"] for groups in fleet.faults.values()),
    ]
    names = [group.name for part in parts for group in part]
    assert len(set(names)) == len(names)
    contents = [group.inputs.tobytes() for part in parts for group in part]
    assert len(set(contents)) == len(contents)


def test_a_seed_is_a_fleet(fleet: Dataset):
    again, other = synthetic(1, TINY), synthetic(2, TINY)
    assert np.array_equal(again.training[2].inputs, fleet.training[2].inputs)
    assert np.array_equal(again.faults["ball"]["early"][0].inputs, fleet.faults["ball"]["early"][0].inputs)
    names = {group.name for group in fleet.training}
    assert names.isdisjoint(group.name for group in other.training)


def test_a_seed_below_one_is_refused():
    with pytest.raises(ValueError, match="1 or more"):
        synthetic(0, TINY)
