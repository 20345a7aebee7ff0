# SPDX-License-Identifier: Apache-2.0
"""The N6705C mainframe: common commands, status, data formats, and the channel behind them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.twin.analyzer.bench import Bench, pass_time
from hil.twin.analyzer.commands import Call, CommandTable, Handler, real
from hil.twin.analyzer.hislip import HislipServer
from hil.twin.analyzer.n6781a import N6781A
from hil.twin.analyzer.scpi_parser import MessageParser, split_outside
from hil.twin.analyzer.server import ScpiServer
from hil.twin.analyzer.status import Questionable, ScpiError, StandardEvent, Status, StatusGroup
from hil.twin.analyzer.vxi11 import Vxi11Server
from hil.twin.analyzer.watchdog import OutputWatchdog
from hil.twin.miswiring import NOTHING_WRONG, Miswiring
from hil.twin.realism import IDEAL, Realism

HOUSEKEEPING_PS = 10**12
"""How often the analyzer turns old history into readings and forgets it: 1 s of bench time."""

STATUS_QUERY_PS = 10**9
"""Bench time a status query takes, so that a script that polls gets ahead: 1 ms.

Assumption: the order of the command processing time the maker gives for the series.
"""

DEFAULT_SERIAL = "TWIN000001"
FIRMWARE = "E.02.08.3299"
"""Version the twin reports (assumption: only its form is the instrument's)."""


class PowerAnalyzer:
    """A Keysight N6705C with an N6781A in channel 1, supplying ``bench.mcu``.

    ``config`` may hold, all optional: ``serial``; ``current_ranges`` and ``voltage_ranges`` (see
    :func:`hil.twin.analyzer.ranges.ranges_from_config`); ``programming_gain_accuracy`` (fraction) and
    ``programming_offset_accuracy_v``.

    Raises:
        BenchConfigError: a value in ``config`` cannot be used.
    """

    def __init__(
        self,
        bench: Bench,
        config: Mapping[str, Any],
        realism: Realism = IDEAL,
        miswiring: Miswiring = NOTHING_WRONG,
        others_need_ps: Callable[[], int] | None = None,
    ) -> None:
        """``others_need_ps`` gives the earliest time whose current another instrument on the bench needs."""
        self._bench = bench
        self._others_need_ps = others_need_ps or (lambda: bench.scheduler.now_ps)
        self._latency_ps = round(realism.scpi_latency_s * 1e12)
        self._serial = str(config.get("serial", DEFAULT_SERIAL))
        self._status = Status()
        self._executing = threading.Lock()
        self._binary = False
        self._swapped = False
        self._operation_complete_pending = False
        self._answered = False
        self._commands = CommandTable()
        self.channel = N6781A(bench, config, realism, miswiring)
        self.channel.register(self._commands, self._array)
        self.watchdog = OutputWatchdog(bench, lambda: self.channel.source.disable(Questionable.PROTECTION))
        self.watchdog.register(self._commands)
        self._register()
        bench.scheduler.after(HOUSEKEEPING_PS, self._housekeeping)

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> ScpiServer:
        """Serve SCPI on a TCP socket; port 0 takes a free one."""
        return ScpiServer(self, host, port)

    def serve_hislip(self, host: str = "127.0.0.1", port: int = 0) -> HislipServer:
        """Serve HiSLIP; port 0 takes a free one."""
        return HislipServer(self, host, port)

    def serve_vxi11(self, host: str = "127.0.0.1", port: int = 0) -> Vxi11Server:
        """Serve VXI-11; port 0 takes a free one."""
        return Vxi11Server(self, host, port)

    def serial_poll(self, *, message_available: bool) -> int:
        """The status byte, read past the program messages as a controller's serial poll does."""
        with self._bench.lock:
            self.watchdog.heard()
            self._poll()
            return self._status.byte(message_available=message_available)

    def execute(self, message: bytes) -> bytes:
        """Run one program message (a line without its terminator); the response line, empty if there was no
        query.

        Errors go to the error queue. The units after a bad one are still run, except after a command error,
        where the rest of the line cannot be trusted.
        """
        # One message after the other, also while one waits and lets others have the bench.
        with self._executing, self._bench.lock:
            self._answered = False
            self.watchdog.heard()
            if self._latency_ps:
                pass_time(self._bench, self._bench.scheduler.now_ps + self._latency_ps)
            responses = self._run(message)
            return b";".join(responses) + b"\n" if responses else b""

    def overrun(self) -> None:
        """A line longer than the input buffer came in and was thrown away."""
        with self._bench.lock:
            self._status.error(-363, "a line longer than the input buffer was thrown away")

    def _run(self, message: bytes) -> list[bytes]:
        responses: list[bytes] = []
        try:
            text = message.decode("ascii")
            units = split_outside(text, ";")
        except UnicodeDecodeError:
            self._status.error(-101, "only ASCII is understood")
            return responses
        except ScpiError as error:
            self._status.error(error.code, error.detail)
            return responses
        parser = MessageParser()
        for unit_text in units:
            if not unit_text.strip():
                continue
            self._answered = bool(responses)
            try:
                response = self._commands.run(parser.unit(unit_text))
            except ScpiError as error:
                self._status.error(error.code, error.detail)
                if -199 <= error.code <= -100:
                    break
                continue
            if response is not None:
                responses.append(response)
        return responses

    def _housekeeping(self) -> None:
        self._look()
        self.channel.look()
        self._bench.mcu.supply.discard_before(min(self.channel.history_from_ps, self._others_need_ps()))
        self._bench.scheduler.after(HOUSEKEEPING_PS, self._housekeeping)

    def _look(self) -> None:
        """Bring FIFO and status registers up to date."""
        try:
            self.channel.log.drop_overwritten()
        except ScpiError as error:
            self._status.error(error.code, error.detail)
        self._status.operation.update(int(self.channel.operation))
        self._status.questionable.update(int(self.channel.questionable))
        busy = self.channel.acquisition.busy or not self.channel.source.settled
        if self._operation_complete_pending and not busy:
            self._operation_complete_pending = False
            self._status.standard_event |= StandardEvent.OPERATION_COMPLETE

    def _poll(self) -> None:
        """What every status query does first: a moment passes, then the instrument looks at itself."""
        pass_time(self._bench, self._bench.scheduler.now_ps + STATUS_QUERY_PS)
        self._look()

    def _array(self, values: NDArray[np.float64]) -> bytes:
        if not self._binary:
            return ",".join(real(value) for value in values).encode("ascii")
        data = values.astype("<f4" if self._swapped else ">f4").tobytes()
        count = str(len(data))
        return f"#{len(count)}{count}".encode("ascii") + data

    def _register(self) -> None:
        commands = self._commands
        commands.query("*IDN", lambda call: f"Keysight Technologies,N6705C,{self._serial},{FIRMWARE}")
        commands.query("*OPT", lambda call: "0")
        commands.query("*TST", lambda call: "0")
        commands.command("*RST", self._reset)
        commands.command("*CLS", self._clear)
        commands.command("*TRG", lambda call: self.channel.bus_trigger())
        commands.command("*WAI", self._wait)
        commands.command("*OPC", self._announce_completion)
        commands.query("*OPC", self._completion)
        commands.query("*ESR", self._standard_event)
        commands.both("*ESE", self._enable("standard_event_enable"))
        commands.both("*SRE", self._enable("service_request_enable"))
        commands.query("*STB", self._status_byte)
        commands.query("SYSTem:ERRor[:NEXT]", self._next_error)
        commands.query("SYSTem:VERSion", lambda call: "1999.0")
        commands.query("SYSTem:CHANnel[:COUNt]", lambda call: str(len(self.channel.neighbour.channels)))
        commands.query("SYSTem:CHANnel:MODel", lambda call: self._about_modules(call, f'"{N6781A.MODEL}"'))
        commands.query("SYSTem:CHANnel:SERial", lambda call: self._about_modules(call, f'"{self._serial}"'))
        commands.query("SYSTem:CHANnel:OPTion", lambda call: self._about_modules(call, '""'))
        for word in ("LOCal", "REMote", "RWLock"):
            commands.command(f"SYSTem:COMMunicate:RLSTate:{word}", lambda call: None)
        commands.command("DISPlay[:WINDow]:STATe", lambda call: self._ignore_switch(call))
        commands.both("FORMat[:DATA]", self._format)
        commands.both("FORMat:BORDer", self._byte_order)
        commands.command("STATus:PRESet", self._preset)
        for name, group in (
            ("OPERation", self._status.operation),
            ("QUEStionable", self._status.questionable),
        ):
            self._register_group(name, group)

    def _register_group(self, name: str, group: StatusGroup) -> None:
        def condition(call: Call) -> str:
            channels = call.channels()
            self._poll()
            return ",".join(str(group.condition) for _ in channels)

        def event(call: Call) -> str:
            channels = call.channels()
            self._poll()
            value = group.take_event()
            return ",".join(str(value) for _ in channels)

        def register(attribute: str) -> Handler:
            def handle(call: Call) -> str | None:
                if call.query:
                    return self._for_each(call, str(getattr(group, attribute)))
                value = call.integer(0, 0x7FFF, 0)
                call.channels()
                setattr(group, attribute, value)
                return None

            return handle

        self._commands.query(f"STATus:{name}:CONDition", condition)
        self._commands.query(f"STATus:{name}[:EVENt]", event)
        self._commands.both(f"STATus:{name}:ENABle", register("enable"))
        self._commands.both(f"STATus:{name}:PTRansition", register("positive_transition"))
        self._commands.both(f"STATus:{name}:NTRansition", register("negative_transition"))

    def _enable(self, attribute: str) -> Handler:
        def handle(call: Call) -> str | None:
            if call.query:
                return str(getattr(self._status, attribute))
            setattr(self._status, attribute, call.integer(0, 255, 0))
            return None

        return handle

    @staticmethod
    def _for_each(call: Call, answer: str) -> str:
        return ",".join(answer for _ in call.channels())

    def _about_modules(self, call: Call, answer: str) -> str:
        return ",".join(answer for _ in call.channels(self.channel.neighbour.channels))

    @staticmethod
    def _ignore_switch(call: Call) -> None:
        call.boolean()

    def _reset(self, call: Call) -> None:
        self.channel.reset()
        self.watchdog.reset()
        self._binary = self._swapped = False
        self._operation_complete_pending = False

    def _clear(self, call: Call) -> None:
        self._status.clear()
        self._operation_complete_pending = False

    def _preset(self, call: Call) -> None:
        self._status.operation.preset()
        self._status.questionable.preset()

    def _wait(self, call: Call) -> None:
        while not self.channel.source.settled:
            self._poll()
        acquisition = self.channel.acquisition
        if acquisition.busy and not acquisition.waiting_for_trigger:
            acquisition.wait()

    def _announce_completion(self, call: Call) -> None:
        self._operation_complete_pending = True

    def _completion(self, call: Call) -> str:
        self._wait(call)
        self._poll()
        return "1"

    def _standard_event(self, call: Call) -> str:
        self._poll()
        return str(self._status.take_standard_event())

    def _status_byte(self, call: Call) -> str:
        self._poll()
        return str(self._status.byte(message_available=self._answered))

    def _next_error(self, call: Call) -> str:
        self._look()
        return self._status.next_error()

    def _format(self, call: Call) -> str | None:
        if call.query:
            return "REAL" if self._binary else "ASC"
        self._binary = call.choice(("ASCii", "REAL")) == "REAL"
        if self._binary and call.has_value():
            call.integer(32, 32, 32)
        return None

    def _byte_order(self, call: Call) -> str | None:
        if call.query:
            return "SWAP" if self._swapped else "NORM"
        self._swapped = call.choice(("NORMal", "SWAPped")) == "SWAP"
        return None
