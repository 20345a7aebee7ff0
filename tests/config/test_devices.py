# SPDX-License-Identifier: Apache-2.0
"""``[[board.devices]]`` and ``[wiring] shaker`` as the controller reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.config import fingerprint, load_rig
from hil.config.load import shipped
from hil.errors import ConfigError

TEXT = shipped("rig_configs/sim-lsm6dsl.toml").read_text(encoding="utf-8")
PINS = 'pins = { scl = "PB8", sda = "PB9", int1 = "PB5" }'


def refusal(tmp_path: Path, old: str, new: str) -> str:
    assert old in TEXT
    file = tmp_path / "x.toml"
    file.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_rig(file)
    return str(refused.value)


def test_a_device_is_the_boards_own_or_the_rigs() -> None:
    (mounted,) = load_rig("sim-lsm6dsl").board.connected
    soldered = load_rig("sim-iot01a").board.connected
    assert (mounted.name, mounted.bus, mounted.pins["int1"]) == ("lsm6dsl", "I2C1", "PB5")
    assert [device.bus for device in soldered if device.kind == "lsm6dsl"] == ["I2C2"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (PINS, 'pins = { scl = "PB8" }', "lsm6dsl on I2C1 has no pin for sda"),
        (PINS, PINS.replace("PB5", "PA8"), "pin PA8 is already wired to [wiring] marker_inference"),
        (PINS, PINS.replace("PB5", "PA2"), "wires pin PA2 to its probe's console line"),
        (PINS, PINS.replace("PB5", "PE5"), "has no pin 'PE5'"),
        (PINS, PINS + "\naddress = 0x03", "0x03"),
        ('bus = "I2C1"', 'bus = "I3C1"', "board.devices.0.bus"),
        (PINS, PINS + "\nbaud = 9600", "lsm6dsl on I2C1 has the rate of its bus"),
        (
            f'bus = "I2C1"\n{PINS}',
            'bus = "USART3"\npins = { tx = "PC10", rx = "PC11" }',
            "lsm6dsl on USART3 says no rate",
        ),
        ('kind = "lsm6dsl"', 'kind = "lsm6dsl"\nsort = "x"', "unknown key 'sort'"),
        ('terminal = "Dev1/ao0"', 'terminal = "Dev1/ai7"', "terminal Dev1/ai7 cannot serve this role"),
        ('"12.3 m/s/s/V"', '"12.3 V"', "an acceleration per volt"),
        ('minimum = "0 V", maximum = "3 V"', 'minimum = "3 V", maximum = "3 V"', "minimum < maximum"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = refusal(tmp_path, old, new)
    assert said.replace("0x03", "greater than or equal to 8") in text
    assert "x.toml:" in text


def test_a_pin_is_one_devices_own_and_a_bus_is_for_many(tmp_path: Path) -> None:
    second = (
        PINS
        + '\n[[board.devices]]\nkind = "x"\nbus = "I2C1"\npins = { scl = "PB8", sda = "PB9", irq = "%s" }'
    )
    assert "pin PB5 is already wired to lsm6dsl" in refusal(tmp_path, PINS, second % "PB5")
    (tmp_path / "both.toml").write_text(TEXT.replace(PINS, second % "PB4", 1), encoding="utf-8")
    assert len(load_rig(tmp_path / "both.toml").board.connected) == 2


def test_the_results_of_a_bring_up_hold_for_one_set_of_devices(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(TEXT.replace("PB5", "PB4", 1), encoding="utf-8")
    assert fingerprint(load_rig(tmp_path / "x.toml")) != fingerprint(load_rig("sim-lsm6dsl"))
