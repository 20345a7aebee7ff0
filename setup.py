# SPDX-License-Identifier: Apache-2.0
"""Names the packages to install; all else is in pyproject.toml.

What a wheel ships of the checkout beside the package goes to ``hil/shipped``, where ``hil.places`` finds it.
pyproject.toml can either have packages found or have folders mapped to other names, not both.
"""

from setuptools import find_packages, setup

SHIPPED = {
    "rig_configs": "rig_configs",
    "firmware": "firmware",
    "tests.hil": "tests/hil",
    "tests.any_firmware": "tests/any_firmware",
}

setup(
    packages=[
        *find_packages(include=["hil", "hil.*"]),
        *(f"hil.shipped.{name}" for name in SHIPPED),
    ],
    package_dir={
        "hil": "hil",
        **{f"hil.shipped.{name}": folder for name, folder in SHIPPED.items()},
    },
)
