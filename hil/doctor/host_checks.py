# SPDX-License-Identifier: Apache-2.0
"""The checks that open no instrument: files, calibration, and the computer's own habits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path

from hil.config import RigConfig, calibration, load_bring_up
from hil.doctor.finding import Finding, State
from hil.doctor.machine import Machine
from hil.errors import HilError
from hil.rig.lock import lock_directory

_LEAST_FREE_BYTES = 2 * 1024**3
"""Room for results. An assumption: three runs with all their waveforms, some 500 MB each."""
_RULES = "70-hil-rig.rules"
_UDEV_FOLDERS = ("etc/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d")
_UDEV = 'sudo env "PATH=$PATH" hil udev --install && sudo udevadm control --reload && sudo udevadm trigger'
_UPGRADES = "etc/apt/apt.conf.d"


@dataclass(frozen=True)
class _Examined:
    """What the checks look at."""

    config: RigConfig
    results: Path
    machine: Machine
    today: date

    @property
    def has_hardware(self) -> bool:
        """Whether the bench outlives its run, so that this computer's habits matter at night."""
        return self.config.service is None

    @property
    def ports(self) -> list[str]:
        """Serial ports of this computer that the rig file names."""
        tables = [self.config.console, *self.config.instruments.values()]
        named = [str(getattr(table, "port", "")) for table in tables if table is not None]
        return [port for port in named if port.startswith("/dev/")]

    @property
    def probe_on_usb(self) -> str | None:
        """The serial number of a probe on this computer's USB."""
        uid = self.config.probe.uid if self.config.probe is not None else ""
        return uid if uid and ":" not in uid else None


def host_findings(
    config: RigConfig, results: Path, machine: Machine, today: date | None = None
) -> Iterator[Finding]:
    """Make every check that needs no instrument, in the order in which faults are best mended."""
    examined = _Examined(config, results, machine, today or date.today())
    for name, check in _CHECKS:
        try:
            yield from check(examined, name)
        except (HilError, OSError) as error:
            hint = error.hint if isinstance(error, HilError) else ""
            yield Finding(name, State.WRONG, str(error), hint)


def _drivers(examined: _Examined, name: str) -> Iterator[Finding]:
    for table in examined.config.instruments.values():
        table.check_machine(examined.config.file)
    yield Finding(
        name, State.GOOD, ", ".join(sorted({t.driver for t in examined.config.instruments.values()}))
    )


def _calibration(examined: _Examined, name: str) -> Iterator[Finding]:
    due, holds = [], True
    for role, table in examined.config.instruments.items():
        overdue = calibration.overdue(table, examined.today)
        if overdue is not None:
            holds = False
            yield Finding(
                f"{name} of {role}",
                State.WRONG,
                overdue,
                f"have it calibrated, then write [{role}] calibration_due in {examined.config.file}",
            )
        elif table.calibration_due is not None:
            due.append(f"{role} until {table.calibration_due.isoformat()}")
    if holds:
        yield Finding(name, State.GOOD, ", ".join(due) or "no day named in the rig file")


def _bring_up(examined: _Examined, name: str) -> Iterator[Finding]:
    found = load_bring_up(examined.config)  # of another bench, too old: its error says hil bringup
    if found is not None:
        yield Finding(name, State.GOOD, f"of {found.date.date().isoformat()}")
    elif examined.has_hardware:
        yield Finding(
            name, State.WRONG, "this bench was never brought up", f"hil bringup --rig {examined.config.name}"
        )
    else:
        yield Finding(name, State.LEFT_OUT, "the bench is started for each run")


def _disk(examined: _Examined, name: str) -> Iterator[Finding]:
    free = examined.machine.free_bytes(examined.results)
    told = f"{free / 1024**3:.1f} GB free for {examined.results}"
    if free < _LEAST_FREE_BYTES:
        yield Finding(
            name,
            State.WRONG,
            f"{told}, and a night wants {_LEAST_FREE_BYTES / 1024**3:.0f} GB",
            f"du -xsh {examined.results}/* | sort -h  # and remove what is no longer needed",
        )
    else:
        yield Finding(name, State.GOOD, told)


def _locks(examined: _Examined, name: str) -> Iterator[Finding]:
    folder = lock_directory()
    if folder.is_relative_to("/tmp") and examined.has_hardware:
        yield Finding(
            name,
            State.WRONG,
            f"{folder}: a service with a private /tmp would not see who holds the bench",
            "echo 'd /run/lock/hil-rig 1777 root root' | sudo tee /etc/tmpfiles.d/hil-rig.conf && "
            "sudo systemd-tmpfiles --create",
        )
    else:
        yield Finding(name, State.GOOD, str(folder))


def _clock(examined: _Examined, name: str) -> Iterator[Finding]:
    answer = examined.machine.ask("timedatectl", "show", "--property=NTPSynchronized", "--value")
    if answer == "no":
        yield Finding(
            name,
            State.WRONG,
            "the clock is not set by a time server",
            "sudo timedatectl set-ntp true",
        )
    elif answer == "yes":
        yield Finding(name, State.GOOD, "set by a time server")
    else:
        yield Finding(name, State.UNKNOWN, "timedatectl does not answer")


