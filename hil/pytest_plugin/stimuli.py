# SPDX-License-Identifier: Apache-2.0
"""What a test does to a device, in its user's own words. Expectations are in :mod:`.expectations`.

    def test_the_button_wakes_it(button, current):
        with button.held():
            current.rises_above("500 uA", within="200 ms")
        current.settles_below("2 uA", within="5 s")

Times, currents and voltages are texts with their units. All of it goes through the rig's own drivers, so it
works on any bench; what a bench cannot do skips the test by name. Nothing leaves the limits of the board and
of its wires: what would is refused before it is done.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from hil import quantity
from hil.config import ContactWire
from hil.errors import ConfigError, SafetyError

if TYPE_CHECKING:
    from hil.firmware.image import Image
    from hil.instruments.protocols import Supply
    from hil.rig import Rig

_RAMP_STEPS = 20
"""Of a ramp of the supply (assumption)."""
_PLAY_RATE = "10 kHz"


class Device:
    """The ``device`` fixture: the board with the firmware, started from power-on for this test."""

    def __init__(self, rig: Rig, image: Image) -> None:
        self._rig, self._image = rig, image

    def start(self) -> None:
        """Switch it off and on again, and leave it alone, so that its current is right."""
        from hil.rig import State

        self._rig.to(State.MEASURING, self._image, restart=True)

    def reset(self) -> None:
        """Reset it, with debug port and console connected from the first instruction on.

        An open debug session keeps clocks on in Stop: what looks at the current starts the device anew.
        """
        from hil.rig import State

        self._rig.to(State.RUNNING, self._image, restart=True)

    def measured(self) -> None:
        """Make its current its own, by :meth:`start` where debug port or console are connected."""
        from hil.rig import State

        self._rig.to(State.MEASURING, self._image)


class Contact:
    """The ``button`` fixture, and those of ``contacts``: a contact at a pin, open until it is closed."""

    def __init__(self, rig: Rig, role: str, wire: ContactWire) -> None:
        self._rig, self._role, self._wire = rig, role, wire

    def __str__(self) -> str:
        return f"{self._role}, which connects {self._wire.pin} with the {self._wire.connects} level"

    @contextmanager
    def held(self) -> Generator[None]:
        """Have it closed inside the ``with``."""
        self._rig.daq.write_line(self._wire.terminal, self._wire.active == "high")
        try:
            yield
        finally:
            self._rig.daq.write_line(self._wire.terminal, self._wire.active == "low")

    def press(self, duration: str = "100 ms") -> None:
        """Close it for a time, of at least some milliseconds on a real bench."""
        with self.held():
            self._rig.clock.sleep(quantity.parse(duration, "s"))


class AnalogSignal:
    """The ``signal`` fixture: a voltage at the sensor's pin, until another one, :meth:`stop` or a restart."""

    def __init__(self, rig: Rig, terminal: str) -> None:
        self._rig, self._terminal = rig, terminal

    def hold(self, voltage: str) -> None:
        """Put out a constant voltage."""
        self._allowed()
        self._rig.daq.set_voltage(self._terminal, quantity.parse(voltage, "V"))

    def play(self, volts: ArrayLike, rate: str = _PLAY_RATE, *, repeat: bool = True) -> None:
        """Put out samples in volts: over and over, or once, and wait for their end."""
        self._allowed()
        samples_v = np.asarray(volts, dtype=np.float64)
        self._rig.daq.play(self._terminal, samples_v, quantity.parse(rate, "Hz"), repeat=repeat)

    def play_file(self, path: str | Path, rate: str = _PLAY_RATE, *, repeat: bool = True) -> None:
        """Put out a file's samples in volts: ``.npy``, or text with one number a line."""
        self.play(_samples(Path(path)), rate, repeat=repeat)

    def sine(self, frequency: str, amplitude: str, offset: str, rate: str = _PLAY_RATE) -> None:
        """Put out a sine, of a frequency that is rounded so that a whole number of samples repeats."""
        hz, peak_v, mean_v = (
            quantity.parse(text, unit) for text, unit in ((frequency, "Hz"), (amplitude, "V"), (offset, "V"))
        )
        count = round(quantity.parse(rate, "Hz") / hz)
        if count < _SINE_LEAST:
            raise ConfigError(f"{frequency} at {rate}: fewer than {_SINE_LEAST} samples a period")
        self.play(mean_v + peak_v * np.sin(np.linspace(0, 2 * np.pi, count, endpoint=False)), rate)

    def stop(self) -> None:
        """Put the output to 0 V, as all outputs."""
        self._rig.daq.stop()

    def _allowed(self) -> None:
        if not self._rig.supplied:
            raise SafetyError(
                "the board is not supplied, and the signal would feed it through its pin",
                where=self._terminal,
                operation="put out a signal",
                hint="device.start() comes first",
            )


_SINE_LEAST = 4


def _samples(path: Path) -> NDArray[np.float64]:
    try:
        if path.suffix == ".npy":
            samples = np.load(path, allow_pickle=False)
        else:
            samples = np.loadtxt(path, dtype=np.float64, ndmin=1)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"cannot be read: {error}", file=path, expected=".npy, or text with one number a line"
        ) from error
    if samples.ndim != 1 or not samples.size:
        raise ConfigError(f"has the shape {samples.shape}", file=path, expected="one column of volts")
    return np.asarray(samples, dtype=np.float64)


