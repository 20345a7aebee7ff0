# SPDX-License-Identifier: Apache-2.0
"""Writes protocol.h: the numbers of protocol.toml for the firmware's C.

    python protocol.py OUTPUT.h

Needs nothing but Python 3.11.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[1] / "protocol.toml"


def lines(protocol: dict[str, Any]) -> Iterator[str]:
    """The header, line by line."""
    yield "/* SPDX-License-Identifier: Apache-2.0 */"
    yield "/* Made of protocol.toml by tools/protocol.py. */"
    yield "#ifndef HIL_PROTOCOL_H"
    yield "#define HIL_PROTOCOL_H"
    yield ""
    yield "typedef enum {"
    yield "    ERROR_NONE = 0,"
    for name, error in protocol["errors"].items():
        yield f"    ERROR_{name} = {error['number']}, /* {error['says']} */"
    yield "} hil_error_t;"
    yield "#ifndef __cplusplus"
    yield "typedef hil_error_t error_t; /* a name that newlib's errno.h gives to C++ */"
    yield "#endif"
    yield ""
    yield "typedef enum {"
    yield "    MODE_NONE = 0,"
    for name, says in protocol["modes"].items():
        yield f"    MODE_{name.upper()}, /* {says} */"
    yield "} power_mode_t;"
    yield ""
    yield "/* By power_mode_t. */"
    names = ", ".join(f'"{name}"' for name in ("", *protocol["modes"]))
    yield f"#define MODE_NAMES {names}"
    yield ""
    yield f"#define CLOCK_PLAN_COUNT {len(protocol['clock_plans'])}u"
    yield ""
    yield "#endif"


def main() -> None:
    """Write the header to the path of the first argument."""
    protocol = tomllib.loads(SOURCE.read_text(encoding="utf-8"))
    Path(sys.argv[1]).write_text("".join(f"{line}\n" for line in lines(protocol)), encoding="ascii")


if __name__ == "__main__":
    main()
