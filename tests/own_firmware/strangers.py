# SPDX-License-Identifier: Apache-2.0
"""Firmware that knows nothing of hil-rig, of many kinds, and what is to be said of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.own_firmware.sensor import EXAMPLES, SOURCE

SENSOR = 'console = "text"\nsleep = "stop2"\nwake_period = "500 ms"\n'
"""What the owners of sensor.c and of tickless.c say of theirs, beside the image."""


@dataclass(frozen=True)
class Stranger:
    """A firmware, its owner's word, and the verdict."""

    source: str
    """In this folder, or in tests/twin/examples/firmware."""
    said: tuple[str, ...]
    """Sentences, or parts of one, that the run has to print."""
    claims: str = ""
    """Keys of [firmware] in hil.toml."""
    define: str = "SOUND"
    """A macro."""
    sound: bool = True
    """Whether the run has to be green."""
    measured: tuple[str, ...] = ()
    """Measurements that there have to be."""
    floats: bool = False
    """Compiled for the floating-point unit."""

    @property
    def path(self) -> Path:
        own = SOURCE.with_name(self.source)
        return own if own.exists() else EXAMPLES / self.source


def fault(define: str, *said: str, claims: str = SENSOR) -> Stranger:
    """The sensor with a planted fault."""
    return Stranger("sensor.c", said, claims, define, sound=False)


def kernel_fault(define: str, *said: str) -> Stranger:
    """The kernel with a planted fault."""
    return Stranger("tickless.c", said, SENSOR, define, sound=False, floats=True)