def _udev_rules(examined: _Examined, name: str) -> Iterator[Finding]:
    if not (examined.ports or examined.probe_on_usb):
        yield Finding(name, State.LEFT_OUT, "no probe or port on USB")
        return
    shipped = (resources.files("hil.cli") / "data" / _RULES).read_text("utf-8").strip()
    texts = [text for folder in _UDEV_FOLDERS if (text := examined.machine.read(f"{folder}/{_RULES}"))]
    if not texts:
        yield Finding(name, State.WRONG, f"{_RULES} is not installed", _UDEV)
    elif shipped not in texts:
        yield Finding(name, State.WRONG, f"{_RULES} is of another version", _UDEV)
    else:
        yield Finding(name, State.GOOD, f"{_RULES} is installed")


def _modem_manager(examined: _Examined, name: str) -> Iterator[Finding]:
    if not examined.ports:
        yield Finding(name, State.LEFT_OUT, "no serial port of this computer")
        return
    answer = examined.machine.ask("systemctl", "is-active", "ModemManager")
    if answer is None:
        yield Finding(name, State.UNKNOWN, "systemctl does not answer")
        return
    if answer != "active":
        yield Finding(name, State.GOOD, "does not run")
        return
    ignored = [
        port
        for port in examined.ports
        if "ID_MM_DEVICE_IGNORE=1" in (examined.machine.ask("udevadm", "info", "--name", port) or "")
    ]
    if set(examined.ports) - set(ignored):
        port = next(port for port in examined.ports if port not in ignored)
        yield Finding(name, State.WRONG, f"it runs, and types modem commands into {port}", _UDEV)
    else:
        yield Finding(name, State.GOOD, "it runs, and leaves the rig's ports alone")


def _autosuspend(examined: _Examined, name: str) -> Iterator[Finding]:
    uid = examined.probe_on_usb
    if uid is None:
        yield Finding(name, State.LEFT_OUT, "no probe on USB")
        return
    for file in examined.machine.find("sys/bus/usb/devices/*/serial"):
        relative = file.parent.relative_to(examined.machine.root).as_posix()
        if examined.machine.read(f"{relative}/serial") != uid:
            continue
        if examined.machine.read(f"{relative}/power/control") == "auto":
            yield Finding(
                name,
                State.WRONG,
                f"the probe's port may be suspended: /{relative}/power/control is auto",
                f"echo on | sudo tee /{relative}/power/control",
            )
        else:
            yield Finding(name, State.GOOD, "off for the probe")
        return
    yield Finding(name, State.UNKNOWN, f"no USB device has the serial number {uid}")


def _sleep(examined: _Examined, name: str) -> Iterator[Finding]:
    if not examined.has_hardware:
        yield Finding(name, State.LEFT_OUT, "the bench is started for each run")
        return
    answer = examined.machine.ask("systemctl", "is-enabled", "sleep.target")
    if answer is None:
        yield Finding(name, State.UNKNOWN, "systemctl does not answer")
    elif answer == "masked":
        yield Finding(name, State.GOOD, "this computer does not go to sleep")
    else:
        yield Finding(
            name,
            State.WRONG,
            "this computer may go to sleep in a run",
            "sudo systemctl mask sleep.target suspend.target hibernate.target hybrid-sleep.target",
        )


def _updates(examined: _Examined, name: str) -> Iterator[Finding]:
    if not examined.has_hardware:
        yield Finding(name, State.LEFT_OUT, "the bench is started for each run")
        return
    files = examined.machine.find(f"{_UPGRADES}/*")
    if not files:
        yield Finding(name, State.UNKNOWN, "no settings of apt; see what else boots this computer")
        return
    reboots = False
    for file in files:  # the last one wins, as apt reads them
        text = examined.machine.read(f"{_UPGRADES}/{file.name}") or ""
        for line in text.splitlines():
            match = re.match(r'\s*Unattended-Upgrade::Automatic-Reboot\s+"(\w+)"', line)
            reboots = reboots if match is None else match[1].lower() == "true"
    if reboots:
        yield Finding(
            name,
            State.WRONG,
            "unattended upgrades may boot this computer in a run",
            "echo 'Unattended-Upgrade::Automatic-Reboot \"false\";' | sudo tee /etc/apt/apt.conf.d/99hil-rig",
        )
    else:
        yield Finding(name, State.GOOD, "no unattended upgrade of apt boots this computer")


def _ports(examined: _Examined, name: str) -> Iterator[Finding]:
    for port in examined.ports:
        if not (examined.machine.root / port.lstrip("/")).exists():
            yield Finding(
                name, State.WRONG, f"{port} is not there", "ls -l /dev/serial/by-id  # the names that are"
            )
    if not examined.ports:
        yield Finding(name, State.LEFT_OUT, "none on this computer")
    else:
        yield Finding(name, State.GOOD, ", ".join(examined.ports))


_Check = Callable[[_Examined, str], Iterator[Finding]]
_CHECKS: tuple[tuple[str, _Check], ...] = (
    ("drivers", _drivers),
    ("room for results", _disk),
    ("locks", _locks),
    ("calibration", _calibration),
    ("bring-up", _bring_up),
    ("clock of this computer", _clock),
    ("serial ports", _ports),
    ("udev rules", _udev_rules),
    ("ModemManager", _modem_manager),
    ("USB autosuspend", _autosuspend),
    ("sleep", _sleep),
    ("updates", _updates),
)
