# SPDX-License-Identifier: Apache-2.0
"""What an ADC's conversions find and how long they take (RM0351, ADC section): ranks, sampling, results."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from hil.parts import Part
from hil.twin.ip.adc_v3.common import AdcCommon
from hil.twin.ip.adc_v3.inputs import AnalogInputs
from hil.twin.ip.register_block import field
from hil.twin.ip.tick_counter import PS_PER_S
from hil.twin.noise import Noise

CFGR: Final = 0x0C
CFGR2: Final = 0x10
SMPR1: Final = 0x14
SMPR2: Final = 0x18
SQR1: Final = 0x30

_FULL_SCALE: Final = 4096
_RESOLUTION_SHIFT: Final = (0, 2, 4, 6)
_SAR_CYCLES: Final = (12.5, 10.5, 8.5, 6.5)
"""Conversion after sampling, for 12, 10, 8 and 6 bit (DS10198 Rev 8, Table 76; RM0351, ADC resolution)."""
_OVERSAMPLED_SHIFT: Final = 4
"""Watchdogs compare the upper 12 of an oversampled result's 16 bits (RM0351, ADC section, oversampler)."""
_NOISE_BLOCK: Final = 1024


class Sampling:
    """Reads the settings from the registers' ``words`` at every conversion."""

    def __init__(
        self,
        part: Part,
        words: Callable[[], Mapping[int, int]],
        common: AdcCommon,
        inputs: AnalogInputs,
        noise: np.random.Generator,
    ) -> None:
        self._words = words
        self._common = common
        self._inputs = inputs
        self._noise = Noise(noise, _NOISE_BLOCK)
        self._held_v = 0.0
        self.noise_lsb = 0.0
        """Standard deviation of the conversion noise in LSB; zero is a noiseless converter."""
        self._cycles = part.fact("adc_sampling_cycles").extra["values"]

    def discharge(self) -> None:
        """The sampling capacitor holds no charge."""
        self._held_v = 0.0

    @property
    def last_rank(self) -> int:
        """L."""
        return field(self._words()[SQR1], 0, 4)

    @property
    def resolution(self) -> int:
        """RES."""
        return field(self._words()[CFGR], 3, 2)

    @property
    def oversampling(self) -> int:
        """Conversions for one result."""
        config = self._words()[CFGR2]
        return 2 << field(config, 2, 3) if config & 1 else 1

    def channel(self, rank: int) -> int:
        """The channel that a rank of the sequence converts."""
        register, position = divmod(rank + 1, 5)
        return field(self._words()[SQR1 + 4 * register], 6 * position, 5)

    def sampling_cycles(self, rank: int) -> float:
        """How long the channel of a rank is sampled, in cycles of the ADCs' clock."""
        return self.channel_cycles(self.channel(rank)) - _SAR_CYCLES[self.resolution]

    def channel_cycles(self, channel: int) -> float:
        """How long one conversion of a channel takes, sampling included."""
        register, position = (SMPR1, channel) if channel < 10 else (SMPR2, channel - 10)
        cycles: float = self._cycles[field(self._words()[register], 3 * position, 3)]
        return cycles + _SAR_CYCLES[self.resolution]

    def conversion_cycles(self, rank: int) -> float:
        """How long one conversion takes, sampling included."""
        return self.channel_cycles(self.channel(rank))

    def result(self, rank: int, began_ps: int) -> tuple[int, int]:
        """The result of the conversion, or of the oversampled ones, that began then; and what watchdogs see
        of it, its highest 12 bits.
        """
        count = self.oversampling
        if count == 1:
            return self.channel_result(self.channel(rank), began_ps)
        period_ps = self.conversion_cycles(rank) * PS_PER_S / self._common.clock_hz
        times_ps = began_ps + np.rint(period_ps * np.arange(count)).astype(np.int64)
        total = int(np.sum(self._codes(self.channel(rank), times_ps)))
        value = total >> field(self._words()[CFGR2], 5, 4) & 0xFFFF
        return value, value >> _OVERSAMPLED_SHIFT

    def channel_result(self, channel: int, began_ps: int) -> tuple[int, int]:
        """The result of a conversion without oversampling, and what watchdogs see of it."""
        codes = self._codes(channel, np.array([began_ps]))
        return int(self._aligned(codes)[0]), int(codes[0]) << _RESOLUTION_SHIFT[self.resolution]

    def results(self, rank: int, began_ps: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The results, in the chosen alignment, of conversions without oversampling."""
        return self._aligned(self._codes(self.channel(rank), began_ps))

    def _aligned(self, codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        shift = _RESOLUTION_SHIFT[self.resolution]
        return codes << (4 + shift if shift < 6 else 2) if self._words()[CFGR] & 1 << 5 else codes

    def _codes(self, channel: int, began_ps: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """What conversions that began at these instants find, in steps of the chosen resolution."""
        sampling_ps = round(
            (self.channel_cycles(channel) - _SAR_CYCLES[self.resolution]) * PS_PER_S / self._common.clock_hz
        )
        voltages_v = self._inputs.voltages_v(channel, began_ps + sampling_ps)
        if voltages_v is None:
            # assumption floating_adc_input: the sampling capacitor keeps its charge
            voltages_v = np.full(len(began_ps), self._held_v)
        self._held_v = float(voltages_v[-1])
        codes = voltages_v / self._inputs.supply_v() * _FULL_SCALE
        if self.noise_lsb:
            codes = codes + self.noise_lsb * self._noise.take(len(codes))
        rounded = np.clip((codes + 0.5).astype(np.int64), 0, _FULL_SCALE - 1)
        return rounded >> _RESOLUTION_SHIFT[self.resolution]
