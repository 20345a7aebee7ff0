# SPDX-License-Identifier: Apache-2.0
"""A rig: a bench in use by this process, from its lock to its safe state."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import platform
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from hil.config import BringUpResults, RigConfig, calibration, resolve
from hil.errors import HilError, RigError, TeardownError
from hil.firmware.image import Image
from hil.instruments.commander import Commander
from hil.instruments.interrupts import held_back
from hil.instruments.protocols import (
    Ammeter,
    Board,
    Clock,
    Console,
    Daq,
    PowerAnalyzer,
    Progress,
    Supply,
    Thermometer,
)
from hil.rig import marker_loads
from hil.rig.bench import Bench
from hil.rig.claims import claims
from hil.rig.guardian import Guardian
from hil.rig.lock import NO_WAIT, BenchLock, Wait
from hil.rig.mailbox import Mailbox
from hil.rig.marker_loads import MARKERS, PinLoad
from hil.rig.rails import Rail
from hil.rig.safe_state import STEP_LIMIT_S, opening_steps, safe_state_steps
from hil.rig.service import Service
from hil.rig.states import BoardStates, State
from hil.rig.switching import Switching, find_violations
from hil.rig.teardown import Step, run_steps

_SERVICE_LIMIT_S = 10.0
"""Wall time for ending the service, which is terminated and killed within it."""

_VDD_BY_ANALYZER = (
    "VDD is read by the power analyzer, whose relay is open while the output is off: the rig has no "
    "supply_readback, so that a part fed through its pins would count as off."
)

_LINES_FOLLOW = (
    "The probe's lines stay connected to a part that is switched off, and while its current is measured: "
    "level shifters drive them no higher than the part's supply ([probe] levels)."
)
_LINES_BY_HAND = (
    "The rig has no relay in the debug and console lines, and its probe drives them to its own level: "
    "whoever runs it sees to it that they feed nothing into a part that is switched off."
)

SWITCHING_FILE = "switching.jsonl"
"""The record of switching, in the folder of a run."""

_LIBRARIES = ("hil-rig", "pyocd", "nidaqmx", "PyVISA", "PyVISA-py", "pyserial", "numpy")
"""Distributions whose versions belong into the record of a run."""


class Rig:
    """A bench in use, made by :func:`open_rig`. A context manager; leaving it leaves a safe bench behind."""

    def __init__(
        self,
        config: RigConfig,
        service_arguments: Sequence[str] = (),
        record_folder: Path | None = None,
        wait: Wait = NO_WAIT,
        *,
        bring_up: BringUpResults | None = None,
    ) -> None:
        """Nothing is started or locked yet; see :func:`open_rig`."""
        self._bring_up = bring_up
        self._record_folder = record_folder
        self._switching_file: IO[bytes] | None = None
        self._unwritten = ""
        self._configured = config
        self._service_arguments = tuple(service_arguments)
        self._service: Service | None = None
        self._wait = wait
        self._lock = BenchLock(config.name)
        self._bench: Bench | None = None
        self._states: BoardStates | None = None
        self._commander: Commander | None = None
        self._closed = False
        self._guardian: Guardian | None = None

    def __enter__(self) -> Self:
        """Take the bench.

        Raises:
            RigBusyError: another process has it.
            ServiceError: its service does not start.
        """
        config = self._configured
        self._closed = False
        try:
            if config.service is None:
                self._lock.acquire(claims(config), self._wait)
                if config.instruments:
                    self._guardian = Guardian(config, self._record_folder)
            else:  # a bench that is started for this process is nobody else's: nothing to lock
                self._service = Service(config.service, config.file, self._service_arguments)
                config = resolve(config, self._service.addresses)
            if self._record_folder is not None:
                self._switching_file = (self._record_folder / SWITCHING_FILE).open("ab", buffering=0)
            self._bench = Bench(config, self._write_switching)
            self._states = BoardStates(self._bench)
        except BaseException:  # Ctrl-C too: what was started is ended
            run_steps(self._release_steps())
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave a safe bench: outputs off, tasks cleared, probe detached, service ended, lock released.

        Raises:
            TeardownError: a step failed. With another error in flight, that one goes on, with a note.
        """
        errors = self.close()
        if errors:
            failure = TeardownError(errors, where=self._configured.name)
            if error is None:
                raise failure
            error.add_note(str(failure))

    def close(self, hurried: Callable[[], bool] = lambda: False) -> list[HilError]:
        """Leave a safe bench and return what went wrong; a second call does nothing.

        Args:
            hurried: whether somebody has asked for the end more than once.
        """
        if self._closed:
            return []
        bench = self._bench
        errors: list[HilError] = []
        try:
            with held_back() as held:

                def in_a_hurry() -> bool:
                    return held.count > 0 or hurried()

                if bench is not None:
                    bench.go_down()
                    # Not those of a service, which nobody used before and nobody will use again.
                    untouched = opening_steps(bench) if self._service is None else []
                    errors += run_steps(untouched, in_a_hurry)
                    errors += run_steps(safe_state_steps(bench), in_a_hurry)
                    errors += _broken_order(bench)
                errors += run_steps(self._release_steps(safe=not errors), in_a_hurry)
                errors += _harm(self._service)
                if self._unwritten:
                    errors.append(
                        RigError(self._unwritten, where=SWITCHING_FILE, operation="record what is switched")
                    )
        finally:
            self._closed = True
            self._bench = self._states = self._commander = None
        return errors

    def emergency(self) -> None:
        """Have the bench switched off without this process's main thread, which is stuck: by the guardian, or
        by the end of the bench's service.
        """
        if self._guardian is not None:
            self._guardian.act_now()
        if self._service is not None:
            self._service.kill()

    @property
    def config(self) -> RigConfig:
        """The configuration, with every address known."""
        return self._open_bench().config

    @property
    def clock(self) -> Clock:
        """The bench's time."""
        return self._open_bench().clock

    @property
    def board(self) -> Board:
        """The device under test behind its debug probe. Raises RigError if the rig has none."""
        return self._open_bench().board

    @property
    def daq(self) -> Daq:
        """The DAQs as one; a terminal's name says which is meant. Raises RigError if the rig has none."""
        return self._open_bench().daq

    @property
    def daqs(self) -> Mapping[str, Daq]:
        """Each DAQ, opened, by its table's name: "daq", "daqs.signal"."""
        return {role: one.daq for role, one in self._open_bench().daqs.items()}

    @property
    def power_analyzer(self) -> PowerAnalyzer:
        """The supply and ammeter. Raises RigError if the rig has none."""
        return self._open_bench().power_analyzer

    @property
    def supply(self) -> Supply:
        """What supplies the part. Raises RigError if the rig has nothing that does."""
        return self._open_bench().supply

    @property
    def ammeter(self) -> Ammeter:
        """What measures the part's current. Raises RigError if the rig has nothing that does."""
        return self._open_bench().ammeter

    @property
    def thermometer(self) -> Thermometer:
        """What measures the temperature around the part. Raises RigError if the rig has nothing that does."""
        return self._open_bench().thermometer

    @property
    def rails(self) -> Mapping[str, Rail]:
        """The rails beside the part's supply, by their names in the rig's file."""
        return self._open_bench().rails

    @property
    def console(self) -> Console:
        """The firmware's console. Raises RigError if the rig has none."""
        return self._open_bench().console

    def has(self, name: str) -> bool:
        """Whether the rig has an instrument ("board", "daq", ...), a wire ("sensor", ...), a DAQ beside
        the first ("daqs.signal"), or a rail ("rails.radio").
        """
        return self._open_bench().has(name)

    @property
    def state(self) -> State | None:
        """The state that the board is proven to be in; None while unknown."""
        return self._open_states().state

    @property
    def supplied(self) -> bool:
        """Whether the board is known to have its supply voltage, so that its pins may be driven."""
        return self._open_states().supplied

    def to(
        self,
        state: State,
        image: Image | None = None,
        *,
        restart: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Bring the board into ``state``: see :meth:`hil.rig.states.BoardStates.to`.

        Raises:
            RigError: the bench's service reports harm that has been done to the bench.
        """
        moved = self._open_states().to(state, image, restart=restart, progress=progress)
        for error in _harm(self._service):
            raise error
        if moved and self._commander is not None:
            self._commander.started_anew()

    def mailbox(self, image: Image, progress: Progress | None = None) -> Mailbox:
        """The mailbox of ``image``, which is programmed first if need be. To be used as a context manager.

        Leaving it restarts the firmware; the board is then running.
        """
        # Entering and leaving both restart the firmware, so that running holds before and after.
        self.to(State.RUNNING, image, progress=progress)
        return Mailbox(self.board, self.clock, image)

    def marker_loads(self, image: Image, progress: Progress | None = None) -> list[PinLoad]:
        """What the wires at the marker pins draw from the part's supply while their marker is high.

        Measured where the rig has a probe and a power analyzer: the board is then *programmed*, and the
        debugger moves the pins. Elsewhere it is what the DAQ's document allows.

        Raises:
            RigError: the rig has no markers' wires.
        """
        bench = self._open_bench()
        roles = {role: str(getattr(bench.config.wiring, role).pin) for role in MARKERS if bench.has(role)}
        if not roles:
            raise RigError("no marker is wired", where=self._configured.name, expected="a marker in [wiring]")
        if not (bench.has("board") and bench.has("power_analyzer")):
            return marker_loads.from_documents(bench, roles)
        self.to(State.PROGRAMMED, image, restart=True, progress=progress)
        return marker_loads.measure(bench, roles)

    @contextmanager
    def commander(self) -> Generator[Commander]:
        """Commands over the console to the firmware that runs, in *powered*, *running* or *measuring*.

        To be used as a context manager. A board in *measuring* has its lines connected meanwhile, without
        a debugger, and is measuring again afterwards; the firmware goes on listening for a moment more
        (:data:`hil.instruments.commander.LISTENING_S`). What the console received before is forgotten.

        Raises:
            StateError: the firmware does not run.
        """
        if self._commander is None:
            self._commander = Commander(self.console, self.clock)
        with self._open_states().console_lines():
            if self.state is not State.RUNNING:  # while the lines were open anything may have been cut
                self.console.clear()
            yield self._commander

    def console_lines(self) -> AbstractContextManager[None]:
        """The console's lines connected, whatever the state: see :meth:`BoardStates.console_lines`."""
        return self._open_states().console_lines()

    def prove_supply(self) -> None:
        """Read VDD after a disturbance of the supply: see :meth:`BoardStates.prove_supply`."""
        self._open_states().prove_supply()

    def open_lines(self) -> AbstractContextManager[None]:
        """The debug and console lines open, in *powered*: see :meth:`BoardStates.open_lines`."""
        return self._open_states().open_lines()

    def let_go(self) -> AbstractContextManager[None]:
        """The same run without debugger and lines: see :meth:`hil.rig.states.BoardStates.let_go`."""
        return self._open_states().let_go()

    @property
    def bring_up(self) -> BringUpResults | None:
        """What a bring-up has proven about this bench, if there was one."""
        return self._bring_up

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the rig's service has said while it ran, also after :meth:`close`."""
        return () if self._service is None else self._service.remarks

    def record(self) -> dict[str, Any]:
        """What the bench is: identities, calibration dates, software versions, its own assumptions.

        Opens every instrument.

        Raises:
            RigError: the results of the bring-up are those of other instruments.
        """
        config = self.config
        identities = self._open_bench().identities()
        if self._bring_up is not None:
            self._bring_up.check_serials({name: who.serial for name, who in identities.items()})
        versions = {name: importlib.metadata.version(name) for name in _LIBRARIES if _installed(name)}
        return {
            "rig": config.name,
            "file": str(config.file),
            "board": config.board.name,
            "devices": [f"{device.name} on {device.bus}" for device in config.board.connected],
            "identities": {name: vars(who) for name, who in identities.items()},
            "bring_up": None
            if self._bring_up is None
            else f"{self._bring_up.file.name} of {self._bring_up.date.isoformat()}",
            "calibration_dates": {
                name: table.calibration_date.isoformat()
                for name, table in config.instruments.items()
                if table.calibration_date is not None
            },
            "calibration_due": {
                name: table.calibration_due.isoformat()
                for name, table in config.instruments.items()
                if table.calibration_due is not None
            },
            "versions": {"Python": platform.python_version(), **versions},
            "platform": platform.platform(),
            "assumptions": [
                *(self._service.assumptions if self._service is not None else ()),
                *((_VDD_BY_ANALYZER,) if _reads_vdd_by_analyzer(config) else ()),
                *_lines_without_relay(config),
                *_overdue_calibrations(config),
            ],
        }

    def _open_bench(self) -> Bench:
        if self._bench is None:
            raise RigError(
                "the rig is not open", where=self._configured.name, expected="with open_rig(config) as rig:"
            )
        return self._bench

    def _open_states(self) -> BoardStates:
        self._open_bench()
        assert self._states is not None  # set and cleared together with the bench
        return self._states

    def _write_switching(self, entry: Switching) -> None:
        if self._switching_file is None:
            return
        try:
            self._switching_file.write(json.dumps(dataclasses.asdict(entry)).encode() + b"\n")
        except OSError as error:  # a full disk must not keep an output from being switched off
            self._unwritten = str(error)

    def _release_steps(self, *, safe: bool = True) -> list[Step]:
        steps = [Step("lock released", self._lock.release, STEP_LIMIT_S)]
        if self._guardian is not None:  # which takes the lock where it has to act
            guardian = self._guardian
            steps.append(Step("guardian dismissed", lambda: guardian.dismiss(safe=safe), STEP_LIMIT_S))
        if self._switching_file is not None:
            steps.append(Step("record of switching closed", self._switching_file.close, STEP_LIMIT_S))
        if self._service is not None:
            steps.append(Step("service ended", self._service.close, _SERVICE_LIMIT_S, switches_off=True))
        return steps


def open_rig(
    config: RigConfig,
    service_arguments: Sequence[str] = (),
    record_folder: Path | None = None,
    wait: Wait = NO_WAIT,
    *,
    bring_up: BringUpResults | None = None,
) -> Rig:
    """A rig from a loaded configuration, to be entered with ``with``.

    Args:
        config: from :func:`hil.config.load_rig`.
        service_arguments: appended to the command of the rig's service, if it has one ("--seed", "7").
        record_folder: takes the record of switching, a line of JSON for each act (see
            :class:`hil.rig.switching.Switching`), and what the guardian did, if it had to.
        wait: how long to wait for a bench that somebody else uses.
        bring_up: from :func:`hil.config.load_bring_up`.
    """
    return Rig(config, service_arguments, record_folder, wait, bring_up=bring_up)


def _broken_order(bench: Bench) -> list[RigError]:
    """The first act in the wrong order, if any: a bug of the controller, or a bench that did not obey."""
    violations = find_violations(
        bench.switching.entries,
        bench.switching.minimum_v,
        has_lines=bench.has_lines,
        outputs=[one.device for one in bench.daqs.values()],
        rails=[rail.name for rail in bench.rails.values() if rail.has_supply],
    )
    return [
        RigError(
            text,
            where="board",
            operation="order of switching",
            expected="lines open and outputs at 0 V whenever VDD is not proven",
            hint="measure the part's pins before trusting it further",
        )
        for text in violations[:1]
    ]


def _harm(service: Service | None) -> list[RigError]:
    """What the bench's service says that a real bench would not have survived, each an error."""
    return [
        RigError(
            text,
            where="board",
            operation="harm reported by the bench",
            expected="nothing driven beyond what it stands",
            hint="the record of switching shows the order that led to it",
        )
        for text in (service.harm if service is not None else ())
    ]


def _overdue_calibrations(config: RigConfig) -> Iterator[str]:
    today = datetime.now(UTC).date()
    for name, table in config.instruments.items():
        if (found := calibration.overdue(table, today)) is not None:
            yield f"[{name}] {found}: its accuracy is taken to hold."


def _lines_without_relay(config: RigConfig) -> list[str]:
    if config.supplied_by is None or config.probe is None or config.wiring.debug_connection is not None:
        return []
    return [_LINES_FOLLOW if config.probe.levels == "target" else _LINES_BY_HAND]


def _reads_vdd_by_analyzer(config: RigConfig) -> bool:
    return config.supplied_by is not None and config.wiring.supply_readback is None


def _installed(distribution: str) -> bool:
    return any(True for _ in importlib.metadata.distributions(name=distribution))
