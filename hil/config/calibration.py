# SPDX-License-Identifier: Apache-2.0
"""Whether an instrument's calibration still holds."""

from __future__ import annotations

from datetime import date

from hil.config.tables import InstrumentTable


def overdue(table: InstrumentTable, today: date) -> str | None:
    """Say since when the calibration no longer holds; None while it does, or where no day is named."""
    if table.calibration_due is None or today <= table.calibration_due:
        return None
    return f"calibration overdue since {table.calibration_due.isoformat()}"
