# SPDX-License-Identifier: Apache-2.0
"""Waveforms, their phases, and measurements with uncertainty, limit and outcome. Talks to no instrument."""
