# SPDX-License-Identifier: Apache-2.0
"""Names the packages to install; all else is in pyproject.toml.

pyproject.toml can either have packages found or have one folder mapped to another name, not both: with its
mapping alone, ``pip install .`` leaves ``hil.fixtures`` (the folder ``fixtures``) out.
"""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["hil", "hil.*"]), "hil.fixtures"])
