# SPDX-License-Identifier: Apache-2.0
"""Real-time clock, version 2: the calendar in BCD with tamper detection and backup registers."""
