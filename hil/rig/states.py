# SPDX-License-Identifier: Apache-2.0
"""The states of the board on the bench, and the safe ways between them.

* *off*: supply off, outputs at 0 V, debug and console lines open, no debug session;
* *powered*: supplied, lines closed, no debug session; whatever the flash holds runs;
* *programmed*: debug session open, flash proven to hold the image, core halted before its first instruction;
* *running*: the image runs from a reset; the debug session stays open, so memory can be read;
* *measuring*: the image runs from power-on; debugger gone, DBGMCU proven 0, debug and console lines open.

In *running* the part does everything but draw the right current: an open debug session keeps clocks on in
Stop mode. In *measuring* it draws the right current, and neither debugger nor console can see it; for an
exchange over the console its lines are closed for a moment, and the debugger stays away.

Lines are closed, and outputs driven, only while VDD is proven. Before the supply goes off the outputs go to
0 V, the lines open and the rails beside it go off; see :mod:`hil.rig.switching`. In every state but *off* the
rails are on, unless a test has switched one off since the state was entered.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Generator
from contextlib import contextmanager

from hil.errors import RigError, StateError
from hil.firmware.image import Image
from hil.instruments.protocols import Progress
from hil.rig.bench import Bench
from hil.rig.switching import SUPPLY_TOLERANCE


class State(enum.Enum):
    """A state of the board; the module's docstring says what holds in each."""

    OFF = "off"
    POWERED = "powered"
    PROGRAMMED = "programmed"
    RUNNING = "running"
    MEASURING = "measuring"


_OFF_VOLTAGE_V = 0.3
"""VDD below which the part counts as off: far below the power-on reset's falling threshold of 1.6 V (DS10198
Rev 8, table 25), high enough for a meter's offset. The figure itself is an assumption."""
_FALL_S = 10.0
"""Bench time that VDD gets for falling. An assumption: modules that open their output leave a few microfarads
to the board's own leakage, for seconds; one that pulls its output down takes 20 to 25 ms (Series N6700 User's
Guide, output characteristics)."""
_RISE_S = 2.0
"""Bench time that VDD gets for rising: 35 to 60 ms (Series N6700 User's Guide), and two slow readings."""


