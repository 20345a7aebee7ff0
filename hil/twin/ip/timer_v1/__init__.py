# SPDX-License-Identifier: Apache-2.0
"""Timers, version 1: basic, general-purpose and advanced-control."""
