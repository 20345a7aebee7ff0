# SPDX-License-Identifier: Apache-2.0
"""The PowerShield itself: its shell, its output, its ammeter and its stream.

UM2269 Rev 6 has the commands and the stream, UM2243 Rev 2 the board. The wording of errors is from what
programs that drive the board expect of it. What neither says is marked ASSUMPTION.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.twin.analyzer.bench import Bench
from hil.twin.analyzer.ranges import Meter, Range
from hil.twin.analyzer.source import Source
from hil.twin.lpm01a.encoding import binary, decimal, frame
from hil.twin.lpm01a.settings import ASCII_RATE_MAX_HZ, RefusedError, Settings
from hil.twin.realism import Realism

PROMPT = "PowerShield > "
BOARD_ID = "540619864-1110659081-4784204"
"""As in the example of UM2269, table 5."""
VERSION = "1.0.6"
"""ASSUMPTION: any revision from 1.0.2 on knows `pwr` (UM2269, table 22)."""

PROTECTION_A = 0.059
"""From here on the over-current protection acts (UM2243, 10)."""
PROTECTION_DELAY_S = 3e-3
"""ASSUMPTION: spikes of "less than few milliseconds" are allowed (UM2243, 10)."""

DYNAMIC = Range(50e-3, 0.02, 100e-9, 200e-9)
"""100 nA to 50 mA with an accuracy "in the range of 2 %" (UM2243, 10). ASSUMPTIONS: the lowest current is the
offset's limit, and the noise of a sample of 5.12 µs is twice as large."""
STATIC = Range(200e-3, 0.02, 1e-9, 1e-9)
"""1 nA to 200 mA, better than 2 % (UM2243, 9). ASSUMPTIONS: offset and noise, as above."""
STATIC_S = 0.1
"""How long a static measurement takes (ASSUMPTION)."""
STATIC_VARIATION = 0.10
"""How far the current may leave its mean meanwhile (UM2243, 9)."""
STATIC_STEPS = 100
"""In how many pieces of that time it is looked at (ASSUMPTION)."""
VOLTAGE_GAIN = 0.01
"""Tolerance of the voltage, about 1 % (UM2269, 4.4)."""

FLUSH_S = 0.02
"""How often samples are handed to the port (ASSUMPTION)."""
TIMESTAMP_EVERY = 1000
TX_BUFFER_BYTES = 64 << 10
"""What the board holds while the host does not read (ASSUMPTION: a fifth of its MCU's SRAM)."""

ANYWHERE = frozenset({"help", "echo", "powershield", "version", "status", "htc", "psrst"})
"""Commands that need no control by the host (UM2269, tables 3 to 11)."""
RUNNING = frozenset({"stop", "pwr", "targrst", "temp", "volt"})
"""Commands that an acquisition under way leaves possible."""
PS_PER_S = 1_000_000_000_000


