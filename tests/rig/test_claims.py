# SPDX-License-Identifier: Apache-2.0
"""Two rig files that name one instrument claim one thing, however they spell it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.config import load_rig
from hil.rig.claims import claims

NUCLEO = Path(__file__).parents[2] / "rig_configs" / "nucleo.toml"


@pytest.mark.parametrize(
    ("old", "new", "shared"),
    [
        ("TCPIP0::192.168.1.40::inst0::INSTR", "tcpip::192.168.1.40::INSTR", 4),
        ("TCPIP0::192.168.1.40::inst0::INSTR", "TCPIP0::192.168.1.41::inst0::INSTR", 3),
        ("066DFF495056805087153841", "066dff495056805087153841", 4),
        ('uid = "066DFF495056805087153841"', 'uid = "0669FF495056805087153841"', 3),
        ('"Dev1"', '"Dev2"', 3),
    ],
)
def test_an_instrument_is_the_same_by_its_identity(tmp_path: Path, old: str, new: str, shared: int) -> None:
    here = {key.casefold() for key in claims(load_rig(str(NUCLEO))).values()}
    text = NUCLEO.read_text(encoding="utf-8").replace('name = "nucleo"', 'name = "other"', 1)
    if old == '"Dev1"':
        text = text.replace("Dev1/", "Dev2/")
    assert old in text
    path = tmp_path / "other.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    there = {key.casefold() for key in claims(load_rig(str(path))).values()}
    assert len(here & there) == shared, (here, there)
    assert "rig other" in there


def test_a_link_to_a_port_is_the_port(tmp_path: Path) -> None:
    port, link = tmp_path / "ttyACM0", tmp_path / "by-id"
    port.touch()
    link.symlink_to(port)
    config = load_rig(str(NUCLEO))
    assert config.console is not None
    keys = [
        claims(config.model_copy(update={"console": config.console.model_copy(update={"port": str(path)})}))
        for path in (port, link)
    ]
    assert set(keys[0].values()) == set(keys[1].values())
