# SPDX-License-Identifier: Apache-2.0
"""The pytest layer: ``--rig``, the bench's fixtures, the recording of measurements."""
