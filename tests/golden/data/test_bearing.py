# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest

from hil.golden.data.bearing import BEARING_6205, Bearing


def test_defect_frequencies_match_the_published_multiples():
    # Case Western Reserve University Bearing Data Center, drive end bearing.
    assert BEARING_6205.bpfo == pytest.approx(3.5848, abs=5e-4)
    assert BEARING_6205.bpfi == pytest.approx(5.4152, abs=5e-4)
    assert BEARING_6205.ftf == pytest.approx(0.39828, abs=5e-5)
    assert 2 * BEARING_6205.bsf == pytest.approx(4.7135, abs=1.5e-3)


def test_a_contact_angle_brings_the_races_frequencies_together():
    flat = Bearing("flat", 10, 8e-3, 40e-3)
    angled = Bearing("angled", 10, 8e-3, 40e-3, contact_angle_rad=math.radians(40))
    # Each ball passes both races once per relative turn of the rings, whatever the angle.
    assert flat.bpfo + flat.bpfi == angled.bpfo + angled.bpfi == pytest.approx(10)
    assert angled.bpfi - angled.bpfo == pytest.approx((flat.bpfi - flat.bpfo) * math.cos(math.radians(40)))
    assert flat.bpfo == pytest.approx(flat.ball_count * flat.ftf)
