# SPDX-License-Identifier: Apache-2.0
"""Names the packages to install; all else is in pyproject.toml.

pyproject.toml can either have packages found or have folders mapped to other names, not both: with its
mapping alone, ``pip install .`` leaves ``hil.fixtures`` (the folder ``fixtures``) out. What a wheel ships of
the checkout goes to ``hil/shipped``, where ``hil.places`` finds it.
"""

from setuptools import find_packages, setup

SHIPPED = {"rig_configs": "rig_configs", "firmware": "firmware", "tests.hil": "tests/hil"}

setup(
    packages=[
        *find_packages(include=["hil", "hil.*"]),
        "hil.fixtures",
        *(f"hil.shipped.{name}" for name in SHIPPED),
    ],
    package_dir={
        "hil": "hil",
        "hil.fixtures": "fixtures",
        **{f"hil.shipped.{name}": folder for name, folder in SHIPPED.items()},
    },
)
