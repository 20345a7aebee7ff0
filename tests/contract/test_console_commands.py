# SPDX-License-Identifier: Apache-2.0
"""Commands over the console of a bench, to a part that is being measured."""

import pytest

from hil.errors import CommandError, StateError
from hil.firmware.image import Image
from hil.rig import Rig, State


def test_an_exchange_while_measuring_leaves_the_current_alone(
    contract_rig: Rig, reference_image: Image
) -> None:
    contract_rig.to(State.MEASURING, reference_image, restart=True)
    contract_rig.clock.sleep(5.0)
    with contract_rig.commander() as commander:
        assert commander.ask("INFO").integer("proto") == 1
        connected_a = contract_rig.power_analyzer.measure_current_a()
        assert not contract_rig.board.connected
    contract_rig.clock.sleep(1.0)  # it listens for a moment, and sleeps
    assert contract_rig.state is State.MEASURING
    parked_a = contract_rig.power_analyzer.log(1.0, 0.1).mean_a
    assert parked_a < 3.4e-6 < connected_a  # Stop 2's highest (DS10198 Rev 8, table 45): no debugger was near


def test_commands_in_a_row_and_after_a_sleep(contract_rig: Rig, reference_image: Image) -> None:
    contract_rig.to(State.RUNNING, reference_image)
    with contract_rig.commander() as commander:
        for pause_s in (0.0, 0.1, 0.22, 0.25, 0.28, 0.5, 1.0):
            contract_rig.clock.sleep(pause_s)
            assert commander.ask("STATUS").integer("bad_commands") == 0
        with pytest.raises(CommandError, match="no such verb"):
            commander.ask("DANCE")
        assert (commander.stray_answers, commander.corrupted_answers) == (0, 0)


def test_nobody_speaks_to_a_part_that_is_off(contract_rig: Rig) -> None:
    contract_rig.to(State.OFF)
    with pytest.raises(StateError, match="state off"), contract_rig.commander():
        pytest.fail("there is nobody to speak to")
