# SPDX-License-Identifier: Apache-2.0
"""The N6781A source/measure unit in channel 1: its settings and what they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.twin.analyzer import elog, noise_table
from hil.twin.analyzer.acquisition import (
    POINTS_MAX,
    TINT_MAX_PS,
    TINT_MIN_PS,
    Acquisition,
    Sweep,
    quantise_tint_ps,
)
from hil.twin.analyzer.bench import Bench
from hil.twin.analyzer.commands import Call, CommandTable, Handler, real
from hil.twin.analyzer.dlog_commands import DlogCommands
from hil.twin.analyzer.neighbour import NEIGHBOUR, Neighbour
from hil.twin.analyzer.ranges import (
    DEFAULT_CURRENT_RANGES,
    DEFAULT_VOLTAGE_RANGES,
    OVERLOAD,
    Meter,
    ranges_from_config,
)
from hil.twin.analyzer.settings import ChoiceSetting, NumberSetting, Setting, Settings, SwitchSetting
from hil.twin.analyzer.source import OVER_CURRENT_DELAY_S, OVER_VOLTAGE_DELAY_S, Source
from hil.twin.analyzer.status import Operation, Questionable, ScpiError
from hil.twin.miswiring import Miswiring
from hil.twin.realism import Realism

EMULATION = "[SOURce:]EMULation"
FUNCTION = "[SOURce:]FUNCtion"
VOLTAGE = "[SOURce:]VOLTage[:LEVel][:IMMediate][:AMPLitude]"
CURRENT_LIMIT = "[SOURce:]CURRent:LIMit[:POSitive][:IMMediate][:AMPLitude]"
OVER_VOLTAGE = "[SOURce:]VOLTage:PROTection:REMote[:POSitive][:LEVel]"
OVER_VOLTAGE_DELAY = "[SOURce:]VOLTage:PROTection:REMote:DELay"
OVER_CURRENT = "[SOURce:]CURRent:PROTection:STATe"
OVER_CURRENT_DELAY = "[SOURce:]CURRent:PROTection:DELay[:TIME]"
CURRENT_RANGE = "SENSe:CURRent[:DC]:RANGe[:UPPer]"
CURRENT_AUTO = "SENSe:CURRent[:DC]:RANGe:AUTO"
VOLTAGE_RANGE = "SENSe:VOLTage[:DC]:RANGe[:UPPer]"
VOLTAGE_AUTO = "SENSe:VOLTage[:DC]:RANGe:AUTO"
TINT = "SENSe:SWEep:TINTerval"
POINTS = "SENSe:SWEep:POINts"
OFFSET_POINTS = "SENSe:SWEep:OFFSet:POINts"
ACQUIRE_SOURCE = "TRIGger:ACQuire:SOURce"
ELOG_CURRENT = "SENSe:ELOG:FUNCtion:CURRent"
ELOG_VOLTAGE = "SENSe:ELOG:FUNCtion:VOLTage"
ELOG_CURRENT_EXTREMES = "SENSe:ELOG:FUNCtion:CURRent:MINMax"
ELOG_VOLTAGE_EXTREMES = "SENSe:ELOG:FUNCtion:VOLTage:MINMax"
ELOG_PERIOD = "SENSe:ELOG:PERiod"
ELOG_CURRENT_RANGE = "SENSe:ELOG:CURRent[:DC]:RANGe[:UPPer]"
ELOG_CURRENT_AUTO = "SENSe:ELOG:CURRent[:DC]:RANGe:AUTO"
ELOG_SOURCE = "TRIGger:ELOG:SOURce"
SENSE_SOURCE = "[SOURce:]VOLTage:SENSe:SOURce"
TURN_OFF_MODE = "OUTPut[:STATe]:TMODe"

VOLTAGE_MAX_V = 20.4
CURRENT_LIMIT_MAX_A = 3.06
"""Programming limits of the N6781A, 2 % above its 20 V and 3 A (assumption: the usual headroom of the
series)."""


def _settle_tint(interval_s: float) -> float:
    return quantise_tint_ps(interval_s) * 1e-12


SETTINGS: tuple[Setting, ...] = (
    ChoiceSetting(
        EMULATION,
        "PS4Q",
        ("PS4Q", "PS2Q", "PS1Q", "BATTery", "CHARger", "CCLoad", "CVLoad", "VMETer", "AMETer"),
    ),
    ChoiceSetting(FUNCTION, "VOLT", ("VOLTage",)),
    NumberSetting(VOLTAGE, 0.0, 0.0, VOLTAGE_MAX_V, "V"),
    NumberSetting(CURRENT_LIMIT, 1.02, 0.0, CURRENT_LIMIT_MAX_A, "A"),
    NumberSetting(OVER_VOLTAGE, 22.0, 0.0, 22.0, "V"),
    # The delays' limits are from memory.
    NumberSetting(OVER_VOLTAGE_DELAY, OVER_VOLTAGE_DELAY_S, OVER_VOLTAGE_DELAY_S, 5e-3, "S"),
    SwitchSetting(OVER_CURRENT),
    NumberSetting(OVER_CURRENT_DELAY, OVER_CURRENT_DELAY_S, 0.0, 0.255, "S"),
    ChoiceSetting(SENSE_SOURCE, "INT", ("INTernal", "EXTernal")),
    # Accepted and kept, without effect on the virtual output: it does not slew.
    NumberSetting("[SOURce:]VOLTage:SLEW[:IMMediate]", 9.9e37, 0.0, OVERLOAD),
    ChoiceSetting(TURN_OFF_MODE, "HIGHZ", ("HIGHZ", "LOWZ")),
    ChoiceSetting("[SOURce:]VOLTage:BWIDth", "LOW", ("LOW", "HIGH1", "HIGH2", "HIGH3")),
    NumberSetting("[SOURce:]VOLTage:RANGe", 20.0, 0.0, VOLTAGE_MAX_V, "V"),
    SwitchSetting("SENSe:FUNCtion:CURRent"),
    SwitchSetting("SENSe:FUNCtion:VOLTage", reset=True),
    NumberSetting(CURRENT_RANGE, 3.0, 0.0, CURRENT_LIMIT_MAX_A, "A"),
    SwitchSetting(CURRENT_AUTO),
    NumberSetting(VOLTAGE_RANGE, 20.0, 0.0, VOLTAGE_MAX_V, "V"),
    SwitchSetting(VOLTAGE_AUTO),
    # Reset values of the sweep: 1024 points of 20.48 µs, 21 ms in all (assumption: the series' usual reset
    # state).
    NumberSetting(TINT, 20.48e-6, TINT_MIN_PS * 1e-12, TINT_MAX_PS * 1e-12, "S", _settle_tint),
    NumberSetting(POINTS, 1024, 1, POINTS_MAX, settle=round),
    NumberSetting(OFFSET_POINTS, 0, -(POINTS_MAX - 1), 2_000_000_000, settle=round),
    ChoiceSetting("SENSe:SWEep:TINTerval:RESolution", "RES20", ("RES20", "RES40")),
    ChoiceSetting("SENSe:WINDow[:TYPE]", "RECT", ("RECTangular", "HANNing")),
    ChoiceSetting(ACQUIRE_SOURCE, "BUS", ("BUS", "IMMediate")),
    SwitchSetting(ELOG_CURRENT),
    SwitchSetting(ELOG_VOLTAGE),
    SwitchSetting(ELOG_CURRENT_EXTREMES),
    SwitchSetting(ELOG_VOLTAGE_EXTREMES),
    NumberSetting(ELOG_PERIOD, 0.1, elog.PERIOD_MIN_PS * 1e-12, elog.PERIOD_MAX_PS * 1e-12, "S"),
    NumberSetting(ELOG_CURRENT_RANGE, 3.0, 0.0, CURRENT_LIMIT_MAX_A, "A"),
    SwitchSetting(ELOG_CURRENT_AUTO),
    ChoiceSetting(ELOG_SOURCE, "BUS", ("BUS", "IMMediate")),
)
"""Headers: N6700C/N6705C Operating and Service Guides, SCPI Programming Reference.

