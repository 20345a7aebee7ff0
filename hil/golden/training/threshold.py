# SPDX-License-Identifier: Apache-2.0
"""The anomaly threshold as the firmware's C header holds it."""

from __future__ import annotations

import re
from pathlib import Path

from hil.errors import ModelError

_DEFINITION = re.compile(r"^#define HIL_ANOMALY_THRESHOLD (\d+)u$", re.MULTILINE)


def threshold_header(threshold: int) -> str:
    """The C header that defines `threshold`."""
    return f"""/* SPDX-License-Identifier: Apache-2.0 */
/* Written by `hil model train`; MODEL_CARD.md says what it stands for. */
#ifndef HIL_THRESHOLD_H
#define HIL_THRESHOLD_H

/* A window is reported if its score, the sum over 32 of (input - output)^2, is greater. */
#define HIL_ANOMALY_THRESHOLD {threshold}u

#endif
"""


def read_threshold(path: Path) -> int:
    """The threshold in the header `path`.

    Raises:
        ModelError: the file is missing or defines no threshold.
    """
    expected = "a line `#define HIL_ANOMALY_THRESHOLD <n>u`"
    try:
        found = _DEFINITION.search(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            str(error), where=str(path), operation="read threshold", expected=expected
        ) from error
    if found is None:
        raise ModelError(
            "no threshold", where=str(path), operation="read threshold", expected=expected,
            hint="hil model train --data synthetic --out firmware/model",
        )  # fmt: skip
    return int(found.group(1))
