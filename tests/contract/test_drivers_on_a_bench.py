# SPDX-License-Identifier: Apache-2.0
"""What the rig relies on from each driver, shown on a bench. A real rig must pass the same tests."""

import numpy as np
import pytest

from hil.errors import ConnectError, DeviceError, DeviceTimeoutError, InstrumentError, ProtocolError
from hil.firmware.image import Image
from hil.instruments.n6705c import open_n6705c
from hil.instruments.nidaqmx_daq import NiDaq
from hil.instruments.pyocd_board import PyocdBoard
from hil.rig import Rig, State

DBGMCU = (0xE0042004, 0xE0042008, 0xE004200C, 0xE0042010)


def _segments(image: Image) -> list[tuple[int, bytes]]:
    return [(segment.address, segment.data) for segment in image.segments]


def test_flash_is_written_once(contract_rig: Rig, reference_image: Image) -> None:
    contract_rig.to(State.PROGRAMMED, reference_image)
    address, data = _segments(reference_image)[0]
    assert contract_rig.board.read_memory(address, len(data)) == data
    progress: list[float] = []
    assert contract_rig.board.program(_segments(reference_image), progress.append) is False
    assert progress == []


def test_one_differing_byte_is_found_and_programmed(contract_rig: Rig, reference_image: Image) -> None:
    contract_rig.to(State.PROGRAMMED, reference_image)
    address, data = _segments(reference_image)[-1]
    other = data[:-1] + bytes([data[-1] ^ 1])
    progress: list[float] = []
    assert contract_rig.board.program([(address, other)], progress.append) is True
    assert progress[-1] == pytest.approx(1.0)
    assert contract_rig.board.program(_segments(reference_image)) is True
    assert contract_rig.board.read_memory(address, len(data)) == data


def test_memory_reads_back_at_any_alignment(contract_rig: Rig, reference_image: Image) -> None:
    contract_rig.to(State.PROGRAMMED, reference_image)
    for offset, size in ((0, 1), (1, 2), (3, 7), (2, 4), (5, 64)):
        data = bytes(range(size))
        contract_rig.board.write_memory(0x2000_8000 + offset, data)
        assert contract_rig.board.read_memory(0x2000_8000 + offset, size) == data


def test_detach_leaves_nothing_of_the_debugger(contract_rig: Rig, reference_image: Image) -> None:
    contract_rig.to(State.RUNNING, reference_image)
    board = contract_rig.board
    assert board.read_memory(DBGMCU[0], 4) != bytes(4), "a debug session sets DBGMCU_CR"
    contract_rig.to(State.POWERED)
    assert not board.connected
    contract_rig.clock.sleep(5.0)  # boot, one wake-up, asleep
    asleep_a = contract_rig.power_analyzer.log(1.0, 0.1).mean_a
    contract_rig.to(State.MEASURING)
    contract_rig.clock.sleep(5.0)
    parked_a = contract_rig.power_analyzer.log(1.0, 0.1).mean_a
    assert parked_a < 3e-6  # Stop 2 with the RTC on the quartz: at most 3.4 uA (DS10198 Rev 8, table 45)
    assert parked_a < asleep_a < 100e-6, "lines that are not parked leak, and no clock is left on"


def test_mailbox(contract_rig: Rig, reference_image: Image) -> None:
    rng = np.random.default_rng(1)
    with contract_rig.mailbox(reference_image) as mailbox:
        tensor = rng.integers(-128, 128, 32)
        first, second = mailbox.infer(tensor), mailbox.infer(tensor)
        processed = mailbox.process(rng.integers(0, 4096, 1024))
    assert first.input.tolist() == tensor.tolist()
    assert first.output.tolist() == second.output.tolist()
    assert first.score == int(np.sum((tensor - first.output.astype(int)) ** 2))
    assert processed.cycles == pytest.approx(first.cycles, rel=0.05)
    assert contract_rig.console.wait_for("BOOT", 10.0).seq == 0  # it restarts when it is left


