# SPDX-License-Identifier: Apache-2.0
"""The parts: their blocks, made from hil.twin.ip and the family's own, and connected to each other."""
