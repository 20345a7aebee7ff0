# SPDX-License-Identifier: Apache-2.0
"""I2C, version 2: the one with TIMINGR."""
