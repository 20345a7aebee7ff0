# SPDX-License-Identifier: Apache-2.0
"""Looks at the network that the firmware is built around.

    python model.py MODEL.tflite ENGINE SENSOR FOLDER

Refuses one that does not fit, in one line. For the engine "builtin" it writes FOLDER/model_facts.h: the
engine then has the operators of the model, and no others. hil-rig must be installed in that Python.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hil.errors import HilError
from hil.firmware.fit import check_fit
from hil.firmware.model_facts import facts_header

FIRMWARE_DIR = Path(__file__).resolve().parents[1]


def main(model_file: str, engine: str, sensor: str, folder: str) -> None:
    """Check and write."""
    model = check_fit(Path(model_file), FIRMWARE_DIR, engine, sensor)
    if model is not None:
        header = Path(folder) / "model_facts.h"
        header.write_text(facts_header(model), encoding="ascii", newline="\n")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except HilError as error:
        sys.exit(str(error))
