# SPDX-License-Identifier: Apache-2.0
"""OTG_FS: what a driver waits for before there is a cable."""

import pytest

GAHBCFG, GUSBCFG, GRSTCTL, GINTSTS, HFIR = 0x08, 0x0C, 0x10, 0x14, 0x404
CSRST, RXFFLSH, TXFFLSH, AHBIDL, CMOD = 1, 1 << 4, 1 << 5, 1 << 31, 1
FHMOD, FDMOD = 1 << 29, 1 << 30


@pytest.fixture
def otg(part):
    """OTG_FS on MSI of 48 MHz."""
    part.write("RCC", 0x00, 0xB9)
    part.write("RCC", 0x88, 3 << 26)
    part.enable_clock(0x4C, 12)
    part.advance(100e-6)
    return part


def test_without_its_gate_it_reads_as_zero(part):
    assert part.read("OTG_FS", GRSTCTL) == 0


@pytest.mark.parametrize(("request_bit", "clocks"), [(CSRST, 3), (RXFFLSH, 8), (TXFFLSH, 8)])
def test_requests_clear_themselves_with_the_48_mhz_clock(otg, request_bit, clocks):
    assert otg.read("OTG_FS", GRSTCTL) == AHBIDL
    otg.write("OTG_FS", GRSTCTL, request_bit)
    assert otg.read("OTG_FS", GRSTCTL) == AHBIDL | request_bit
    otg.advance((clocks - 0.5) / 48e6)
    assert otg.read("OTG_FS", GRSTCTL) & request_bit
    otg.advance(1 / 48e6)
    assert otg.read("OTG_FS", GRSTCTL) == AHBIDL


def test_without_that_clock_the_core_never_comes_out_of_its_reset(otg):
    otg.write("RCC", 0x88, 0)
    otg.write("OTG_FS", GRSTCTL, CSRST)
    otg.advance(1e-3)
    assert otg.read("OTG_FS", GRSTCTL) & CSRST
    otg.write("RCC", 0x88, 3 << 26)
    otg.advance(1e-6)
    assert not otg.read("OTG_FS", GRSTCTL) & CSRST


@pytest.mark.parametrize(("forced", "mode"), [(0, 0), (FHMOD, CMOD), (FDMOD, 0)])
def test_the_forced_mode_shows(otg, forced, mode):
    otg.write("OTG_FS", GUSBCFG, forced)
    assert otg.read("OTG_FS", GINTSTS) & CMOD == mode


def test_what_has_no_effect_is_named(otg):
    otg.write("OTG_FS", GAHBCFG, 1)
    otg.write("OTG_FS", HFIR, 1)
    names = [access.register for access in otg.mcu.peripherals.unmodelled.accesses]
    assert names[0].startswith("OTG_FS+0x008 bit 0")
    assert names[1] == "OTG_FS+0x404"
