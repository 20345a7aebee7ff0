# SPDX-License-Identifier: Apache-2.0
"""SPI, version 3: FIFOs, and frames of 4 to 16 bits."""
