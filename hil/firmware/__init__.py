# SPDX-License-Identifier: Apache-2.0
"""The device's firmware as the rig sees it: building the reference image and reading any ELF image."""
