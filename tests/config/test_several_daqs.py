# SPDX-License-Identifier: Apache-2.0
"""Several DAQs in a rig file: what it may say of them, and what the way down does with each."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from hil.config import fingerprint, load_rig, resolve
from hil.errors import ConfigError, ConnectError
from hil.instruments.protocols import Daq
from hil.places import shipped
from hil.rig.claims import claims
from hil.rig.daqs import Daqs, RigDaq

TEXT = shipped("rig_configs/sim-two-daqs.toml").read_text(encoding="utf-8")
SECOND = TEXT[TEXT.index("[daqs.signal]") : TEXT.index("[console]")]


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "x.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_each_has_its_address_its_lock_and_its_accuracy() -> None:
    config = load_rig("sim-two-daqs")
    assert list(config.instruments) == ["power_analyzer", "daq", "daqs.signal"]
    names = ("console", "power_analyzer", "clock", "hands", "probe")
    given = dict.fromkeys(names, "127.0.0.1:9") | {"daq": "127.0.0.1:1", "daq_signal": "127.0.0.1:2"}
    locked = set(claims(resolve(config, given)).values())
    assert {"daq 127.0.0.1:1 Dev1", "daq 127.0.0.1:2 Dev2"} <= locked
    assert config.timed_by is config.daq
    assert config.daq_at("Dev2/ao0") is config.daqs.by_name()["signal"]


def test_a_rig_with_another_second_device_is_another_bench(tmp_path: Path) -> None:
    changed = written(tmp_path, TEXT.replace('device = "Dev2"', 'device = "Dev2"\nserial = "1D3A002"'))
    assert fingerprint(load_rig(changed)) != fingerprint(load_rig("sim-two-daqs"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('device = "Dev2"', 'device = "Dev1"', "daqs.signal.device: 'Dev1' is the device of [daq] already"),
        ("[daqs.signal]", "[daqs.Signal]", "'Signal' is no name of a DAQ"),
        ("[daqs.signal]", "[daqs]\nx = 1\n[daqs.signal]", "daqs.x: 1 is not a table"),
        (SECOND, SECOND.replace("nidaqmx", "n6705c"), "'n6705c' cannot serve as [daq]"),
        (SECOND, SECOND.replace('driver = "nidaqmx"\n', ""), "the key 'driver' is missing"),
        (SECOND, SECOND.replace("timebase_accuracy", "timebase"), "unknown key 'timebase'"),
        ('"Dev2/ao0"', '"Dev3/ao0"', "terminal Dev3/ao0 is not on the rig's DAQ 'Dev1' or 'Dev2'"),
        ('"Dev2/ao0"', '"Dev2/ai3"', "terminal Dev2/ai3 cannot serve this role"),
        ('"Dev1/ctr1"', '"Dev2/ctr1"', "Dev2/ctr1 and Dev1/ctr0 are counters of two devices"),
    ],
)
def test_a_second_daq_that_cannot_be_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(ConfigError) as refused:
        load_rig(written(tmp_path, TEXT.replace(old, new, 1)))
    assert said in str(refused.value)
    assert "x.toml:" in str(refused.value), "no line is named"


def test_a_second_daq_needs_a_first(tmp_path: Path) -> None:
    first = TEXT[TEXT.index("[daq]") : TEXT.index("# A DAQ beside")]
    with pytest.raises(ConfigError, match=r"\[daqs\.signal\] stands without \[daq\]"):
        load_rig(written(tmp_path, TEXT.replace(first, "")))


class _Device:
    def __init__(self, name: str, done: list[str], *, gone: bool = False) -> None:
        self._name, self._done, self._gone = name, done, gone

    def __getattr__(self, operation: str) -> Any:
        def act() -> None:
            self._done.append(f"{self._name} {operation}")
            if self._gone:
                raise ConnectError("gone", where=self._name)

        return act


def test_a_device_that_is_gone_keeps_nobody_from_the_others() -> None:
    done: list[str] = []
    devices = [_Device("first", done, gone=True), _Device("second", done)]
    daqs = Daqs([RigDaq(str(n), f"Dev{n}", lambda n=n: cast(Daq, devices[n])) for n in range(2)])  # type: ignore[misc]
    for end in (daqs.stop, daqs.close):
        with pytest.raises(ConnectError, match="first: gone"):
            end()
    assert done == ["first stop", "second stop", "first close", "second close"]
