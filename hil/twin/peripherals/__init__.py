# SPDX-License-Identifier: Apache-2.0
"""The peripherals of the STM32L476, one file each, as the reference manual RM0351 describes them."""
