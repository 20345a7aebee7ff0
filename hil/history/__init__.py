# SPDX-License-Identifier: Apache-2.0
"""What many runs say together: series of one measurand, and the steps in them."""