def test_the_scope_and_the_log_see_the_same_charge(contract_rig: Rig, reference_image: Image) -> None:
    contract_rig.to(State.MEASURING, reference_image, restart=True)
    clock, analyzer = contract_rig.clock, contract_rig.power_analyzer
    clock.sleep(9.9)
    before_s = clock.now_s()
    scope = analyzer.capture(3.0, 40.96e-6)
    assert scope.start_s == pytest.approx(before_s, abs=0.01)
    clock.sleep(scope.end_s + 7.0 - clock.now_s())
    progress: list[float] = []
    log = analyzer.log(3.0, 1e-3, progress.append)
    assert (len(log), log.period_s) == (pytest.approx(3000, abs=100), pytest.approx(1e-3, rel=0.03))
    assert progress[-1] == 1.0
    assert progress == sorted(progress)
    assert log.charge_c == pytest.approx(scope.charge_c, rel=0.01)


def test_what_is_played_stands_at_the_pin(contract_rig: Rig, reference_image: Image) -> None:
    contract_rig.to(State.RUNNING, reference_image)
    wiring = contract_rig.config.wiring
    assert wiring.sensor is not None
    assert wiring.sensor_readback is not None
    samples_v = 1.5 + 0.5 * np.sin(2 * np.pi * np.arange(400) / 400)
    contract_rig.daq.play(wiring.sensor.terminal, samples_v, 40_000.0, repeat=True)
    (read_v,) = contract_rig.daq.acquire([wiring.sensor_readback.terminal], 40_000.0, 4000)
    assert (read_v.min(), read_v.max()) == (pytest.approx(1.0, abs=0.02), pytest.approx(2.0, abs=0.02))
    spectrum = np.abs(np.fft.rfft(read_v - read_v.mean()))
    assert int(spectrum.argmax()) == 10  # ten periods in the record
    contract_rig.daq.stop()
    (stopped_v,) = contract_rig.daq.acquire([wiring.sensor_readback.terminal], 1000.0, 50)
    assert stopped_v.mean() == pytest.approx(0.0, abs=0.02)


def test_a_finite_waveform_takes_its_time(contract_rig: Rig, reference_image: Image) -> None:
    contract_rig.to(State.RUNNING, reference_image)
    wire = contract_rig.config.wiring.sensor
    assert wire is not None
    before_s = contract_rig.clock.now_s()
    contract_rig.daq.play(wire.terminal, np.full(500, 1.0), 1000.0, repeat=False)
    assert contract_rig.clock.now_s() - before_s == pytest.approx(0.5, abs=0.05)
    contract_rig.daq.stop()


def test_counters_see_the_markers(contract_rig: Rig, reference_image: Image) -> None:
    contract_rig.to(State.MEASURING, reference_image)
    wiring, daq = contract_rig.config.wiring, contract_rig.daq
    assert wiring.marker_active is not None
    assert wiring.marker_inference is not None
    with (
        daq.pulse_widths(wiring.marker_inference.terminal, 2) as inferences,
        daq.pulse_periods(wiring.marker_active.terminal, 1) as periods,
        daq.edge_separation(
            "Dev1/ctr2", wiring.marker_active.terminal, wiring.marker_inference.terminal, 1
        ) as lags,
    ):
        assert inferences.wait(40.0).size == 2
        assert periods.wait(40.0) == pytest.approx([10.0], rel=1e-3)
        assert lags.wait(40.0) == pytest.approx([0.515], abs=0.05)  # 1024 samples at 2 kHz, and the features