CYCLE = (
    "wake period",
    "time awake",
    "average current",
    "battery life on a CR2032 coin cell, reached by 95 %",
)
STRANGERS = {
    "Stop 2 by the RTC, a banner": Stranger(
        "sensor.c",
        ('seen: sleeps in stop2 by its registers, says "sensor ready"',),
        SENSOR,
        measured=("current asleep in stop2", *CYCLE),
    ),
    "Stop 1, as it claims": Stranger(
        "sensor.c",
        ("seen: sleeps in stop1",),
        SENSOR.replace("stop2", "stop1"),
        "SLEEP_MODE=1u",
        measured=("current asleep in stop1", *CYCLE),
    ),
    "Stop 0, nothing claimed": Stranger(
        "sensor.c",
        ("seen: sleeps in stop0",),
        "",
        "SLEEP_MODE=0u",
        measured=("current asleep in stop0", *CYCLE),
    ),
    "Stop 0, 1 and 2 by turns": Stranger(
        "stop_modes.c",
        ("seen: sleeps in stop0 and stop1 and stop2 by its registers",),
        measured=("current asleep, in stop0 and stop1 and stop2 by turns", *CYCLE),
    ),
    "Standby by the RTC": Stranger(
        "standby_logger.c",
        ("seen: sleeps in standby by its registers",),
        'sleep = "standby"\nwake_period = "500 ms"\n',
        measured=("current asleep in standby", *CYCLE),
    ),
    "low-power run and sleep": Stranger(
        "low_power_run.c", ("seen: sleeps in lpsleep",), measured=("current asleep in lpsleep", *CYCLE)
    ),
    "an ADC by DMA, asleep between": Stranger(
        "adc_dma.c", ("seen: sleeps in sleep",), measured=("current asleep in sleep", "average current")
    ),
    "a UART that answers": Stranger(
        "uart_timeouts.c",
        ("is silent on the console",),
        'sleep = "none"\nbaud = 9600\n',
        measured=("current, never asleep", "average current"),
    ),
    "tasks in the manner of an RTOS": Stranger(
        "tasks.c", ("seen: sleeps in sleep",), measured=("current asleep in sleep", "average current")
    ),
    "a kernel without ticks, floats in two tasks": Stranger(
        "tickless.c",
        ('seen: sleeps in stop2 by its registers, says "kernel ready"',),
        SENSOR,
        measured=("current asleep in stop2", *CYCLE),
        floats=True,
    ),
    "busy by design": Stranger(
        "sensor.c",
        ("seen: runs in delay_ms",),
        'sleep = "none"\n',
        "NO_SLEEP",
        measured=("current, never asleep", "average current"),
    ),
    "a budget for another bench": Stranger(
        "sensor.c",
        ("says supply_voltage 1.8 V, and rig sim has 3 V: currents here are not those of its budget",),
        SENSOR + 'hclk = "4 MHz"\nsupply_voltage = "1.8 V"\nambient_temperature = "25 degC"\n',
    ),
    "a watchdog that is fed": Stranger(
        "sensor.c", ("seen: sleeps in stop2",), SENSOR, "FED", measured=("current asleep in stop2", *CYCLE)
    ),
    "woken by a button alone": Stranger(
        "button_lamp.c",
        ('seen: sleeps in stop2 by its registers, says "lamp ready"',),
        measured=("current asleep in stop2", "average current"),
    ),
    "another rate, declared": Stranger(
        "sensor.c",
        ('says "sensor ready"',),
        SENSOR + "baud = 38400\nbanner = 'sensor r'\n",
        "BAUD=38400u",
        measured=("current asleep in stop2", *CYCLE),
    ),
    "LPMS left at 0": fault("SLEEP_MODE=0u", "claims stop2, and the registers say stop0: PWR_CR1 is 0x300"),
    "debug left on": fault(
        "DEBUG_LEFT_ON", "DBGMCU_CR 0x7 keeps the debug domain clocked in Sleep, Stop, Standby"
    ),
    "hangs in its error handler": fault("HANGS", "it hangs in Error_Handler at 0x0800"),
    "hangs, and its tick goes on": fault("HANGS_TICKING", "it hangs in Error_Handler at 0x0800"),
    "hangs, and waits in WFI": fault("HANGS_ASLEEP", "it hangs in Error_Handler at 0x0800"),
    "reads where nothing is": fault(
        "READS_NOWHERE", "the core is in the exception HardFault in Fault_Handler at 0x0800"
    ),
    "wrong baud": fault(
        "BAUD=38400u", "no text at 115200 baud: USART2_BRR 0x68 makes 38462 baud", "at 38400 it would be text"
    ),
    "another banner": fault(
        "SOUND",
        "claims the banner 'logger'; the console says 'sensor ready'",
        claims=SENSOR + 'banner = "logger"\n',
    ),
    "watchdog": fault("WATCHDOG", "times in 4.1 s, by the independent watchdog (RCC_CSR 0x"),
    "watchdog, flags cleared": fault("WATCHDOG_HIDDEN", "it was reset at least"),
    "never sleeps": fault("NO_SLEEP", "the core was asleep at none of 40 looks: it runs in delay_ms"),
    "inputs left floating": fault("FLOATING", "pin(s) are digital inputs without a pull"),
    "the HSI16 kept on": fault("HSI_KEPT", "RCC_CR.HSIKERON keeps the HSI16 on in Stop"),
    "the quartz given up": fault("QUARTZ_GIVEN_UP", "the LSE is on and ready, and the RTC runs on the LSI"),
    "a kernel's LPMS left at 0": kernel_fault(
        "SLEEP_MODE=0u", "claims stop2, and the registers say stop0: PWR_CR1 is 0x300"
    ),
    "a kernel's tick kept on": kernel_fault("TICK_KEPT", "claims stop2, and the registers say sleep"),
    "a task's floats lost": kernel_fault("FLOATS_LOST", "it hangs in Error_Handler at 0x0800"),
    "another clock": fault(
        "NO_SLEEP",
        "hil.toml claims 80 MHz, and the registers make 4 MHz: RCC_CFGR is 0x",
        claims='sleep = "none"\nhclk = "80 MHz"\n',
    ),
    "wakes too often": fault(
        "SOUND", "wake period is", "(hil.toml, wake_period)", claims=SENSOR.replace("500 ms", "2 s")
    ),
}
"""Of each a name, and what it is."""
