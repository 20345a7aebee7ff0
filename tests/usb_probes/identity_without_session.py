# SPDX-License-Identifier: Apache-2.0
"""A planted fault: the board driver opens its probe without a session, which remote probes let pass."""

import pytest

from hil.instruments.protocols import Identity
from hil.instruments.pyocd_board import PyocdBoard


def _identity(board: PyocdBoard) -> Identity:
    probe = board._find_probe()
    probe.open()
    try:
        return Identity(probe.vendor_name, probe.product_name, probe.unique_id, "")
    finally:
        probe.close()


def pytest_configure(config: pytest.Config) -> None:
    """Plant it."""
    PyocdBoard.identity = _identity  # type: ignore[method-assign]
