# SPDX-License-Identifier: Apache-2.0
"""The bench's instruments: one protocol per kind, one driver per module, each on a stock library."""
