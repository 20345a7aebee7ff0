# SPDX-License-Identifier: Apache-2.0
"""Low-power timer, version 1."""