class BoardStates:
    """Moves the board between its states; knows what is proven and what is not."""

    def __init__(self, bench: Bench) -> None:
        """Nothing is known about the board yet, and nothing is touched."""
        self._bench = bench
        self._state: State | None = None
        self._image: Image | None = None
        self._in_exchange = False

    @property
    def state(self) -> State | None:
        """The state that the board is proven to be in; None at first and after a failure."""
        return self._state

    @property
    def image(self) -> Image | None:
        """The image that the flash is proven to hold, if any."""
        return self._image

    @property
    def supplied(self) -> bool:
        """Whether the board has its supply voltage: measured, or its own where the rig does not supply it."""
        return self._bench.switching.supplied

    def to(
        self,
        state: State,
        image: Image | None = None,
        *,
        restart: bool = False,
        progress: Progress | None = None,
    ) -> bool:
        """Bring the board into ``state`` by the shortest safe way; return whether anything had to be done.

        A way through a power cycle stops the outputs of the DAQ, so play signals after it.

        Args:
            state: where to go.
            image: what the flash must hold; None for what it is proven to hold. It is written only if the
                flash differs.
            restart: enter the state anew even if the board is in it, with a fresh start of the firmware.
            progress: called with the fraction programmed.

        Raises:
            StateError: the rig lacks the instrument that the way needs, or no image is known.
            RigError: the supply does not rise or fall as it should.
        """
        if self._in_exchange:
            raise StateError(
                "the console's lines of a board that is measured are connected",
                where="board",
                operation=state.value,
                hint="end the exchange first",
            )
        if self._state not in (None, State.OFF) and not self.supplied:
            self._state = None  # an error of the analyzer since then
        if state is self._state and not restart and (image is None or self._holds(image)):
            return False
        if self._state is None:
            self._bench.switching.forget()  # after a failure nothing is taken for granted
            if self._bench.opened("board"):
                self._bench.board.abandon()
        self._state = None
        if state is State.OFF:
            self._switch_off()
        elif state is State.POWERED:
            self._power(restart)
        else:
            wanted = image or self._image
            if wanted is None:
                raise StateError(
                    "no image was given, and none is known to be in the flash",
                    where="board",
                    operation=state.value,
                    hint="rig.to(state, image)",
                )
            if state is State.MEASURING:
                self._measure(wanted, progress)
            else:
                self._program(wanted, progress)
                if state is State.RUNNING:
                    self._run()
        self._state = state
        return True

    @contextmanager
    def console_lines(self) -> Generator[None]:
        """Have the console's lines connected inside the ``with``, whatever the state.

        In *measuring* the relay is closed on entry and opened again on every exit; no debug session begins,
        so that ``DBGMCU_CR`` stays what it was, and the firmware runs on. The current is not the part's
        alone meanwhile. Elsewhere the lines are connected anyway.

        Raises:
            StateError: the firmware does not run, or the rig cannot connect the lines of a board that is
                measured.
        """
        if self._state not in (State.POWERED, State.RUNNING, State.MEASURING):
            known = "unknown" if self._state is None else self._state.value
            raise StateError(
                f"the board is in state {known}",
                where="board",
                operation="connect the console",
                expected="powered, running or measuring",
                hint="rig.to(State.RUNNING, image)",
            )
        if self._state is not State.MEASURING or not self._bench.has_lines:
            yield
            return
        self._state = None  # until the lines are open again
        self._in_exchange = True
        try:
            self._connect_lines()
            yield
        finally:
            self._in_exchange = False
            self._bench.open_lines()
            self._state = State.MEASURING

    @contextmanager
    def open_lines(self) -> Generator[None]:
        """Have the debug and console lines open inside the ``with``, in *powered*; closed again afterwards.

        Raises:
            StateError: the board is in another state.
        """
        if self._state is not State.POWERED:
            known = "unknown" if self._state is None else self._state.value
            raise StateError(
                f"the board is in state {known}",
                where="board",
                operation="open the lines",
                expected="powered",
                hint="rig.to(State.POWERED)",
            )
        self._state = None  # until the lines are closed again
        self._bench.open_lines()
        try:
            yield
        finally:
            self._connect_lines()
            self._state = State.POWERED

    @contextmanager
    def let_go(self) -> Generator[None]:
        """Have the run that the debugger has halted go on without debugger and lines, inside the ``with``.

        The part then draws what it draws in *measuring*, without a start in between. Which state the board is
        in afterwards is not known.

        Raises:
            StateError: the board is not *running*.
        """
        if self._state is not State.RUNNING:
            known = "unknown" if self._state is None else self._state.value
            raise StateError(
                f"the board is in state {known}", where="board", operation="let go", expected="running"
            )
        self._state = None
        self._bench.board.detach()
        self._bench.open_lines()
        yield

    def prove_supply(self) -> None:
        """Read VDD until it is what the supply is set to, as after switching it on.

        Raises:
            RigError: it does not come back.
        """
        voltage_v = self._vdd_within(_RISE_S, self._is_supply_voltage)
        if not self._is_supply_voltage(voltage_v):
            raise RigError(
                f"VDD is {voltage_v:.3f} V",
                where="board",
                operation="restore the supply",
                expected=f"{self._bench.config.board.supply_voltage_v:g} V within {_RISE_S:g} s",
            )

    def _holds(self, image: Image) -> bool:
        """Whether the flash is proven to hold ``image``."""
        return self._image is not None and self._image.sha256 == image.sha256

    def _power(self, restart: bool) -> None:
        if self._bench.has("board"):
            self._bench.board.detach()
        if restart:
            self._switch_off()
        self._switch_on()
        self._connect_lines()

    def _program(self, image: Image, progress: Progress | None) -> None:
        bench = self._bench
        if not bench.has("board"):
            raise StateError("the rig has no debug probe", where="board", operation="program")
        self._switch_on()
        self._connect_lines()
        bench.board.connect(under_reset=True)  # a sleeping part answers in no other way
        if not self._holds(image):
            self._image = None
            bench.board.program([(segment.address, segment.data) for segment in image.segments], progress)
            self._image = image
        bench.board.reset(halt=True)

    def _run(self) -> None:
        if self._bench.has("console"):
            self._bench.console.clear()
        self._bench.board.resume()

    def _measure(self, image: Image, progress: Progress | None) -> None:
        bench = self._bench
        can_cycle_power = bench.has("supply")
        if not self._holds(image) or not can_cycle_power:
            self._program(image, progress)
        bench.board.detach()  # from here on the image runs, from its reset
        bench.open_lines()
        if can_cycle_power:
            self._switch_off()
            self._switch_on()

    def _switch_off(self) -> None:
        bench = self._bench
        if not bench.has("supply"):
            raise StateError("the rig has no supply to switch the board off", where="board", operation="off")
        self._stop_driving()
        if bench.opened("board"):
            bench.board.abandon()
        bench.open_lines()
        bench.rails_off()
        bench.supply.supply_off()
        voltage_v = self._vdd_within(_FALL_S, lambda voltage_v: abs(voltage_v) < _OFF_VOLTAGE_V)
        if abs(voltage_v) >= _OFF_VOLTAGE_V:
            raise RigError(
                f"VDD is still {voltage_v:.2f} V with the supply off",
                where="board",
                operation="off",
                expected=f"below {_OFF_VOLTAGE_V:g} V within {_FALL_S:g} s",
                hint="something feeds the part through its pins: "
                f"{bench.config.board.definition.isolation_jumpers}, a wire to the DAQ",
            )

    def _switch_on(self) -> None:
        """Supply the part, from a proven off, and then the rails; its lines stay open."""
        if not self.supplied:
            self._supply_on()
        self._bench.rails_on()

    def _supply_on(self) -> None:
        bench = self._bench
        known_v = bench.switching.vdd_v
        if known_v is None or abs(known_v) >= _OFF_VOLTAGE_V:
            self._switch_off()  # without it a short dip would pass for a power cycle
        board, supply = bench.config.board, bench.supply
        supply.supply_on(board.supply_voltage_v, board.supply_current_limit_a)
        voltage_v = self._vdd_within(_RISE_S, self._is_supply_voltage)
        if not self._is_supply_voltage(voltage_v):
            supply.supply_off()
            raise RigError(
                f"VDD is {voltage_v:.3f} V",
                where="board",
                operation="power on",
                expected=f"{board.supply_voltage_v:g} V within {_RISE_S:g} s",
                hint="a short circuit, the current limit, or a sense line that is not connected",
            )

    def _connect_lines(self) -> None:
        """Close the lines of a part whose VDD is read once more before."""
        bench = self._bench
        if not bench.has_lines or bench.switching.lines_open is False:
            return
        if bench.has("supply"):
            voltage_v = bench.read_vdd_v()
            if not self._is_supply_voltage(voltage_v):
                raise RigError(
                    f"VDD is {voltage_v:.3f} V, and was right before",
                    where="board",
                    operation="connect the lines",
                    expected=f"{bench.config.board.supply_voltage_v:g} V",
                    hint="a protection of the analyzer, or its watchdog, has cut the supply",
                )
        bench.close_lines()

    def _vdd_within(self, limit_s: float, holds: Callable[[float], bool]) -> float:
        """VDD as read when ``holds`` is true of it, or as read last after ``limit_s`` of bench time."""
        bench = self._bench
        deadline_s = bench.clock.now_s() + limit_s
        while True:
            voltage_v = bench.read_vdd_v()
            if holds(voltage_v) or bench.clock.now_s() >= deadline_s:
                return voltage_v

    def _is_supply_voltage(self, voltage_v: float) -> bool:
        wanted_v = self._bench.config.board.supply_voltage_v
        return abs(voltage_v - wanted_v) <= SUPPLY_TOLERANCE * wanted_v

    def _stop_driving(self) -> None:
        """Put the DAQ's outputs to 0 V: a driven pin feeds an unpowered part (DS10198 Rev 8, table 21)."""
        if self._bench.has("daq"):
            self._bench.daq.stop()
