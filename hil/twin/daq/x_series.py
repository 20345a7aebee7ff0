# SPDX-License-Identifier: Apache-2.0
"""The device on the bench: its converters, lines and counters, its screws, its resources and its time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from hil.twin.daq import device
from hil.twin.daq.analog import AnalogInput, AnalogOutput
from hil.twin.daq.bench import AnalogSource, Bench
from hil.twin.daq.channels import Edge
from hil.twin.daq.digital import DigitalLines, EdgeListener
from hil.twin.daq.errors import Code, DaqmxError
from hil.twin.daq.timebase import ACCURACY_PPB, Timebase
from hil.twin.errors import WiringError
from hil.twin.pins import Listener
from hil.twin.signal import Signal

SOFTWARE_CALL_S = 125e-6
"""Bench time of an untimed read or write and of every look at a task's progress.

One microframe, the least a USB 2.0 transaction takes to come around (USB 2.0 specification, section 5.3.3).
It also lets a program that polls get ahead.
"""

WAIT_SLICE_S = 1.0
"""How much bench time a blocking call lets pass before it looks whether its client is still there."""

FIRST_SERIAL = 0x01D3A001
"""Serial number of the bench's first device; further ones count on."""

FOREVER_S = 1e9
"""A time-out of more than 30 years, or of no number at all, is none; ``-1`` is DAQmx's own word for that."""


class Owner(Protocol):
    """Whatever reserves resources of the device: a task."""

    @property
    def name(self) -> str:
        """Its name, for messages."""

    @property
    def resources(self) -> set[str]:
        """What of the device it needs for itself."""

    def unreserve(self) -> None:
        """Stop and give everything back."""


