# SPDX-License-Identifier: Apache-2.0
"""Which windows among the normal recordings are unlike the others: a fault, a knock, a loose sensor.

The median and the median absolute deviation (MAD) of each band tell, which a few odd recordings hardly move.
The cube root of the squared distance is nearly normal (Wilson and Hilferty 1931).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

MAD_TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution in units of its MAD."""
_OUTLIER_SIGMAS = 6.0
"""Above the median (a choice): by chance one normal window in 10^9."""
_FINEST = 2.0
"""Smallest deviation of a band in steps of the features, a quarter of an octave (a choice)."""
_OUTLIERS_MOST = 0.1
"""Share of windows above which they are a second kind of running and no outliers (a choice)."""


def outliers(groups: Sequence[npt.NDArray[np.int8]]) -> list[npt.NDArray[np.bool_]]:
    """For each group's windows [windows, 32], which of them are unlike the windows of all groups.

    None where more than a tenth would be: then the recordings are uneven, and none of them is odd.
    """
    joined = np.concatenate(groups).astype(np.float64)
    middle = np.median(joined, axis=0)
    spread = np.maximum(MAD_TO_SIGMA * np.median(np.abs(joined - middle), axis=0), _FINEST)
    roots = [np.cbrt((((group - middle) / spread) ** 2).sum(axis=1)) for group in groups]
    every = np.concatenate(roots)
    centre = float(np.median(every))
    limit = centre + _OUTLIER_SIGMAS * MAD_TO_SIGMA * float(np.median(np.abs(every - centre)))
    if float(np.mean(every > limit)) > _OUTLIERS_MOST:
        return [np.zeros(root.size, dtype=np.bool_) for root in roots]
    return [root > limit for root in roots]