class SupplyStimulus:
    """The ``power`` fixture: what a battery or a bad contact does to the supply of a device that runs.

    Outputs go to 0 V before, since they would feed the part through its pins. How short a dip can be is the
    bench's: the supply gets two commands.
    """

    def __init__(self, rig: Rig, supply: Supply, device: Device) -> None:
        self._rig, self._supply, self._device = rig, supply, device

    def dip(self, voltage: str, duration: str) -> None:
        """Lower the supply for a time, and bring it back."""
        wanted_v, duration_s = quantity.parse(voltage, "V"), quantity.parse(duration, "s")
        self._check(wanted_v)
        with self._disturbed():
            self._set(wanted_v)
            self._rig.clock.sleep(duration_s)

    def ramp(self, voltage: str, duration: str, hold: str = "0 s") -> None:
        """Bring the supply to a voltage in steps, hold it, and bring it back at once."""
        wanted_v, duration_s, hold_s = (
            quantity.parse(text, unit) for text, unit in ((voltage, "V"), (duration, "s"), (hold, "s"))
        )
        self._check(wanted_v)
        begin_v = self._rig.config.board.supply_voltage_v
        with self._disturbed():
            for step in range(1, _RAMP_STEPS + 1):
                self._set(begin_v + (wanted_v - begin_v) * step / _RAMP_STEPS)
                self._rig.clock.sleep(duration_s / _RAMP_STEPS)
            self._rig.clock.sleep(hold_s)

    def cycle(self, off: str = "1 s") -> None:
        """Switch it off for a time, until VDD is proven to be gone, and start the device."""
        from hil.rig import State

        self._rig.to(State.OFF)
        self._rig.clock.sleep(quantity.parse(off, "s"))
        self._device.start()

    def _check(self, voltage_v: float) -> None:
        most_v = self._rig.config.board.definition.supply_maximum_v
        if not 0 <= voltage_v <= most_v:
            raise SafetyError(
                f"{voltage_v:g} V",
                where="power",
                operation="set",
                expected=f"0 V to {most_v:g} V, the board's",
            )

    def _set(self, voltage_v: float) -> None:
        self._supply.supply_on(voltage_v, self._rig.config.board.supply_current_limit_a)

    @contextmanager
    def _disturbed(self) -> Generator[None]:
        """Have the device run by itself, and its supply back in order afterwards, read and found right."""
        self._device.measured()
        if self._rig.has("daq"):
            self._rig.daq.stop()
        board = self._rig.config.board
        try:
            yield
        finally:
            self._set(board.supply_voltage_v)
            self._rig.prove_supply()


@pytest.fixture
def device(rig: Rig, image: Image) -> Device:
    """The device with its firmware, started from power-on for this test: ``device.reset()``."""
    started = Device(rig, image)
    started.start()
    return started


def contact_of(rig: Rig, role: str) -> Contact:
    """The contact in a role of the wiring; skips the test where the rig has none."""
    wiring = rig.config.wiring
    wires = {"button": wiring.button, "contact_1": wiring.contact_1, "contact_2": wiring.contact_2}
    if role not in wires:
        raise ConfigError(f"{role!r} is no contact of [wiring]", expected=f"one of {', '.join(wires)}")
    wire = wires[role]
    if wire is None:
        pin = rig.config.board.definition.button if role == "button" else None
        pytest.skip(
            f"rig {rig.config.name} has no [wiring] {role}; a relay or open-drain driver at the pin, then: "
            f'{role} = {{ pin = "{pin or "PC2"}", terminal = "Dev1/port0/line1", active = "high", '
            'connects = "low" }'
        )
    return Contact(rig, role, wire)


@pytest.fixture
def button(rig: Rig, device: Device) -> Contact:
    """The user's button: ``button.press()``, ``with button.held(): ...``. Skips where no contact is wired."""
    return contact_of(rig, "button")


class Contacts:
    """The ``contacts`` fixture: ``contacts["contact_1"].press()``."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    def __getitem__(self, role: str) -> Contact:
        return contact_of(self._rig, role)


@pytest.fixture
def contacts(rig: Rig, device: Device) -> Contacts:
    """The contacts at pins by their roles: ``contacts["contact_1"].press()``."""
    return Contacts(rig)


@pytest.fixture
def signal(rig: Rig, device: Device) -> Generator[AnalogSignal]:
    """An analog signal at the sensor's pin: ``signal.sine("50 Hz", "0.5 V", "1.5 V")``."""
    wire = rig.config.wiring.sensor
    if wire is None:
        pytest.skip(
            f"rig {rig.config.name} has no [wiring] sensor; an analog output at the pin, then: sensor = "
            '{ pin = "PA0", terminal = "Dev1/ao0", minimum = "0 V", maximum = "3 V" }'
        )
    played = AnalogSignal(rig, wire.terminal)
    yield played
    played.stop()


@pytest.fixture
def power(rig: Rig, supply: Supply, device: Device) -> SupplyStimulus:
    """The supply as a stimulus: ``power.dip("1.5 V", "100 ms")``, ``power.ramp("1.8 V", "2 s")``."""
    return SupplyStimulus(rig, supply, device)


@pytest.fixture
def temperature(rig: Rig) -> None:
    """A chamber that sets the device's temperature. No rig has one yet, so that its tests are skipped."""
    pytest.skip(
        f"rig {rig.config.name} has no chamber, and hil-rig no driver for one: "
        "docs/how_to_add_an_instrument.md says how to add it"
    )