class PowerShield:
    """One board. Whoever calls holds the bench's lock."""

    def __init__(self, bench: Bench, config: Mapping[str, Any], realism: Realism) -> None:
        self._bench = bench
        rng = bench.rng("lpm01a")
        self._dynamic = Meter((DYNAMIC,), rng)
        self._static = Meter((STATIC,), rng)
        programming = {"programming_gain_accuracy": VOLTAGE_GAIN, "programming_offset_accuracy_v": 0.0}
        self.source = Source(bench, {**programming, **config}, rng, realism)
        self.source.over_current_protection = True
        self.source.over_current_delay_s = PROTECTION_DELAY_S
        self.source.current_limit_a = PROTECTION_A
        self.source.low_impedance_off = True
        self._send: Callable[[bytes], bool] | None = None
        self._unsent = bytearray()
        self._reset()

    def connect_host(self, send: Callable[[bytes], bool]) -> None:
        """``send`` takes bytes for the host from now on; it says False where it cannot take them."""
        self._send = send

    def _reset(self) -> None:
        self.settings = Settings()
        self.by_host = False
        self._error = ""
        self._acquiring = False
        self._next_ps = 0
        self._count = 0
        self._least_a, self._most_a = np.inf, -np.inf
        self._generation = 0
        self._switch(False)

    @property
    def acquiring(self) -> bool:
        """Whether a stream is under way."""
        return self._acquiring

    def history_from_ps(self) -> int:
        """The earliest time whose current is still needed."""
        return (
            min(self._next_ps, self._bench.scheduler.now_ps)
            if self._acquiring
            else self._bench.scheduler.now_ps
        )

    def execute(self, line: bytes) -> None:
        """Act on one line of the shell."""
        text = line.decode("latin-1").strip("\0 \r\n\t")
        words = text.split()
        if not words:
            return
        name, *arguments = words
        try:
            self._refuse_in_this_state(name)
            answer = self._act(name, arguments, text)
        except RefusedError as refused:
            self._refuse(text, str(refused))
            return
        if answer is not None:
            self._say(answer)

    def power_on(self, voltage_v: float) -> None:
        """What a user does at the board's buttons: a voltage, and the supply on."""
        self.settings.volt = voltage_v
        self._switch(True)

    def _refuse_in_this_state(self, name: str) -> None:
        if name not in _COMMANDS:
            raise RefusedError("unknown command")
        if not self.by_host and name not in ANYWHERE:
            raise RefusedError("host has not taken control")
        if self._acquiring and name not in RUNNING:
            raise RefusedError("acquisition is on going")

    def _act(self, name: str, arguments: list[str], text: str) -> str | None:
        if name in self.settings.readers and not (name == "volt" and arguments == ["get"]):
            self.settings.set(name, arguments)
            if name == "volt":
                self.source.voltage_v = self.settings.volt
                self.source.apply()
            return f"ack {text}"
        if arguments and name in _ALONE:
            raise RefusedError("no argument expected")
        match name, arguments:
            case "volt", _:
                return self._told_voltage()
            case "pwr", _:
                return self._power(arguments, text)
            case "targrst", [duration]:
                return self._reset_target(duration, text)
            case "temp", [] | ["degc"]:
                return self._metadata(0xF8, b"\x00\x19", "ack temp degc 25.0")
            case "temp", ["degf"]:
                return self._metadata(0xF8, b"\x00\x19", "ack temp degf 77.0")
            case "start", _:
                self._start(text)
            case "stop", _:
                if self._acquiring:
                    self._flush()
                    self._end()
            case "status", _:
                error, self._error = self._error, ""
                return f"error: {error}" if error else "ack status: ok"
            case "htc" | "hrc", _:
                self.by_host = name == "htc"
                return f"ack {name}"
            case "psrst", _:
                self._reset()
            case "powershield", _:
                return f"ack powershield {BOARD_ID}"
            case "version", _:
                return f"ack version: {VERSION}"
            case "echo", _:
                return text
            case "help", _:
                return "ack help\r\n" + "\r\n".join(sorted(_COMMANDS))
            case "lcd", ["1" | "2", *_] if re.fullmatch(r'lcd [12] "[^"]{0,16}"', text):
                return f"ack {text}"
            case "calib", _:
                return "ack calib"
            case "autotest", [] | ["start"] | ["status"]:
                return f"ack {text}"
            case _:
                raise RefusedError("argument not expected")
        return None

    def _power(self, arguments: list[str], text: str) -> str | None:
        match arguments:
            case ["get"]:
                on = self.source.active
                return self._metadata(0xF9, bytes((on,)), f"ack pwr get {'on' if on else 'off'}")
            case ["on" | "off", *rest] if rest in ([], ["nostatus"]):
                self._switch(arguments[0] == "on")
            case ["auto", *rest] if rest in ([], ["nostatus"]):
                pass  # the output stays as it is until an acquisition begins
            case _:
                raise RefusedError("argument among list {auto, on, off, get}; status: not modelled")
        return self._metadata(0xF9, bytes((self.source.active,)), f"ack {text}")

    def _reset_target(self, duration: str, text: str) -> str | None:
        value = self._duration(duration)
        self._switch(False)
        if value:
            self._bench.scheduler.after(round(value * PS_PER_S), lambda: self._switch(True))
        return self._metadata(0xF6, b"", f"ack {text}")

    @staticmethod
    def _duration(text: str) -> float:
        from hil.twin.lpm01a.encoding import number

        value = number(text)
        if value is None or not (value == 0 or 1e-3 <= value <= 1):
            raise RefusedError("numerical value in range [1m; 1] or 0")
        return value

    def _told_voltage(self) -> str | None:
        # In front of the switch to the target: also of an output that is off.
        milli = round(1e3 * (self.source.board_v if self.source.active else self.settings.volt))
        return self._metadata(0xF7, milli.to_bytes(2, "big"), f"ack volt get {milli:04d}-03")

    def _metadata(self, tag: int, content: bytes, text: str) -> str | None:
        """An answer: text, or inside a binary stream a piece of metadata."""
        if not (self._acquiring and self.settings.format == "bin_hexa"):
            return text
        self._flush()
        self._put(frame(tag, content))
        return None

    def _switch(self, on: bool) -> None:
        self.source.voltage_v = self.settings.volt
        if on and self.source.tripped:
            self.source.clear_protection()
        self.source.switch(on)

    def _start(self, text: str) -> None:
        settings = self.settings
        is_text = settings.format == "ascii_dec"
        if settings.acqmode == "dyn" and is_text and settings.freq > ASCII_RATE_MAX_HZ:
            raise RefusedError("format ascii_dec: sampling frequency too high")
        self._acquiring = True
        self._count, self._least_a, self._most_a = 0, np.inf, -np.inf
        self._generation += 1
        self._say(f"ack {text}")
        self._switch(True)
        self._next_ps = self._bench.scheduler.now_ps + round(settings.trigdelay * PS_PER_S)
        if settings.acqmode == "stat":
            self._after(self._next_ps + round(STATIC_S * PS_PER_S), self._static_reading)
        else:
            self._after(self._next_ps, self._begin)

    def _after(self, time_ps: int, action: Callable[[], None]) -> None:
        generation = self._generation

        def act() -> None:
            if self._acquiring and generation == self._generation:
                action()

        self._bench.scheduler.after(max(0, time_ps - self._bench.scheduler.now_ps), act)

    def _begin(self) -> None:
        self._timestamp()
        self._run()

    def _run(self) -> None:
        """Hand over what has been sampled, and plan the next time."""
        self._flush()
        if not self._acquiring:
            return
        limit = self._limit
        if limit is not None and self._count >= limit:
            self._end()
            return
        samples = max(1, round(FLUSH_S * self.settings.freq))
        if limit is not None:
            samples = min(samples, limit - self._count)
        self._after(self._next_ps + samples * self._period_ps, self._run)

    @property
    def _period_ps(self) -> int:
        return round(PS_PER_S / self.settings.freq)

    @property
    def _limit(self) -> int | None:
        """Samples of the acquisition; None: until it is stopped."""
        duration_s = self.settings.acqtime
        return None if duration_s is None else max(1, round(duration_s * self.settings.freq))

    def _flush(self) -> None:
        """Samples that are over by now."""
        if not self._acquiring or self.settings.acqmode == "stat":
            return
        over = (self._bench.scheduler.now_ps - self._next_ps) // self._period_ps
        limit = self._limit
        if limit is not None:
            over = min(over, limit - self._count)
        while over > 0 and self._acquiring:
            count = min(over, TIMESTAMP_EVERY - self._count % TIMESTAMP_EVERY)
            self._sample(count)
            over -= count

    def _sample(self, count: int) -> None:
        edges_ps = self._next_ps + self._period_ps * np.arange(count + 1, dtype=np.int64)
        true_a = self._bench.mcu.supply.mean_current_a(edges_ps)
        readings_a = np.minimum(self._dynamic.read(true_a, 1 / self.settings.freq, None), DYNAMIC.full_scale)
        self._next_ps += count * self._period_ps
        self._count += count
        self._least_a = min(self._least_a, float(readings_a.min()))
        self._most_a = max(self._most_a, float(readings_a.max()))
        self._put(self._encoded(readings_a))
        self._bench.mcu.supply.discard_before(self._next_ps)
        if self.source.tripped:
            self._error = "overcurrent"
            self._put(frame(0xF5) if self.settings.format == "bin_hexa" else b"\r\nerror overcurrent\r\n")
            self._end()
        elif self._count % TIMESTAMP_EVERY == 0:
            self._timestamp()

    def _encoded(self, currents_a: NDArray[np.float64]) -> bytes:
        if self.settings.format == "bin_hexa":
            return binary(currents_a).astype(">u2").tobytes()
        return "".join(f"{decimal(float(current_a))}\r\n" for current_a in currents_a).encode()

    def _timestamp(self) -> None:
        milli = round(1e3 * self._count / self.settings.freq)
        load = min(99, 100 * len(self._unsent) // TX_BUFFER_BYTES)
        if self.settings.format == "bin_hexa":
            self._put(frame(0xF3, (milli & 0x7FFF_FFFF).to_bytes(4, "big") + bytes((load,))))
        else:
            self._put(
                f"\r\nTimeStamp: {milli // 1000:03d}s {milli % 1000:03d}ms, buff {load:02d}%\r\n".encode()
            )

    def _static_reading(self) -> None:
        end_ps = self._bench.scheduler.now_ps
        edges_ps = np.linspace(end_ps - round(STATIC_S * PS_PER_S), end_ps, STATIC_STEPS + 1).astype(np.int64)
        pieces_a = self._bench.mcu.supply.mean_current_a(edges_ps)
        mean_a = float(pieces_a.mean())
        self._bench.mcu.supply.discard_before(end_ps)
        if float(np.abs(pieces_a - mean_a).max()) > STATIC_VARIATION * abs(mean_a):
            self._error = "static acquisition: current not constant"
            self._put(b"\r\nerror: static acquisition: current not constant\r\n")
        else:
            reading_a = float(self._static.read(np.array([mean_a]), STATIC_S, None)[0])
            self._count, self._least_a, self._most_a = 1, reading_a, reading_a
            self._put(self._encoded(np.array([reading_a])))
        self._end()

    def _end(self) -> None:
        """The acquisition is over: its end, the state of the supply, and a summary in text."""
        self._put(frame(0xF4) if self.settings.format == "bin_hexa" else b"\r\nend\r\n")
        self._acquiring = False
        if self.settings.pwrend == "off":
            self._switch(False)
        if self._count:
            summary = f"{decimal(self._least_a)}\r\n{decimal(self._most_a)}"
            self._put(f"\r\nsummary beg\r\n{summary}\r\nsummary end\r\n".encode())
        self._put(f"\r\n{PROMPT}Acquisition completed\r\n".encode())

    def _refuse(self, text: str, why: str) -> None:
        shown = "".join(letter if " " <= letter < "\x7f" else "?" for letter in text[:80])
        if self._acquiring and self.settings.format == "bin_hexa":
            self._put(frame(0xF1, f"{shown}: {why}\r\n".encode()))
        else:
            self._put(f"\r\n{PROMPT}error {shown}\r\n{PROMPT}Error detail: {why}\r\n\r\n".encode("ascii"))

    def _say(self, text: str) -> None:
        self._put(f"\r\n{PROMPT}{text}\r\n\r\n".encode("latin-1"))

    def _put(self, data: bytes) -> None:
        """Hand bytes to the port; what it does not take waits in the board's buffer."""
        self._unsent += data
        if self._send is not None and self._send(bytes(self._unsent)):
            self._unsent.clear()
        elif len(self._unsent) > TX_BUFFER_BYTES:
            self._unsent.clear()
            if self._acquiring:
                self._acquiring = False
                self._error = "buffer Tx overload"
                self._unsent += frame(0xF1, b"buffer Tx overload\r\n") + frame(0xF4)


_ALONE = frozenset(
    {"start", "stop", "status", "htc", "hrc", "psrst", "powershield", "version", "help", "calib"}
)
_COMMANDS = frozenset(Settings().readers) | _ALONE | {"echo", "lcd", "pwr", "targrst", "temp", "autotest"}
"""`currthre` drives a pin that nothing is wired to: not modelled, and refused."""
