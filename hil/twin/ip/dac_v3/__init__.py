# SPDX-License-Identifier: Apache-2.0
"""Digital-to-analog converter, version 3."""
