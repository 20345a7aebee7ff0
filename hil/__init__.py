# SPDX-License-Identifier: Apache-2.0
"""hil-rig: a hardware-in-the-loop test rig controller for low-power TinyML firmware."""
