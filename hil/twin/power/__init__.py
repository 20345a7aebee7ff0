# SPDX-License-Identifier: Apache-2.0
"""The supply current of the virtual STM32L476: what the datasheet says at every instant, and its integral."""
