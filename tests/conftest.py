# SPDX-License-Identifier: Apache-2.0
"""What holds for hil-rig's own tests, and not for a lab's run of tests/hil on a rig."""

import pytest

from hil.pytest_plugin.entry import rig_name


def pytest_configure(config: pytest.Config) -> None:
    """Make every warning an error; on a rig a warning is no reason to end a night."""
    if rig_name(config) is None:
        config.addinivalue_line("filterwarnings", "error")