class XSeriesDevice:
    """An NI USB-6361 called ``config["device"]`` (default ``Dev1``).

    Further keys of ``config``, all optional: ``serial`` (number), ``timebase_accuracy_ppm``,
    ``ao_gain_accuracy``,
    ``ao_offset_accuracy_v``, ``ai_gain_accuracy``, ``ai_offset_accuracy`` and ``ai_noise_rms`` (fractions of
    the range).
    """

    product = device.PRODUCT

    def __init__(self, bench: Bench, config: Mapping[str, Any], role: str = "daq") -> None:
        """``role`` tells its random numbers from those of the bench's other devices."""
        self.bench = bench
        self.name = str(config.get("device", "Dev1"))
        self.serial = int(config.get("serial", FIRST_SERIAL))
        accuracy_ppb = round(float(config.get("timebase_accuracy_ppm", ACCURACY_PPB / 1000)) * 1000)
        rng = bench.rng(role)
        self.timebase = Timebase(rng, accuracy_ppb)
        self.analog_outputs = {
            name: AnalogOutput(self.timebase, rng, config) for name in device.ANALOG_OUTPUTS
        }
        self.analog_input = AnalogInput(rng, config)
        self.lines = DigitalLines()
        self._reservations: dict[str, Owner] = {}
        self._triggers: list[tuple[Owner, str, EdgeListener]] = []
        self._routes: dict[str, tuple[str, EdgeListener, Owner | None]] = {}
        """By destination: the source, what carries the signal, and the task that asked for it."""
        self._waiting = 0

    # The screws: terminal names may carry the device's name ("Dev1/ao0") or not ("ao0").

    def analog_output(self, name: str) -> AnalogSource:
        """What an analog output puts on its terminal.

        Raises:
            WiringError: no such output.
        """
        return self.analog_outputs[self._screw(name, device.ANALOG_OUTPUTS)]

    def connect_analog_input(self, name: str, source: AnalogSource) -> None:
        """Feed an analog input from ``source``.

        Raises:
            WiringError: no such input.
        """
        self.analog_input.sources[self._screw(name, device.ANALOG_INPUTS)] = source

    def edge_listener(self, name: str) -> Listener:
        """What to call with the time (ps) and the level at every edge on a wire to a counter or a PFI
        terminal.

        A wire to ``ctrN`` goes to the counter's default GATE and SOURCE terminals, so that it is measured
        whatever the measurement takes as its default input.

        Raises:
            WiringError: no such counter or terminal.
        """
        screw = device.strip_device(name)
        if screw.upper() in device.PFI_TERMINALS:
            terminals = [self.lines.terminals[screw.upper()]]
        else:
            counter = self._screw(name, device.COUNTERS)
            terminals = [
                self.lines.terminals[device.GATES[counter]],
                self.lines.terminals[device.SOURCES[counter]],
            ]

        def on_edge(time_ps: int, level: bool | None) -> None:
            for terminal in terminals:
                terminal.set_level(time_ps, level)

        return on_edge

    def line_driven(self, name: str) -> Signal[[int, bool | None]]:
        """Tells the time (ps) and the level when the device drives a digital line or lets it go (``None``).

        Raises:
            WiringError: no such line.
        """
        return self.lines.driven[self._screw(name, device.LINES)]

    def line_edges(self, name: str) -> Listener:
        """What to call with the time (ps) and the level whenever what is connected to a line changes.

        Raises:
            WiringError: no such line.
        """
        terminal = self.lines.input(self._screw(name, device.LINES))
        return terminal.set_level

    def connect_line(self, name: str, read: Callable[[], bool | None]) -> None:
        """What a digital line reads while the device does not drive it; ``None`` is floating, which reads
        low.

        Raises:
            WiringError: no such line.
        """
        self.lines.readers[self._screw(name, device.LINES)] = read

    def _screw(self, name: str, known: tuple[str, ...]) -> str:
        screw = device.strip_device(name)
        if screw not in known:
            raise WiringError(
                f"DAQ {self.name}: no terminal {name!r}; there are {self.name}/{known[0]} to {known[-1]}"
            )
        return screw

    # Resources.

    def reserve(self, task: Owner) -> None:
        """Reserve all a task needs, or nothing.

        Raises:
            DaqmxError: -50103 if another task has reserved one of them.
        """
        for resource in sorted(task.resources):
            owner = self._reservations.get(resource)
            if owner is not None and owner is not task:
                raise DaqmxError(
                    Code.RESOURCE_RESERVED,
                    f"Resource {resource!r} of device {self.name!r} is reserved by task {owner.name!r} and "
                    f"wanted by task {task.name!r}. Stop and clear the other task, or reset the device.",
                )
        self._reservations.update(dict.fromkeys(task.resources, task))

    def release(self, task: Owner) -> None:
        """Give back all a task has reserved."""
        self._reservations = {
            resource: owner for resource, owner in self._reservations.items() if owner is not task
        }

    def reset_device(self) -> None:
        """Abort every task, outputs to 0 V, lines let go."""
        for task in list(dict.fromkeys(self._reservations.values())):
            task.unreserve()
        for destination, (source, _, _) in list(self._routes.items()):
            self.disconnect_terminals(source, destination)
        now_ps = self.bench.scheduler.now_ps
        for output in self.analog_outputs.values():
            output.hold(now_ps, 0.0)
        self.lines.release_all(now_ps)

    # Triggers.

    def on_edge(
        self, terminal: str, edge: Edge, task: Owner, action: Callable[[int], None], *, once: bool = True
    ) -> None:
        """Call ``action`` with the time of the first (or of every) such edge on a terminal, for a task."""

        def listen(time_ps: int, level: bool) -> None:
            if level == edge.level:
                if once:
                    self._triggers.remove((task, terminal, listen))
                    self.lines.terminals[terminal].changed.disconnect(listen)
                action(time_ps)

        self.lines.terminals[terminal].changed.connect(listen)
        self._triggers.append((task, terminal, listen))

    def connect_terminals(self, source: str, destination: str, owner: Owner | None = None) -> None:
        """Route a signal to a PFI terminal, for good or as long as a task runs.

        Raises:
            DaqmxError: -89131 onto itself, -89136 to something that cannot be driven, -89137 where another
                signal drives it.
        """
        if source == destination:
            raise DaqmxError(Code.ROUTE_SOURCE_IS_DESTINATION, f"{source!r} cannot be routed to itself.")
        if destination not in device.PFI_TERMINALS:
            raise DaqmxError(
                Code.ROUTE_NOT_SUPPORTED, f"{destination!r} cannot be driven; PFI0 to PFI15 can."
            )
        present = self._routes.get(destination)
        if present is not None:
            if present[0] == source:
                return
            raise DaqmxError(
                Code.ROUTE_IN_USE, f"{destination!r} already carries {present[0]!r}; disconnect that first."
            )

        def carry(time_ps: int, level: bool) -> None:
            self.lines.put(time_ps, destination, level)

        self._routes[destination] = (source, carry, owner)
        self.lines.terminals[source].changed.connect(carry)
        carry(self.bench.scheduler.now_ps, self.lines.terminals[source].level)

    def disconnect_terminals(self, source: str, destination: str) -> None:
        """Take a route away; no error if there is none."""
        present = self._routes.get(destination)
        if present is not None and present[0] == source:
            del self._routes[destination]
            self.lines.terminals[source].changed.disconnect(present[1])
            now_ps = self.bench.scheduler.now_ps
            self.lines.drive(now_ps, device.line_of_pfi(destination), None)

    def tristate(self, destination: str) -> None:
        """Let a PFI terminal go, whatever drives it."""
        present = self._routes.get(destination)
        if present is not None:
            self.disconnect_terminals(present[0], destination)
        self.lines.drive(self.bench.scheduler.now_ps, device.line_of_pfi(destination), None)

    def disconnect_task(self, owner: Owner) -> None:
        """Take the routes of a task away."""
        for destination, (source, _, whose) in list(self._routes.items()):
            if whose is owner:
                self.disconnect_terminals(source, destination)

    def forget_edges(self, task: Owner) -> None:
        """Stop waiting for a task's trigger."""
        for entry in [entry for entry in self._triggers if entry[0] is task]:
            _, terminal, listener = entry
            self.lines.terminals[terminal].changed.disconnect(listener)
            self._triggers.remove(entry)

    # Time.

    def wake(self) -> None:
        """Something happened that a blocking call may wait for: bench time stops here while it looks."""
        if self._waiting:
            self.bench.scheduler.request_stop()

    def wait(self, condition: Callable[[], bool], timeout_s: float, alive: Callable[[], bool]) -> bool:
        """Let bench time pass until ``condition()`` holds or the time-out is over; whether it holds.

        Must be called without the bench's lock, so that others get their turn while a client waits for ever
        (``timeout_s`` of -1). Gives up when ``alive()`` says that the client is gone.
        """
        scheduler = self.bench.scheduler
        timeout_s = self.bounded_s(timeout_s)
        with self.bench.lock:
            deadline_ps = scheduler.now_ps + round(timeout_s * 1e12)
        while True:
            with self.bench.lock:
                if condition():
                    return True
                left_s = (deadline_ps - scheduler.now_ps) * 1e-12
                if left_s <= 0:
                    return False
                self._waiting += 1
                try:
                    self.bench.advance_until(condition, min(left_s, WAIT_SLICE_S))
                finally:
                    self._waiting -= 1
            if not alive():
                return False

    @staticmethod
    def bounded_s(timeout_s: float) -> float:
        """A client's time-out in seconds; a negative, endless or senseless one is ``FOREVER_S``."""
        return timeout_s if 0 <= timeout_s <= FOREVER_S else FOREVER_S

    def software_call(self) -> None:
        """Let the time of one untimed access pass."""
        self.wait(lambda: False, SOFTWARE_CALL_S, lambda: True)
