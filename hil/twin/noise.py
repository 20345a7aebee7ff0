# SPDX-License-Identifier: Apache-2.0
"""White noise, drawn in blocks: a call of numpy costs as much for one number as for a hundred."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


class Noise:
    """Normally distributed numbers of mean 0 and deviation 1, however many are taken at a time."""

    def __init__(self, rng: np.random.Generator, block: int) -> None:
        self._rng = rng
        self._block = block
        self._ahead = np.zeros(0)

    def take(self, count: int) -> npt.NDArray[np.float64]:
        """The next ``count`` numbers."""
        while len(self._ahead) < count:
            # Reversed to keep the order of earlier versions, so recorded seeds stay valid.
            drawn = self._rng.standard_normal(self._block)[::-1]
            self._ahead = np.concatenate((self._ahead, drawn))
        taken, self._ahead = self._ahead[:count], self._ahead[count:]
        return taken
