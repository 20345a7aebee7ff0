# SPDX-License-Identifier: Apache-2.0
"""Step 11: the part in Stop 2 draws what the datasheet says, with the wires and without each of them."""

from __future__ import annotations

from hil.bringup.session import Session
from hil.measurement.text import uncertain, with_unit
from hil.rig import State

_TABLE = "stop2_rtc_lse_quartz"
_BOOT_S = 10.0
"""From power-on to a firmware that listens, as for BOOT."""
_SETTLING_S = 1.0
_LOG_S = 2.0
_PULLED = ("sensor", "sensor_readback", "marker_inference", "marker_active", "supply_readback")


def measure_sleep(session: Session) -> str:
    """The current in Stop 2 against the datasheet's maximum; what each wire adds, where hands can pull it."""
    rig = session.rig
    rig.to(State.MEASURING, session.image, restart=True)
    rig.clock.sleep(_BOOT_S)
    with rig.commander() as commander:
        commander.ask("MODE", name="stop2")
    rig.clock.sleep(_SETTLING_S)
    voltage_v = rig.power_analyzer.measure_voltage_v()
    current_a, uncertainty_a = session.current_a(_LOG_S)
    board = rig.config.board
    figure = board.definition.part.supply_current(
        _TABLE, voltage_v, board.ambient_temperature_c + board.ambient_uncertainty_c
    )
    assert figure.max is not None  # the row has one
    adds_a = _pull_each(session, current_a)
    shown = uncertain(current_a, uncertainty_a, "A")
    if current_a < -uncertainty_a:
        raise session.wrong(
            f"the part gives {shown} in Stop 2",
            expected=f"up to {with_unit(figure.max, 'A')} into it",
            hint="another supply feeds VDD: a wire that idles high, or the board's own regulator",
        )
    if current_a - uncertainty_a > figure.max:
        worst = max(adds_a, key=lambda role: adds_a[role], default=None)
        blamed = worst is not None and adds_a[worst] > uncertainty_a
        raise session.wrong(
            f"the part draws {shown} in Stop 2",
            expected=f"at most {with_unit(figure.max, 'A')} ({figure.source})",
            hint=f"the wire of {worst} takes {with_unit(adds_a[worst], 'A')}: buffer it"
            if blamed and worst is not None
            else "a line that the relay does not open, or a wire to the DAQ: "
            f"{session.rig.config.board.definition.isolation_opened_by}",
        )
    parts = [f"{role} {with_unit(added_a, 'A')}" for role, added_a in adds_a.items()]
    return f"{shown}, at most {with_unit(figure.max, 'A')}" + (f"; of it {', '.join(parts)}" if parts else "")


def _pull_each(session: Session, with_all_a: float) -> dict[str, float]:
    """What each wire adds; empty where nobody pulls wires."""
    adds_a = {}
    for role in _PULLED:
        wire = getattr(session.rig.config.wiring, role)
        if wire is None or not session.move(f"PULL {role}", f"Pull the wire of {role} off the board"):
            continue
        try:
            session.rig.clock.sleep(_SETTLING_S)
            adds_a[role] = with_all_a - session.current_a(_LOG_S)[0]
        finally:
            session.move(f"PLUG {role}", "Put it back")
    return adds_a
