# SPDX-License-Identifier: Apache-2.0
"""A peripheral's signal on the pins that carry it as an alternate function."""

from collections.abc import Callable, Iterator, Mapping

from hil.twin.ip.gpio_v2 import GpioPort


class AlternateFunction:
    """A peripheral's signal on the pins that software may route it to."""

    def __init__(self, functions: Mapping[int, tuple[str, ...]], ports: Mapping[str, GpioPort]) -> None:
        """``functions`` are its pins by the number of the alternate function; without any it reaches none."""
        self._pins = [
            (ports[pin[1]], int(pin[2:]), function) for function, pins in functions.items() for pin in pins
        ]

    @property
    def pins(self) -> Iterator[tuple[GpioPort, int, int]]:
        """Port, index and alternate function of each pin."""
        return iter(self._pins)

    def routed(self) -> bool:
        """Whether any of the pins is switched to the signal."""
        return any(port.has_alternate(index, function) for port, index, function in self._pins)

    @property
    def level(self) -> bool | None:
        """The level at the input of the pin that is switched to the signal; ``None`` if none is."""
        for port, index, function in self._pins:
            if port.has_alternate(index, function):
                return port.input_level(index)
        return None

    def read(self) -> bool | None:
        """:attr:`level`, for who wants a callable."""
        return self.level

    def listen(self, listener: Callable[[bool], None]) -> None:
        """Call ``listener`` with every new level at a pin that is switched to the signal."""
        for port, index, function in self._pins:
            port.alternate_input(index, function).connect(listener)

    def drive(self, level: bool | None) -> None:
        """The peripheral drives ``level``, or lets go."""
        for port, index, function in self._pins:
            port.set_alternate_output(index, function, level)
