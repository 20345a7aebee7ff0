# SPDX-License-Identifier: Apache-2.0
"""Taking a rig and leaving it, with a service that is nothing but its ready line."""

import tempfile
from pathlib import Path

import pytest

from hil.config import RigConfig, load_rig
from hil.errors import ConnectError, RigBusyError, RigError, ServiceError, TeardownError
from hil.rig import Rig, open_rig

RIG_CONFIGS = Path(__file__).resolve().parents[2] / "rig_configs"

NOBODY = """
import json, sys
names = ("probe", "daq", "power_analyzer", "console", "clock", "hands")
print(json.dumps({"ready": True, "addresses": dict.fromkeys(names, "127.0.0.1:1")}), flush=True)
sys.stdin.read()
"""
"""A service at whose addresses nobody answers."""


def with_service(script: str) -> RigConfig:
    config = load_rig(RIG_CONFIGS / "sim.toml")
    assert config.service is not None
    return config.model_copy(
        update={"service": config.service.model_copy(update={"command": ("{python}", "-c", script)})}
    )


def test_nothing_is_opened_before_its_first_use() -> None:
    with open_rig(with_service(NOBODY)) as rig:
        assert rig.config.probe is not None
        assert rig.config.probe.uid == "remote:127.0.0.1:1"
        assert rig.has("daq")
        assert rig.has("marker_inference")
        assert rig.state is None
        with pytest.raises(ConnectError):
            rig.clock.now_s()


def test_an_unknown_capability_is_not_simply_absent() -> None:
    with (
        open_rig(with_service(NOBODY)) as rig,
        pytest.raises(RigError, match="no instrument or wire is called 'dac'"),
    ):
        rig.has("dac")


def test_an_instrument_that_the_rig_lacks() -> None:
    config = with_service(NOBODY).model_copy(update={"daq": None})
    with open_rig(config) as rig:
        assert not rig.has("daq")
        with pytest.raises(
            RigError, match=r"sim: the rig has no daq; expected a \[daq\] table in .*sim\.toml"
        ):
            _ = rig.daq


def test_a_rig_that_is_not_open() -> None:
    with pytest.raises(RigError, match="the rig is not open"):
        _ = open_rig(with_service(NOBODY)).clock


def test_a_service_that_fails_is_reported_by_entering() -> None:
    with (
        pytest.raises(ServiceError, match="no such bench"),
        open_rig(with_service("raise SystemExit('no such bench')")),
    ):
        pytest.fail("entered without a bench")


def test_a_bench_that_others_can_reach_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    nucleo = load_rig(RIG_CONFIGS / "nucleo.toml")
    nucleo = nucleo.model_copy(update={"daq": None, "power_analyzer": None})  # which it would switch off
    with open_rig(nucleo):
        with pytest.raises(RigBusyError), open_rig(nucleo):
            pytest.fail("two users of one bench")
        with open_rig(with_service(NOBODY)):
            pass
    with open_rig(nucleo):
        pass


class _StuckDaq:
    def stop(self) -> None:
        raise ConnectError("gone", where="daq")

    def write_line(self, line: str, level: bool) -> None:
        raise ConnectError("gone", where="daq")

    def close(self) -> None:
        pass


def _use_stuck_daq(rig: Rig) -> None:
    rig._open_bench().daqs["daq"].__dict__["daq"] = _StuckDaq()


def test_a_failed_way_down_is_an_error() -> None:
    with (
        pytest.raises(TeardownError, match=r"2 step\(s\) of the shutdown failed") as caught,
        open_rig(with_service(NOBODY)) as rig,
    ):
        _use_stuck_daq(rig)
    assert [str(error) for error in caught.value.errors] == ["daq: gone"] * 2


def _fail_on_a_failing_bench() -> None:
    with open_rig(with_service(NOBODY)) as rig:
        _use_stuck_daq(rig)
        raise ZeroDivisionError


def test_a_failed_way_down_does_not_hide_what_was_wrong_first() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        _fail_on_a_failing_bench()
    assert "2 step(s) of the shutdown failed" in caught.value.__notes__[0]
