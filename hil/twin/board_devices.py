# SPDX-License-Identifier: Apache-2.0
"""Devices on the part's buses: those that are soldered to the board, and those that the rig file names.

A device is on the bus for as long as the bench exists. Its supply is not the part's, and nothing that it
draws is in the part's current: no board's file has a figure. A model that is a :class:`hil.twin.rails.Load`
can hang on a rail of the rig file instead, and then works only while that is on. A device is reached through
whichever pins the part's bus is routed to.

A device's model is found by its kind among the entry points of the group ``hil.twin_devices``, so that
another package can bring one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Final, Protocol, cast

from hil.boards import Device
from hil.twin.core.scheduler import Scheduler
from hil.twin.errors import BenchConfigError
from hil.twin.far_end import FarEnd
from hil.twin.ip.bus_devices import I2cDevice, SpiDevice, UartDevice
from hil.twin.mcu import Mcu
from hil.twin.pins import Pin, Pins

GROUP: Final = "hil.twin_devices"
"""Entry points: the kind of a device, and what makes its model."""

Motion = Callable[[int], float]
"""The acceleration of the board along its z axis at a time in picoseconds, in m/s², without gravity."""


@dataclass(frozen=True)
class Surroundings:
    """What a model gets of the bench."""

    scheduler: Scheduler
    """Bench time and planned events."""
    pins: Mapping[str, Pin]
    """The part's pins by the device's signals."""
    address: int | None
    """Where the rig file sets another I2C address than the usual one."""
    motion: Motion
    """How the board is shaken."""
    temperature_c: Callable[[], float]
    """Around the board, in degrees Celsius."""


_METHODS: Final = {"I2C": "start", "SPI": "exchange", "UART": "receive"}
"""What a device on each has to be able to do."""


class Model(Protocol):
    """What an entry point names."""

    def __call__(self, bench: Surroundings) -> I2cDevice | SpiDevice | UartDevice:
        """A device for the bus or UART that its rig file names."""


def attach_soldered(devices: Iterable[Device], mcu: Mcu, pins: Pins, motion: Motion) -> dict[str, object]:
    """Put every device of the board that has a model on its bus; returns the models by the devices' names.

    Raises:
        BenchConfigError: the board's file names a bus that the part has not.
    """
    known = kinds()
    models = {}
    for device in devices:
        if device.kind in known:
            models[device.name] = attach(device, mcu, pins, motion)
        else:
            _bus(device, mcu)
    return models


def attach(device: Device, mcu: Mcu, pins: Pins, motion: Motion) -> object:
    """Put a device on its bus; returns its model.

    Raises:
        BenchConfigError: there is no model of its kind, no such bus, or the model is for another bus.
    """
    known = kinds()
    if device.kind not in known:
        raise BenchConfigError(
            f"device {device.name}: the virtual bench has no model of kind {device.kind!r}; "
            f"expected one of {', '.join(sorted(known))}, or a package with an entry point in {GROUP}"
        )
    bus = _bus(device, mcu)
    model = known[device.kind](
        Surroundings(
            mcu.scheduler,
            {signal: pins[pin] for signal, pin in device.pins.items()},
            device.address,
            motion,
            lambda: mcu.temperature_c,
        )
    )
    if not hasattr(model, _METHODS[bus]):
        raise BenchConfigError(f"device {device.name}: a {device.kind} has no {bus}, which {device.bus} is")
    if bus == "UART":
        _Wires(device, cast(UartDevice, model), mcu, pins)
    elif bus == "SPI":
        mcu.peripherals.spis[device.bus].attach(cast(SpiDevice, model), pins[device.pins["cs"]])
    else:
        mcu.peripherals.i2cs[device.bus].devices.append(cast(I2cDevice, model))
    return model


def kinds() -> dict[str, Model]:
    """The models by the kind of device.

    Raises:
        BenchConfigError: one cannot be imported.
    """
    found = {}
    for point in entry_points(group=GROUP):
        try:
            found[point.name] = point.load()
        except Exception as error:  # whatever a stranger's module raises
            raise BenchConfigError(
                f"the model of {point.name!r} cannot be loaded from {point.value}: "
                f"{type(error).__name__}: {error}"
            ) from error
    return found


def _bus(device: Device, mcu: Mcu) -> str:
    blocks = mcu.peripherals
    free = {name: uart for name, uart in blocks.uarts.items() if uart is not mcu.console_uart}
    for kind, buses in (("I2C", blocks.i2cs), ("SPI", blocks.spis), ("UART", free)):
        if device.bus in buses:
            return kind
    raise BenchConfigError(
        f"device {device.name}: expected a bus of {', '.join((*blocks.i2cs, *blocks.spis, *free))}, "
        f"not {device.bus!r}"
    )


class _Wires:
    """Of a device on a UART: the part's transmit pin and its receive pin."""

    def __init__(self, device: Device, model: UartDevice, mcu: Mcu, pins: Pins) -> None:
        assert device.baud is not None  # the rig file's reader has looked
        self._scheduler = mcu.scheduler
        transmit, self._receive = pins[device.pins["tx"]], pins[device.pins["rx"]]
        self._rest: bool | None = True
        self._end = FarEnd(
            mcu.scheduler,
            mcu.peripherals.uarts[device.bus],
            self._put,
            model.receive,
            baud=device.baud,
            # A UART that is routed to another pin, or to none, drives nothing here.
            connected=lambda: transmit.level_out is not None,
        )
        self._put(True)
        model.connect(self)

    def send(self, data: bytes) -> None:
        """See :class:`hil.twin.ip.bus_devices.UartLine`."""
        self._end.send(data)

    def rest(self, level: bool | None) -> None:
        """See :class:`hil.twin.ip.bus_devices.UartLine`."""
        self._rest = level
        if level is not True:
            self._end.forget()
        self._receive.set_external_level(level, self._scheduler.now_ps)

    def _put(self, level: bool) -> None:
        if self._rest:  # a device without a supply sends nothing more
            self._receive.set_external_level(level, self._scheduler.now_ps)
