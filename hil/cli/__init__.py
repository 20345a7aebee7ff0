# SPDX-License-Identifier: Apache-2.0
"""The command ``hil``."""

from hil.cli.app import app

__all__ = ["app"]