def test_a_minute_is_a_minute(contract_rig: Rig, reference_image: Image) -> None:
    """Longer than the counter's fastest timebase reaches."""
    contract_rig.to(State.RUNNING, reference_image, restart=True)
    marker, daq = contract_rig.config.wiring.marker_active, contract_rig.daq
    assert marker is not None
    with contract_rig.commander() as commander:
        commander.ask("SET", period_ms=60_000)
    contract_rig.clock.sleep(20.0)  # the period under way is still the one before
    with daq.pulse_periods(marker.terminal, 1) as periods:
        assert periods.wait(200.0) == pytest.approx([60.0], rel=1e-3)
    with (
        daq.pulse_periods(marker.terminal, 1, longest_s=40.0) as periods,
        pytest.raises(DeviceError, match=r"an interval of 42\.9 s or more"),
    ):
        periods.wait(200.0)


def test_a_pulse_that_does_not_come(contract_rig: Rig, reference_image: Image) -> None:
    contract_rig.to(State.PROGRAMMED, reference_image)
    wire = contract_rig.config.wiring.marker_active
    assert wire is not None
    before_s = contract_rig.clock.now_s()
    with contract_rig.daq.pulse_widths(wire.terminal, 1) as pulses, pytest.raises(DeviceTimeoutError):
        pulses.wait(2.0)
    assert contract_rig.clock.now_s() - before_s == pytest.approx(2.0, abs=0.1)


def test_a_counter_is_free_again_after_its_use(contract_rig: Rig) -> None:
    for _ in range(3):
        with contract_rig.daq.pulse_widths("Dev1/ctr3", 1):
            pass


def test_the_relay_line_reads_back(contract_rig: Rig, reference_image: Image) -> None:
    wire = contract_rig.config.wiring.debug_connection
    assert wire is not None
    contract_rig.to(State.MEASURING, reference_image)
    assert contract_rig.daq.read_line(wire.terminal) is False
    contract_rig.to(State.RUNNING)
    assert contract_rig.daq.read_line(wire.terminal) is True


def test_every_instrument_says_who_it_is(contract_rig: Rig) -> None:
    record = contract_rig.record()
    assert set(record["identities"]) == {"board", "daq", "power_analyzer"}
    for name, identity in record["identities"].items():
        assert all(identity.values()), name
    assert record["versions"]["pyocd"]


def test_the_wrong_addresses_are_connect_errors(contract_rig: Rig) -> None:
    config = contract_rig.config
    assert config.power_analyzer is not None
    assert config.daq is not None
    with pytest.raises(ConnectError, match="answers; expected NOBODY"):
        open_n6705c(
            config.power_analyzer.resource,
            channel=1,
            voltage_maximum_v=3.6,
            current_maximum_a=0.15,
            clock=contract_rig.clock,
            serial="NOBODY",
        )
    with pytest.raises(ConnectError):
        open_n6705c(
            "TCPIP::127.0.0.1::1::SOCKET",
            channel=1,
            voltage_maximum_v=3.6,
            current_maximum_a=0.15,
            clock=contract_rig.clock,
            serial=None,
        )
    with pytest.raises(ConnectError, match=r"check .daq. device"):
        NiDaq("Dev9", grpc_target=config.daq.grpc, limits_v={}, lines=[])
    with pytest.raises(ConnectError, match=r"at the address of .daq. grpc"):
        NiDaq("Dev1", grpc_target="127.0.0.1:1", limits_v={}, lines=[])
    with pytest.raises(ConnectError, match=r"check .probe. uid"):
        PyocdBoard("remote:127.0.0.1:1", "stm32l475xg", 4e6).connect()


def test_a_part_without_power_does_not_answer(contract_rig: Rig, reference_image: Image) -> None:
    contract_rig.to(State.OFF)
    with pytest.raises(InstrumentError):
        contract_rig.board.connect(under_reset=True)
    assert not contract_rig.board.connected
    contract_rig.to(State.PROGRAMMED, reference_image)


def test_a_bad_address_is_an_error_and_not_the_end(contract_rig: Rig, reference_image: Image) -> None:
    contract_rig.to(State.PROGRAMMED, reference_image)
    with pytest.raises(ProtocolError, match="read 4 bytes at 0x60000000"):
        contract_rig.board.read_memory(0x6000_0000, 4)
    assert contract_rig.board.read_memory(0xE0042004, 4)
