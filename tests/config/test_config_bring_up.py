# SPDX-License-Identifier: Apache-2.0
"""The results of a bring-up count for the bench that they were measured on, and for no other."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hil.bringup.results_file import to_toml, write
from hil.config import RigConfig, available_rigs, bring_up_file, fingerprint, load_bring_up, load_rig
from hil.config.bring_up import BringUpResults, ByHand, Latency, MarkerLoad, StepRecord, SupplyTimes
from hil.errors import ConfigError, RigError

SIM = (Path(__file__).resolve().parents[2] / "rig_configs" / "sim.toml").read_text("utf-8")
DATE = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> RigConfig:
    file = tmp_path / "lab.toml"
    file.write_text(SIM, "utf-8")
    return load_rig(file)


def results(config: RigConfig) -> BringUpResults:
    made = BringUpResults.model_construct(
        date=DATE,
        rig="lab",
        fingerprint=fingerprint(config),
        serials={"daq": "1D3A001"},
        round_trips={"daq": Latency.model_construct(mean_s=2e-3, longest_s=0.0125, count=100)},
        arming_s=0.1,
        supply=SupplyTimes.model_construct(rise_s=0.058, fall_s=0.2, back_feed_v=-0.0005),
        smallest_range_a=1e-3,
        marker_loads={
            "marker_active": MarkerLoad.model_construct(current_a=60e-6, uncertainty_a=1e-9, at_v=3.0)
        },
        by_hand=(ByHand(question='"JP6" off?', answer="yes\nsurely"),),
        steps=(StepRecord(number=1, title="by hand", measured="10 Ω"),),
        file=bring_up_file(config),
    )
    write(made)
    return made


def test_what_is_written_is_read(config: RigConfig) -> None:
    made = results(config)
    assert load_bring_up(config, DATE + timedelta(days=1)) == made
    assert made.marker_loads["marker_active"].current_at_a(3.3) == pytest.approx(66e-6)
    assert "date = 2026-11-30T12:00:00+00:00" in to_toml(made)


def test_without_a_bring_up_there_are_no_results(config: RigConfig) -> None:
    assert load_bring_up(config) is None


def test_results_are_no_rig(config: RigConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rig_configs").mkdir()
    for file in (config.file, results(config).file):
        file.rename(tmp_path / "rig_configs" / file.name)
    monkeypatch.chdir(tmp_path)
    assert "lab" in available_rigs()
    assert not [name for name in available_rigs() if "bringup" in name]


def test_another_wiring_is_refused_and_another_address_is_not(config: RigConfig) -> None:
    results(config)
    config.file.write_text(SIM.replace("Dev1/ctr0", "Dev1/ctr2"), "utf-8")
    with pytest.raises(ConfigError, match=r"measured on another bench.*hil bringup --rig sim"):
        load_bring_up(load_rig(config.file), DATE)
    config.file.write_text(SIM.replace('grpc = "{service.daq}"', 'grpc = "10.0.0.1:31763"'), "utf-8")
    assert load_bring_up(load_rig(config.file), DATE) is not None


def test_old_results_are_refused(config: RigConfig) -> None:
    results(config)
    assert load_bring_up(config, DATE + timedelta(days=90)) is not None
    with pytest.raises(ConfigError, match="is 91 days old; expected at most 90 days"):
        load_bring_up(config, DATE + timedelta(days=91))


def test_a_damaged_file_is_refused(config: RigConfig) -> None:
    results(config).file.write_text("date = yesterday\n", "utf-8")
    with pytest.raises(ConfigError, match="cannot be used"):
        load_bring_up(config, DATE)


def test_other_instruments_are_refused(config: RigConfig) -> None:
    made = results(config)
    made.check_serials({"daq": "1D3A001", "power_analyzer": "MY1"})
    with pytest.raises(
        RigError, match="daq: compare with the bring-up: serial number 2B answers; expected 1D3A001"
    ):
        made.check_serials({"daq": "2B"})


def test_the_range_that_the_bring_up_saw_counts(config: RigConfig) -> None:
    assert config.power_analyzer is not None
    assert config.power_analyzer.smallest_seamless_range_a == 10e-6
    applied = results(config).applied_to(config)
    assert applied.power_analyzer is not None
    assert applied.power_analyzer.smallest_seamless_range_a == 1e-3
