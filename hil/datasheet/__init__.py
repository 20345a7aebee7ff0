# SPDX-License-Identifier: Apache-2.0
"""What the vendors' documents say, as data with sources: all that the controller and the twin share."""
