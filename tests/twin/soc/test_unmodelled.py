# SPDX-License-Identifier: Apache-2.0
import logging

import pytest

from hil.twin.soc.register_names import register_names
from tests.twin.bare_part import SVD

AHB1ENR, APB2ENR = 0x48, 0x60


def test_an_unmodelled_register_says_so_once_with_name_and_address(part, caplog):
    part.enable_clock(AHB1ENR, 16)
    with caplog.at_level(logging.WARNING):
        part.read("TSC", 0x10)
        part.read("TSC", 0x10)
        part.write("TSC", 0x10, 0)
    assert [record.getMessage().split(",")[0] for record in caplog.records] == [
        "not modelled: TSC.IOHCR (0x40024010)"
    ]
    (access,) = part.mcu.peripherals.unmodelled.accesses
    assert (access.register, access.address, access.operation) == ("TSC.IOHCR", 0x4002_4010, "read")
    assert access.time_ps == part.now_ps


def test_it_reads_its_reset_value_then_what_was_written_until_a_reset(part):
    part.enable_clock(AHB1ENR, 16)
    assert part.read("TSC", 0x10) == 0xFFFF_FFFF
    part.write("TSC", 0x10, 0x1000_0000)
    assert part.read("TSC", 0x10) == 0x1000_0000
    part.write("TSC", 0x10, 0x12, width=1)
    assert part.read("TSC", 0x10) == 0x1000_0012
    part.mcu.system_reset("software")
    part.enable_clock(AHB1ENR, 16)
    part.write("TSC", 0x10, 0x12, width=1)  # the other bytes are the reset value's
    assert part.read("TSC", 0x10) == register_names(SVD)[0x4002_4010].reset & ~0xFF | 0x12


def test_a_register_missing_in_a_modelled_block_says_so_too(part):
    part.enable_clock(AHB1ENR, 16)
    assert part.read("TSC", 0x00) == 0
    assert part.read("CRC", 0x0C) == 0  # gated: silent, as the manual says
    part.read("RCC", 0x98)
    assert [access.register for access in part.mcu.peripherals.unmodelled.accesses] == [
        "TSC.CR",
        "RCC+0x098",
    ]


def test_a_gated_block_stays_silent(part):
    assert part.read("CAN1", 0x00) == 0
    assert part.mcu.peripherals.unmodelled.accesses == []


@pytest.mark.parametrize(
    ("address", "name"),
    [(0x4000_7C0C, "LPTIM1.CFGR"), (0x4000_940C, "LPTIM2.CFGR"), (0x4800_0414, "GPIOB.ODR")],
)
def test_names_come_from_the_svd_file_derived_peripherals_included(address, name):
    assert register_names(SVD)[address].name == name


def test_a_block_that_this_part_has_not_reads_as_reserved_and_says_so(part):
    """The CRS of other parts."""
    core = part.mcu.core
    core.debug_write(0x4000_6000, 4, 0xFFFF_FFFF)
    assert core.debug_read(0x4000_6000, 4) == 0
    (access,) = part.mcu.peripherals.unmodelled.accesses
    assert (access.register, access.address, access.operation) == ("CRS.CR", 0x4000_6000, "write")


def test_nothing_behind_the_apb_bridges_is_without_an_answer(part):
    for first, end in ((0x4000_0000, 0x4000_9800), (0x4001_0000, 0x4001_6400)):
        for address in range(first, end, 0x10):
            part.mcu.core.debug_read(address, 4)


@pytest.mark.parametrize(
    ("block", "gate"),
    [
        *(("CAN1", (0x58, 25)), ("SWPMI1", (0x5C, 2)), ("TSC", (0x48, 16))),
        *(("SDMMC1", (0x60, 10)), ("SAI1", (0x60, 21)), ("SAI2", (0x60, 22)), ("DFSDM1", (0x60, 24))),
        *(("QUADSPI", (0x50, 8)), ("FMC", (0x50, 0))),
    ],
)
def test_every_register_of_a_block_without_model_has_its_name_and_reset_value(part, block, gate):
    part.enable_clock(*gate)
    model = part.mcu.peripherals.blocks[block]
    known = {
        address: register
        for address, register in register_names(SVD).items()
        if model.base <= address < model.base + model.size
    }
    assert known
    for address, register in known.items():
        assert part.read(block, address - model.base) == register.reset
    noted = {access.register for access in part.mcu.peripherals.unmodelled.accesses}
    assert noted == {register.name for register in known.values()}
