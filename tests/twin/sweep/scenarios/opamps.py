# SPDX-License-Identifier: Apache-2.0
"""The operational amplifiers: what their registers do to their output pins."""

from __future__ import annotations

from hil.twin.ip.opamp_v3 import OPAMP1_CSR, OPAMP2_CSR
from tests.twin.sweep.registry import scenario
from tests.twin.sweep.subject import Subject

EN, FOLLOWER, PGA = 1, 3 << 2, 2 << 2


def _amplified(settings: int) -> None:
    @scenario("OPAMP", OPAMP1_CSR, OPAMP2_CSR)
    def amplified(s: Subject) -> None:
        """The DAC's outputs at the plus inputs, as the pins bring one value and the inside another."""
        dac = s.mcu.peripherals.analog.dac.channels
        s.write("DAC1", 0x3C, 3 << 16 | 3)
        s.write("DAC1", 0x20, 0x0070_0050)
        s.write("DAC1", 0x00, 1 << 16 | 1)
        s.pins["PA0"].drive_analog(dac[1])
        s.pins["PA6"].drive_analog(dac[0])
        for register in (OPAMP1_CSR, OPAMP2_CSR):
            s.write("OPAMP", register, settings)
        s.sample()
        s.pins["PA0"].drive_analog(None)
        s.pins["PA6"].drive_analog(None)


for _settings in (EN | FOLLOWER, EN | PGA, EN | PGA | 3 << 4):
    _amplified(_settings)
