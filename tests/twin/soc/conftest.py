# SPDX-License-Identifier: Apache-2.0
"""What makes up a part, worked from outside on a powered part."""

import pytest

from tests.twin.powered_part import Part


@pytest.fixture
def part() -> Part:
    return Part()
