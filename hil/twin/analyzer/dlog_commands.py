# SPDX-License-Identifier: Apache-2.0
"""The commands of the internal data log: what it logs, its trigger, and readings between its markers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from hil.twin.analyzer import dlog
from hil.twin.analyzer.bench import Bench
from hil.twin.analyzer.commands import Call, CommandTable, Handler, real
from hil.twin.analyzer.files import Files, file_name
from hil.twin.analyzer.ranges import OVERLOAD, Meter
from hil.twin.analyzer.settings import ChoiceSetting, NumberSetting, Setting, Settings, SwitchSetting
from hil.twin.analyzer.status import ScpiError

CURRENT = "SENSe:DLOG:FUNCtion:CURRent"
VOLTAGE = "SENSe:DLOG:FUNCtion:VOLTage"
CURRENT_RANGE = "SENSe:DLOG:CURRent[:DC]:RANGe[:UPPer]"
CURRENT_AUTO = "SENSe:DLOG:CURRent[:DC]:RANGe:AUTO"
VOLTAGE_RANGE = "SENSe:DLOG:VOLTage[:DC]:RANGe[:UPPer]"
VOLTAGE_AUTO = "SENSe:DLOG:VOLTage[:DC]:RANGe:AUTO"
EXTREMES = "SENSe:DLOG:FUNCtion:MINMax"
OFFSET = "SENSe:DLOG:OFFSet"
PERIOD = "SENSe:DLOG:PERiod"
TIME = "SENSe:DLOG:TIME"
TRIGGER_SOURCE = "TRIGger:DLOG:SOURce"
MARKERS = ("SENSe:DLOG:MARKer1:POINt", "SENSe:DLOG:MARKer2:POINt")

_CURRENT_MAX_A, _VOLTAGE_MAX_V = 3.06, 20.4

CHANNEL_SETTINGS: tuple[Setting, ...] = (
    SwitchSetting(CURRENT),
    SwitchSetting(VOLTAGE, reset=True),
    NumberSetting(CURRENT_RANGE, 3.0, 0.0, _CURRENT_MAX_A, "A"),
    SwitchSetting(CURRENT_AUTO),
    NumberSetting(VOLTAGE_RANGE, 20.0, 0.0, _VOLTAGE_MAX_V, "V"),
    SwitchSetting(VOLTAGE_AUTO),
)
INSTRUMENT_SETTINGS: tuple[Setting, ...] = (
    SwitchSetting(EXTREMES),
    NumberSetting(OFFSET, 0.0, 0.0, 100.0),
    NumberSetting(PERIOD, 0.1, dlog.PERIOD_STEP_PS * 1e-12, dlog.PERIOD_MAX_PS * 1e-12, "S"),
    NumberSetting(TIME, 30.0, dlog.PERIOD_STEP_PS * 1e-12, dlog.TIME_MAX_S, "S"),
    ChoiceSetting(
        TRIGGER_SOURCE,
        "IMM",
        ("IMMediate", "BUS", "EXTernal", "ARSK", "OOOK", "VOLTage1", "CURRent1"),
    ),
    NumberSetting(MARKERS[0], 0.0, 0.0, dlog.TIME_MAX_S, "S"),
    NumberSetting(MARKERS[1], 0.0, 0.0, dlog.TIME_MAX_S, "S"),
)
"""Headers: N6705C Operating and Service Guide and the programs that use them. Those of the second table take
no channel list: they are the whole instrument's. Reset values are ASSUMPTIONS."""


class DlogCommands:
    """The internal log with its settings, which outlive a client and a log."""

    def __init__(
        self, bench: Bench, ammeter: Meter, voltmeter: Meter, terminal_v: Callable[[], float]
    ) -> None:
        self._ammeter = ammeter
        self._voltmeter = voltmeter
        self.files = Files()
        self.log = dlog.InternalLog(bench, ammeter, voltmeter, terminal_v, self.files.store)
        self._channel = Settings(CHANNEL_SETTINGS, lambda: None)
        self._instrument = Settings(INSTRUMENT_SETTINGS, lambda: None, with_channels=False)

    def reset(self) -> None:
        """What ``*RST`` does; the files stay."""
        self.log.reset()
        self._channel.reset()
        self._instrument.reset()

    def bus_trigger(self) -> None:
        """``*TRG``: triggers a log that waits for it."""
        if self.log.state is dlog.State.INITIATED and self._instrument.choice(TRIGGER_SOURCE) == "BUS":
            self.log.trigger()

    def register(self, commands: CommandTable) -> None:
        """Register all commands."""
        self._channel.register(commands)
        self._instrument.register(commands)
        self.files.register(commands, self.log.update)
        commands.command("INITiate[:IMMediate]:DLOG", self._initiate)
        commands.command("TRIGger:DLOG[:IMMediate]", lambda call: self.log.trigger())
        commands.command("ABORt:DLOG", lambda call: self.log.abort())
        reductions: Mapping[str, Callable[[NDArray[np.float32]], np.floating]] = {
            "[:DC]": np.mean,
            ":MAXimum": np.max,
            ":MINimum": np.min,
        }
        for quantity, column in (("CURRent", "Curr avg 1"), ("VOLTage", "Volt avg 1")):
            for suffix, reduce in reductions.items():
                commands.query(f"FETCh:DLOG:{quantity}{suffix}", self._between_markers(column, reduce))

    def _initiate(self, call: Call) -> None:
        name = file_name(call.string(), ".dlog")
        instrument, channel = self._instrument, self._channel
        setup = dlog.DlogSetup(
            period_s=instrument.number(PERIOD),
            time_s=instrument.number(TIME),
            offset=instrument.number(OFFSET) / 100,
            current=channel.switch(CURRENT),
            voltage=channel.switch(VOLTAGE),
            extremes=instrument.switch(EXTREMES),
            current_range_a=self._fixed(self._ammeter, CURRENT_RANGE, CURRENT_AUTO),
            voltage_range_v=self._fixed(self._voltmeter, VOLTAGE_RANGE, VOLTAGE_AUTO),
        )
        self.log.initiate(name, setup, self.files.free_bytes)
        # The period that the log really has is what a program finds that asks after INITiate.
        instrument.put(PERIOD, setup.period_ps * 1e-12)
        if instrument.choice(TRIGGER_SOURCE) == "IMM":
            self.log.trigger()

    def _fixed(self, meter: Meter, range_header: str, auto_header: str) -> float | None:
        if self._channel.switch(auto_header):
            return None
        return meter.range_for(self._channel.number(range_header))

    def _between_markers(self, column: str, reduce: Callable[[NDArray[np.float32]], np.floating]) -> Handler:
        def handle(call: Call) -> str:
            channels = call.channels()
            self.log.update()
            log = self.files.shown
            if log is None:
                raise ScpiError(-230, "nothing has been logged; INITiate:DLOG comes first")
            if column not in log.columns:
                raise ScpiError(-221, f"the log has no {column}")
            first, last = sorted(
                min(round(self._instrument.number(marker) * 1e12 / log.setup.period_ps), len(log.values) - 1)
                for marker in MARKERS
            )
            values = log.values[first : last + 1, log.columns.index(column)]
            value = OVERLOAD if bool(np.any(values >= OVERLOAD)) else float(reduce(values))
            return ",".join(real(value) for _ in channels)

        return handle
