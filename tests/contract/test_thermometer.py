# SPDX-License-Identifier: Apache-2.0
"""Driver and virtual thermometer, which share no code, understand each other over a socket."""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hil.config import load_rig
from hil.config.drivers import Surroundings, find
from hil.errors import ConfigError, ConnectError, InstrumentError, ProtocolError
from hil.instruments.scpi_thermometer import ScpiThermometer, ScpiThermometerTable
from hil.rig import open_rig
from hil.twin.analyzer.server import ScpiServer
from hil.twin.thermometer import Thermometer

SIM = Path(__file__).resolve().parents[2] / "rig_configs" / "sim.toml"


@pytest.fixture
def room() -> SimpleNamespace:
    return SimpleNamespace(
        lock=threading.Lock(),
        mcu=SimpleNamespace(temperature_c=31.25),
        rng=lambda name: np.random.default_rng(len(name)),
    )


@pytest.fixture
def server(room: SimpleNamespace) -> Iterator[ScpiServer]:
    serving = Thermometer(room, {}).serve("127.0.0.1", 0)
    yield serving
    serving.close()


def opened(server: ScpiServer, **keys: Any) -> ScpiThermometer:
    host, port = server.address.split(":")
    table = ScpiThermometerTable.model_validate(
        {
            "driver": "scpi_thermometer",
            "resource": f"TCPIP::{host}::{port}::SOCKET",
            "accuracy": "0.1 K",
            "source": "test",
            **keys,
        }
    )
    thermometer: ScpiThermometer = find("scpi_thermometer").open(
        table, Surroundings("thermometer", None, 3.6, 0.1, {}, ())
    )
    return thermometer


def test_the_ambient_is_read_within_the_sensors_error(server: ScpiServer, room: SimpleNamespace) -> None:
    thermometer = opened(server)
    assert thermometer.identity().model == "Virtual Thermometer"
    readings = [thermometer.measure_c() for _ in range(5)]
    assert readings == pytest.approx([31.25] * 5, abs=0.05 + 5 * 0.01)
    assert len(set(readings)) > 1  # it has noise
    room.mcu.temperature_c = -20.0
    assert thermometer.measure_c() == pytest.approx(-20.0, abs=0.1)
    thermometer.close()


def test_another_instrument_at_the_address_is_refused(server: ScpiServer) -> None:
    with pytest.raises(ConnectError, match=r"serial number SIM-THERMOMETER answers; expected MY1"):
        opened(server, serial="MY1")


def test_an_open_sensor_is_no_temperature(server: ScpiServer, room: SimpleNamespace) -> None:
    room.mcu.temperature_c = 9.9e37
    with pytest.raises(InstrumentError, match="out of range"):
        opened(server).measure_c()
    room.mcu.temperature_c = 850.0
    with pytest.raises(ProtocolError, match=r"answered 8[45].* °C.*is the sensor connected"):
        opened(server).measure_c()


def test_a_query_that_it_does_not_know_is_told_in_time(
    server: ScpiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hil.instruments.scpi_link._IO_TIMEOUT_MS", 200)
    with pytest.raises(InstrumentError, match="READ:TEMP"):
        opened(server, query="READ:TEMP?").measure_c()


def test_a_virtual_bench_has_one_where_the_rig_file_does(tmp_path: Path) -> None:
    rig_file = tmp_path / "sim.toml"
    rig_file.write_text(
        SIM.read_text("utf-8")
        + '\nambient_temperature = "-10 °C"\n'
        + "\n[thermometer]\ndriver = 'scpi_thermometer'\naccuracy = '0.1 K'\nsource = 'test'\n"
        + "resource = 'TCPIP::{service.thermometer.host}::{service.thermometer.port}::SOCKET'\n",
        "utf-8",
    )
    with open_rig(load_rig(rig_file)) as rig:
        assert rig.thermometer.measure_c() == pytest.approx(-10.0, abs=0.1)
        assert rig.record()["identities"]["thermometer"]["serial"] == "SIM-THERMOMETER"


def test_a_driver_of_another_kind_is_no_thermometer(tmp_path: Path) -> None:
    rig_file = tmp_path / "wrong.toml"
    rig_file.write_text(
        SIM.read_text("utf-8") + "\n[thermometer]\ndriver = 'nidaqmx'\n",
        "utf-8",
    )
    with pytest.raises(ConfigError, match=r"'nidaqmx' cannot serve as \[thermometer\].*scpi_thermometer"):
        load_rig(rig_file)
