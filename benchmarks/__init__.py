# SPDX-License-Identifier: Apache-2.0
"""What measures hil-rig's speed: one file per benchmark, `python -m benchmarks` runs them."""
