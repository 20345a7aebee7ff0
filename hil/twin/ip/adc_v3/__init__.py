# SPDX-License-Identifier: Apache-2.0
"""Analog-to-digital converter, version 3: L4 and its siblings."""
