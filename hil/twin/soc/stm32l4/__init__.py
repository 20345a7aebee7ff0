# SPDX-License-Identifier: Apache-2.0
"""What only the STM32L4 has: clock tree, power control, flash interface, system configuration, identity."""
