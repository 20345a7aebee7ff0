# SPDX-License-Identifier: Apache-2.0
"""The debug probe of the virtual bench: SW-DP and AHB-AP behind pyOCD's own remote probe server."""
