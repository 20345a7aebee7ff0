# SPDX-License-Identifier: Apache-2.0
"""Dual mode of ADC1, the master, and ADC2, the slave (RM0351, dual ADC modes): their regular sequences.

Modelled: regular simultaneous and interleaved mode, also where injected modes are combined with them, and the
common data and status registers. Injected sequences are not modelled, and so no mode of them alone.
"""

from typing import Final

from hil.twin.ip.adc_v3.adc import EOC, ISR, OVR, Adc
from hil.twin.ip.adc_v3.common import CCR, INTERLEAVED, SIMULTANEOUS, AdcCommon
from hil.twin.ip.adc_v3.sampling import CFGR
from hil.twin.ip.register_block import RegisterBlock, field

_MASTERS_BITS: Final = 1 << 13 | 0xF << 6 | 3 << 10
"""CONT, EXTSEL and EXTEN of the slave are those of the master."""
_ALL_FLAGS: Final = 0x7FF
_PACKED: Final = 3
"""MDMA code of two results of 8 bit in a half-word."""
_LONGEST_DELAY: Final = (12, 10, 8, 6)
"""In cycles, by the resolution (RM0351, ADCx_CCR.DELAY)."""


class AdcPair:
    """What the two do together."""

    def __init__(self, common: AdcCommon, master: Adc, slave: Adc) -> None:
        self._common = common
        self._master, self._slave = master, slave
        common.pair = master.pair = slave.pair = self
        self._next_ps = 0
        """When an interleaved master may sample again."""

    @property
    def active(self) -> bool:
        """Whether the slave follows the master."""
        return self._common.dual in (*SIMULTANEOUS, *INTERLEAVED)

    @property
    def shares_dma(self) -> bool:
        """MDMA: one request for a result of each."""
        return self.active and self._common.shared_dma >= 2

    @property
    def status(self) -> int:
        """CSR: the flags of both."""
        return self._master.words[ISR] & _ALL_FLAGS | (self._slave.words[ISR] & _ALL_FLAGS) << 16

    def take_data(self) -> int:
        """CDR; reading it clears both EOC flags."""
        master, slave = self._master.take_result(), self._slave.take_result()
        if self._common.shared_dma == _PACKED:
            return slave << 16 | (slave & 0xFF) << 8 | master & 0xFF
        return slave << 16 | master

    def is_led(self, adc: RegisterBlock) -> bool:
        """Whether another starts and stops the sequences of this one."""
        return self.active and adc is self._slave

    def sequencing(self, adc: RegisterBlock, config: int) -> int:
        """The CFGR that decides what begins and repeats sequences."""
        if not self.is_led(adc):
            return config
        return config & ~_MASTERS_BITS | self._master.words[CFGR] & _MASTERS_BITS

    def begun(self, adc: RegisterBlock) -> None:
        """A conversion of the master began: one of the slave begins at once or after the delay."""
        if not self.active or adc is self._slave:
            return
        if self._common.dual in SIMULTANEOUS:
            self._slave.follow(0.0, first=self._master.at_first_rank)
            return
        delay = min(
            field(self._common.words[CCR], 8, 4) + 1, _LONGEST_DELAY[self._master.sampling.resolution]
        )
        cycles = self._master.sampling_cycles + delay
        self._slave.follow(cycles, first=False)
        self._next_ps = self._common.after_ps(cycles + self._slave.sampling_cycles + delay)

    def schedules(self, adc: RegisterBlock) -> bool:
        """Whether the pair begins the next conversion of a sequence; if not, the converter does."""
        if not self.active:
            return False
        if adc is self._master:
            if self._common.dual in SIMULTANEOUS:
                return False
            self._master.begin_at(self._next_ps)
        return True

    def stopped(self, adc: RegisterBlock) -> None:
        """The conversions of the master were stopped."""
        if self.active and adc is self._master:
            self._slave.stop()

    def request_dma(self) -> None:
        """A result came: ask for a transfer once there is one of each."""
        flags = self._master.words[ISR], self._slave.words[ISR]
        if all(word & EOC and not word & OVR for word in flags):
            self._master.request_dma(circular=bool(field(self._common.words[CCR], 13)))
