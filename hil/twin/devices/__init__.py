# SPDX-License-Identifier: Apache-2.0
"""Devices that a board has beside the microcontroller, on its I2C and SPI buses."""