Reset values and limits that have no source of their own here are ASSUMPTIONS; a program that writes every
setting it relies on does not meet them.
"""

LOG_FETCH_MAX = 1_000_000
"""Most records of one ``FETCh:ELOG?`` (assumption: generous; the FIFO holds fewer at any period)."""


class N6781A:
    """Source, meters, scope and the two logs behind channel 1."""

    MODEL = "N6781A"

    def __init__(
        self, bench: Bench, config: Mapping[str, Any], realism: Realism, miswiring: Miswiring
    ) -> None:
        self._bench = bench
        rng = bench.rng("power_analyzer")
        specified = realism.noise == "keysight"
        self._ammeter = Meter(
            ranges_from_config(config, "current_ranges", "a", DEFAULT_CURRENT_RANGES),
            rng,
            noise=noise_table.CURRENT_A if specified else None,
            errors=config.get("errors", "uniform"),
            reversed_leads=miswiring.ammeter == "reversed",
        )
        self._voltmeter = Meter(
            ranges_from_config(config, "voltage_ranges", "v", DEFAULT_VOLTAGE_RANGES),
            rng,
            noise=noise_table.VOLTAGE_V if specified else None,
            errors=config.get("errors", "uniform"),
        )
        self.source = Source(bench, config, rng, realism, sense_leads_open=miswiring.sense_leads == "open")
        self.neighbour = Neighbour(on=miswiring.neighbour_channel_on)
        self.acquisition = Acquisition(bench, self._ammeter, self._voltmeter)
        self.log = elog.ExternalLog(
            bench,
            self._ammeter,
            self._voltmeter,
            lambda: self.source.terminal_v,
            silent_overflow=realism.log_overflow == "silent",
        )
        self.dlog = DlogCommands(bench, self._ammeter, self._voltmeter, lambda: self.source.terminal_v)
        self.settings = Settings(SETTINGS, self._apply)

    def reset(self) -> None:
        """What ``*RST`` does to the channel."""
        self.settings.reset()
        self.acquisition.reset()
        self.log.abort()
        self.dlog.reset()
        self.source.reset()
        self.neighbour.switch(False, "*RST")
        self._apply()

    def _apply(self) -> None:
        self.source.voltage_v = self.settings.number(VOLTAGE)
        self.source.current_limit_a = self.settings.number(CURRENT_LIMIT)
        self.source.over_voltage_v = self.settings.number(OVER_VOLTAGE)
        self.source.over_voltage_delay_s = self.settings.number(OVER_VOLTAGE_DELAY)
        self.source.over_current_protection = self.settings.switch(OVER_CURRENT)
        self.source.over_current_delay_s = self.settings.number(OVER_CURRENT_DELAY)
        self.source.remote_sense = self.settings.choice(SENSE_SOURCE) == "EXT"
        self.source.low_impedance_off = self.settings.choice(TURN_OFF_MODE) == "LOWZ"
        self.source.apply()
        period_ps = elog.quantise_period_ps(self.settings.number(ELOG_PERIOD), self._logged_parameters)
        self.settings.put(ELOG_PERIOD, period_ps * 1e-12)

    @property
    def _logged_parameters(self) -> int:
        return sum(
            3 if self.settings.switch(extremes) else 1
            for quantity, extremes in (
                (ELOG_CURRENT, ELOG_CURRENT_EXTREMES),
                (ELOG_VOLTAGE, ELOG_VOLTAGE_EXTREMES),
            )
            if self.settings.switch(quantity)
        )

    @property
    def operation(self) -> Operation:
        """The channel's operation status."""
        bits = self.source.operation
        if self.acquisition.waiting_for_trigger:
            bits |= Operation.WAITING_FOR_MEASURE_TRIGGER
        if self.acquisition.busy:
            bits |= Operation.MEASURE_ACTIVE
        return bits

    @property
    def questionable(self) -> Questionable:
        """The channel's questionable status."""
        return self.source.questionable

    @property
    def history_from_ps(self) -> int:
        """The earliest time whose current is still needed."""
        needs = (
            self.acquisition.history_from_ps,
            self.log.history_from_ps,
            self.dlog.log.history_from_ps,
            self._bench.scheduler.now_ps,
        )
        return min(need for need in needs if need is not None)

    def look(self) -> None:
        """Turn what is over of the measurements under way into readings."""
        self.acquisition.digitise()
        self.dlog.log.update()

    def _fixed_range(self, meter: Meter, range_header: str, auto_header: str) -> float | None:
        if self.settings.switch(auto_header):
            return None
        return meter.range_for(self.settings.number(range_header))

    def _sweep(self) -> Sweep:
        return Sweep(
            tint_ps=quantise_tint_ps(self.settings.number(TINT)),
            points=int(self.settings.number(POINTS)),
            offset_points=int(self.settings.number(OFFSET_POINTS)),
            current_range_a=self._fixed_range(self._ammeter, CURRENT_RANGE, CURRENT_AUTO),
            voltage_range_v=self._fixed_range(self._voltmeter, VOLTAGE_RANGE, VOLTAGE_AUTO),
        )

    def initiate_acquisition(self) -> None:
        """``INITiate:ACQuire``; with source IMMediate it triggers at once."""
        self.acquisition.initiate(self._sweep())
        if self.settings.choice(ACQUIRE_SOURCE) == "IMM":
            self.acquisition.trigger(self.source.terminal_v)

    def initiate_log(self) -> None:
        """``INITiate:ELOG``; with source IMMediate it triggers at once."""
        self.log.initiate(
            elog.ElogSetup(
                period_ps=round(self.settings.number(ELOG_PERIOD) * 1e12),
                current=self.settings.switch(ELOG_CURRENT),
                voltage=self.settings.switch(ELOG_VOLTAGE),
                current_extremes=self.settings.switch(ELOG_CURRENT_EXTREMES),
                voltage_extremes=self.settings.switch(ELOG_VOLTAGE_EXTREMES),
                current_range_a=self._fixed_range(self._ammeter, ELOG_CURRENT_RANGE, ELOG_CURRENT_AUTO),
                voltage_range_v=None,
            )
        )
        if self.settings.choice(ELOG_SOURCE) == "IMM":
            self.log.trigger()

    def bus_trigger(self) -> None:
        """``*TRG``: triggers whatever waits for a bus trigger; nothing waiting is no error."""
        if self.acquisition.waiting_for_trigger:
            self.acquisition.trigger(self.source.terminal_v)
        if self.log.state is elog.State.INITIATED:
            self.log.trigger()
        self.dlog.bus_trigger()

    def measure(self) -> None:
        """``MEASure``: a fresh acquisition, triggered at once and waited for.

        Raises:
            ScpiError: -213 while another acquisition runs.
        """
        self.acquisition.initiate(self._sweep())
        self.acquisition.trigger(self.source.terminal_v)
        self.acquisition.wait()

    def register(self, commands: CommandTable, array: Callable[[NDArray[np.float64]], bytes]) -> None:
        """Register the channel's commands. ``array`` writes data in the format chosen with ``FORMat``."""
        self.settings.register(commands)
        self.dlog.register(commands)
        commands.both("OUTPut[:STATe]", self._output)
        commands.command("OUTPut:PROTection:CLEar", _action(self.source.clear_protection))
        commands.command("INITiate[:IMMediate]:ACQuire", _action(self.initiate_acquisition))
        commands.command(
            "TRIGger:ACQuire[:IMMediate]", _action(lambda: self.acquisition.trigger(self.source.terminal_v))
        )
        commands.command("ABORt:ACQuire", _action(self.acquisition.abort))
        commands.command("INITiate[:IMMediate]:ELOG", _action(self.initiate_log))
        commands.command("TRIGger:ELOG[:IMMediate]", _action(self.log.trigger))
        commands.command("ABORt:ELOG", _action(self.log.abort))
        quantities = (
            ("CURRent", self.acquisition.current_a),
            ("VOLTage", self.acquisition.voltage_v),
        )
        for quantity, samples in quantities:
            commands.query(f"FETCh:ARRay:{quantity}[:DC]", self._array_query(samples, array, fresh=False))
            commands.query(f"MEASure:ARRay:{quantity}[:DC]", self._array_query(samples, array, fresh=True))
            for suffix, reduce in (("[:DC]", np.mean), (":MAXimum", np.max), (":MINimum", np.min)):
                commands.query(
                    f"FETCh[:SCALar]:{quantity}{suffix}", self._scalar_query(samples, reduce, fresh=False)
                )
                commands.query(
                    f"MEASure[:SCALar]:{quantity}{suffix}", self._scalar_query(samples, reduce, fresh=True)
                )

        def fetch_log(call: Call) -> bytes:
            maximum = call.integer(1, LOG_FETCH_MAX, 1)
            call.channels()
            return array(self.log.fetch(maximum).ravel())

        commands.query("FETCh:ELOG", fetch_log)

    def _output(self, call: Call) -> str | None:
        if call.query:
            channels = call.channels(self.neighbour.channels)
            return ",".join("1" if self._is_on(channel) else "0" for channel in channels)
        on = call.boolean()
        for channel in call.channels(self.neighbour.channels):
            if channel == NEIGHBOUR:
                self.neighbour.switch(on, call.text)
            else:
                self.source.switch(on)
        return None

    def _is_on(self, channel: int) -> bool:
        return self.neighbour.on if channel == NEIGHBOUR else self.source.on

    def _array_query(
        self,
        samples: Callable[[], NDArray[np.float64]],
        array: Callable[[NDArray[np.float64]], bytes],
        *,
        fresh: bool,
    ) -> Handler:
        def handle(call: Call) -> bytes:
            call.channels()
            if fresh:
                self.measure()
            return array(samples())

        return handle

    def _scalar_query(
        self,
        samples: Callable[[], NDArray[np.float64]],
        reduce: Callable[[NDArray[np.float64]], Any],
        *,
        fresh: bool,
    ) -> Handler:
        def handle(call: Call) -> str:
            channels = call.channels()
            if fresh:
                self.measure()
            values = samples()
            value = OVERLOAD if bool(np.any(values >= OVERLOAD)) else float(reduce(values))
            return ",".join(real(value) for _ in channels)

        return handle


def _action(act: Callable[[], None]) -> Handler:
    def handle(call: Call) -> None:
        if call.query:
            raise ScpiError(-113, call.text)
        call.channels()
        act()

    return handle
