# SPDX-License-Identifier: Apache-2.0
"""Faults of a bench's computer and of its papers: each is the first that is named, with what mends it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from types import SimpleNamespace

import pytest

from hil.config import RigConfig, load_rig
from hil.doctor import Finding, Machine, State, host_checks, host_findings

NUCLEO = Path(__file__).resolve().parents[2] / "rig_configs" / "nucleo.toml"
PORT = "dev/serial/by-id/usb-STMicroelectronics_STM32_STLink_066DFF495056805087153841-if02"
USB = "sys/bus/usb/devices/1-2"
UPGRADES = "etc/apt/apt.conf.d/50unattended-upgrades"
RULES = "etc/udev/rules.d/70-hil-rig.rules"
TODAY = date(2026, 12, 1)


@dataclass
class Bench(Machine):
    """A bench's computer in good order, in a folder."""

    root: Path
    free: int = 50 * 1024**3
    answers: dict[tuple[str, ...], str] = field(
        default_factory=lambda: {
            ("timedatectl", "show", "--property=NTPSynchronized", "--value"): "yes",
            ("systemctl", "is-active", "ModemManager"): "inactive",
            ("systemctl", "is-enabled", "sleep.target"): "masked",
        }
    )
    rig_text: str = field(default_factory=lambda: NUCLEO.read_text("utf-8"))
    brought_up: bool = True
    locks: Path = Path("/run/lock/hil-rig")

    def __post_init__(self) -> None:
        self.write(PORT, "")
        self.write(f"{USB}/serial", "066DFF495056805087153841\n")
        self.write(f"{USB}/power/control", "on\n")
        self.write(UPGRADES, '// Unattended-Upgrade::Automatic-Reboot "true";\n')
        self.write(RULES, (resources.files("hil.cli") / "data" / "70-hil-rig.rules").read_text("utf-8"))

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, "utf-8")

    def ask(self, *command: str) -> str | None:
        return self.answers.get(command)

    def free_bytes(self, folder: Path) -> int:
        return self.free

    @property
    def config(self) -> RigConfig:
        file = self.root / "nucleo.toml"
        file.write_text(self.rig_text, "utf-8")
        return load_rig(file)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench(tmp_path)
    brought_up = SimpleNamespace(date=datetime(2026, 11, 20, tzinfo=UTC))
    monkeypatch.setattr(host_checks, "load_bring_up", lambda _: brought_up if made.brought_up else None)
    monkeypatch.setattr(host_checks, "lock_directory", lambda: made.locks)
    return made


def findings(bench: Bench) -> list[Finding]:
    return list(host_findings(bench.config, Path("results"), bench, TODAY))


def test_a_bench_in_good_order_has_nothing_to_mend(bench: Bench) -> None:
    assert [found for found in findings(bench) if found.state is not State.GOOD] == []


def ask(bench: Bench, *command: str, answer: str) -> None:
    bench.answers[command] = answer


def modem_manager(bench: Bench) -> None:
    ask(bench, "systemctl", "is-active", "ModemManager", answer="active")
    ask(bench, "udevadm", "info", "--name", f"/{PORT}", answer="E: DEVNAME=/dev/ttyACM0")


Plant = Callable[[Bench], object]
PLANTED: dict[str, tuple[str, str, Plant]] = {
    "full disk": ("room for results", "du -xsh", lambda b: setattr(b, "free", 10**9)),
    "private locks": ("locks", "tmpfiles.d", lambda b: setattr(b, "locks", Path("/tmp/hil-rig"))),
    "calibration overdue": (
        "calibration of daq",
        r"[daq] calibration_due",
        lambda b: setattr(
            b, "rig_text", b.rig_text.replace("[daq]\n", "[daq]\ncalibration_due = 2026-11-30\n")
        ),
    ),
    "never brought up": ("bring-up", "hil bringup --rig nucleo", lambda b: setattr(b, "brought_up", False)),
    "clock not set": (
        "clock of this computer",
        "sudo timedatectl set-ntp true",
        lambda b: ask(b, "timedatectl", "show", "--property=NTPSynchronized", "--value", answer="no"),
    ),
    "port gone": ("serial ports", "ls -l /dev/serial/by-id", lambda b: (b.root / PORT).unlink()),
    "no udev rules": ("udev rules", "hil udev --install", lambda b: (b.root / RULES).unlink()),
    "old udev rules": ("udev rules", "hil udev --install", lambda b: b.write(RULES, "# of last year")),
    "ModemManager": ("ModemManager", "udevadm trigger", modem_manager),
    "autosuspend": (
        "USB autosuspend",
        f"echo on | sudo tee /{USB}/power/control",
        lambda b: b.write(f"{USB}/power/control", "auto\n"),
    ),
    "sleep": (
        "sleep",
        "systemctl mask sleep.target",
        lambda b: ask(b, "systemctl", "is-enabled", "sleep.target", answer="static"),
    ),
    "reboot by upgrades": (
        "updates",
        "99hil-rig",
        lambda b: b.write(UPGRADES, 'Unattended-Upgrade::Automatic-Reboot "true";\n'),
    ),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_the_fault_is_named_first_with_what_mends_it(bench: Bench, planted: str) -> None:
    check, mend, plant = PLANTED[planted]
    plant(bench)
    (first, *others) = [found for found in findings(bench) if found.state is State.WRONG]
    assert first.check == check
    assert mend in first.mend
    assert others == []


def test_what_cannot_be_asked_is_unknown_and_never_good(bench: Bench) -> None:
    bench.answers.clear()
    (bench.root / USB / "serial").write_text("another\n", "utf-8")
    (bench.root / UPGRADES).unlink()
    unknown = {found.check for found in findings(bench) if found.state is State.UNKNOWN}
    assert unknown == {"clock of this computer", "ModemManager", "USB autosuspend", "sleep", "updates"}


def test_a_port_that_the_rules_protect_may_have_modem_manager(bench: Bench) -> None:
    ask(bench, "systemctl", "is-active", "ModemManager", answer="active")
    ask(bench, "udevadm", "info", "--name", f"/{PORT}", answer="E: ID_MM_DEVICE_IGNORE=1")
    assert {found.state for found in findings(bench) if found.check == "ModemManager"} == {State.GOOD}


def test_the_real_machine_answers_or_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(" text \n", "utf-8")
    machine = Machine(tmp_path)
    assert machine.read("a") == "text"
    assert machine.read("b") is None
    assert machine.ask("no-such-program") is None
    assert machine.ask("true") is None
    assert machine.free_bytes(tmp_path / "not" / "yet") > 0
