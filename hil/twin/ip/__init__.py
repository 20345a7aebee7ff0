# SPDX-License-Identifier: Apache-2.0
"""The peripherals that STM32 parts share, each under the name of its hardware's version.

The names are those of the stm32-data project (its generated data/chips/STM32L476RG.json): a part whose
file names the same version has the same hardware. One file or one folder a version; what all of them stand on
is beside them: registers, interrupt lines, tick counters. Nothing here knows a part or its clock tree.
"""
