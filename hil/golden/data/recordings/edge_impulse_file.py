# SPDX-License-Identifier: Apache-2.0
"""Edge Impulse's data acquisition format in JSON: samples of some sensors at a fixed interval."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from hil.golden.data.recordings.channel import Channel, refused

_EXPECTED = "Edge Impulse's data acquisition format: payload with interval_ms, sensors and values"


def read_edge_impulse(file: Path) -> list[Channel]:
    """The sensors of `file`, with their units and the rate that its interval means.

    Raises:
        RecordingError: the file is no JSON, or none of that format.
        OSError: the file cannot be read.
    """
    try:
        content: Any = json.loads(file.read_bytes())
        payload = content["payload"]
        interval_ms = float(payload["interval_ms"])
        sensors = [(str(sensor["name"]), sensor.get("units")) for sensor in payload["sensors"]]
        values = np.array(payload["values"], dtype=np.float64)
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError) as error:
        raise refused(file, f"no recording in JSON ({error})", expected=_EXPECTED) from error
    columns = values if values.ndim == 2 else values.reshape(-1, 1)
    rate_hz = 1e3 / interval_ms if interval_ms else np.inf
    if values.ndim not in (1, 2) or columns.shape[1] != len(sensors) or not 0 < rate_hz < np.inf:
        raise refused(
            file,
            f"values of shape {values.shape} for {len(sensors)} sensors every {interval_ms:g} ms",
            expected="a row of as many values as sensors for each instant",
        )
    return [
        Channel(name, column, rate_hz, str(unit) if unit else None)
        for (name, unit), column in zip(sensors, columns.T, strict=True)
    ]
