# SPDX-License-Identifier: Apache-2.0
"""What a microcontroller is, as data: a folder of TOML files a part, shared by controller and twin."""

from hil.parts.blocks import Block, Blocks, DmaRoute, Gate
from hil.parts.part import Flash, Memory, Package, Part, Regime

__all__ = ["Block", "Blocks", "DmaRoute", "Flash", "Gate", "Memory", "Package", "Part", "Regime"]
