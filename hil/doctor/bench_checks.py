# SPDX-License-Identifier: Apache-2.0
"""The checks on the open bench: those of the bring-up that need nobody's hands and no firmware."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hil.bringup.board_supply import bring_the_board_up
from hil.bringup.instruments import check_analyzer, check_daq, check_ports
from hil.bringup.operators import Unattended
from hil.bringup.part import identify_the_part
from hil.bringup.session import Session
from hil.bringup.wires import check_wires_as_it_is
from hil.config import RigConfig
from hil.doctor.finding import Finding, State
from hil.errors import BringUpError, HilError, RigBusyError
from hil.firmware.image import Image
from hil.rig import open_rig


@dataclass(frozen=True)
class _Check:
    name: str
    needs: tuple[str, ...]
    check: Callable[[Session], str]
    relies: bool = False
    """Whether it drives something, so that a fault before it must be mended first."""


def _thermometer(session: Session) -> str:
    thermometer = session.rig.thermometer
    identity = thermometer.identity()
    return f"{identity.model} {identity.serial}, {thermometer.measure_c():.2f} °C"


_CHECKS = (
    _Check("probe and console", (), check_ports),
    _Check("DAQ, ground and back-feed", ("daq",), check_daq),
    _Check("power analyzer", ("power_analyzer",), check_analyzer),
    _Check("thermometer", ("thermometer",), _thermometer),
    _Check("supply of the board, relay", ("power_analyzer",), bring_the_board_up, relies=True),
    _Check("part", ("board", "power_analyzer"), identify_the_part, relies=True),
    _Check("wires", ("board", "daq", "power_analyzer"), check_wires_as_it_is, relies=True),
)


def bench_findings(config: RigConfig, service_arguments: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Open the bench, make every check that is safe, and leave it off."""
    try:
        with open_rig(config, service_arguments) as rig:
            session = Session(rig, Unattended(), _no_image)
            wrong = False
            for check in _CHECKS:
                found = _made(check, session, wrong)
                wrong = wrong or found.state is State.WRONG
                yield found
    except RigBusyError as error:
        yield Finding("bench", State.WRONG, str(error), error.hint or "hil rigs")
    except HilError as error:
        yield Finding("bench", State.WRONG, str(error), error.hint or f"hil rig check {config.name}")


def _made(check: _Check, session: Session, wrong: bool) -> Finding:
    missing = [name for name in check.needs if not session.rig.has(name)]
    if missing:
        return Finding(check.name, State.LEFT_OUT, f"the rig has no {', '.join(missing)}")
    if check.relies and wrong:
        return Finding(check.name, State.LEFT_OUT, "a fault before it is to be mended first")
    session.title = check.name
    try:
        return Finding(check.name, State.GOOD, check.check(session))
    except BringUpError as error:
        told = f"{error.message}; expected {error.expected}" if error.expected else error.message
        return Finding(check.name, State.WRONG, told, error.hint)
    except HilError as error:
        return Finding(check.name, State.WRONG, str(error), error.hint or "hil -v doctor shows what was said")


def _no_image() -> Image:
    raise AssertionError("a check that leaves the flash as it is asks for no image")
