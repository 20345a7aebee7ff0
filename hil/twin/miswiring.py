# SPDX-License-Identifier: Apache-2.0
"""Planted wiring faults: what somebody did wrong when the bench was put together.

They are keys of ``[twin]``, all off by default. Faults of single wires are ``[twin.wires]`` instead: another
``pin`` or ``terminal``, ``open = true``, another ``input_resistance``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hil.twin.bench_values import choice, switch

AMMETERS = ("right", "reversed")
RELAYS = ("fitted", "missing", "without_driver", "welded")
JUMPERS = ("off", "on")
LEADS = ("connected", "open")
GROUNDS = ("connected", "floating")
CRYSTALS = ("fitted", "absent", "slow")
ST_LINKS = ("powered", "unplugged")
TARGETS = ("fitted", "another", "none")
PORTS = ("free", "busy")


@dataclass(frozen=True)
class Miswiring:
    """What is wrong with the bench; the defaults are a bench on which all is right."""

    ammeter: str = "right"
    """"reversed": every current reads with the other sign."""
    relay: str = "fitted"
    """"missing": the jumpers are fitted in its place, so that the lines are always connected. "welded": its
    contacts stay where they were. "without_driver": its coil hangs on the DAQ's line alone."""
    jp6: str = "off"
    """"on": the board's own regulator feeds the part as well."""
    sense_leads: str = "connected"
    """"open": the leads of the analyzer's remote sensing hang in the air."""
    ground: str = "connected"
    """"floating": nothing connects the grounds of DAQ and board."""
    neighbour_channel_on: bool = False
    """Channel 2 of the mainframe is somebody else's, and on."""
    lse: str = "fitted"
    """"absent": MB1136 C.1, which has no crystal. "slow": it takes four times as long to start."""
    st_link: str = "powered"
    """"unplugged": it pulls its lines low."""
    target: str = "fitted"
    """What hangs on the probe: this part, another one, or nothing."""
    console_port: str = "free"
    """"busy": another program holds it."""


def parse(twin: Mapping[str, Any], source: str) -> Miswiring:
    """What ``[twin]`` plants.

    Raises:
        BenchConfigError: a word that is none of the choices.
    """
    where = f"{source}: [twin]"
    return Miswiring(
        ammeter=choice(twin, "ammeter", AMMETERS, where),
        relay=choice(twin, "relay", RELAYS, where),
        jp6=choice(twin, "jp6", JUMPERS, where),
        sense_leads=choice(twin, "sense_leads", LEADS, where),
        ground=choice(twin, "ground", GROUNDS, where),
        neighbour_channel_on=switch(twin, "neighbour_channel_on", False, where),
        lse=choice(twin, "lse", CRYSTALS, where),
        st_link=choice(twin, "st_link", ST_LINKS, where),
        target=choice(twin, "target", TARGETS, where),
        console_port=choice(twin, "console_port", PORTS, where),
    )


NOTHING_WRONG = Miswiring()

KEYS = frozenset(Miswiring.__dataclass_fields__)
