# SPDX-License-Identifier: Apache-2.0
"""``-p tests.usb_probes.plugin --usb-probe stlink``: the rig's virtual part hangs on a virtual USB probe.

The controller's own code, pyOCD's driver of the probe and pyusb run as on a desk; below them is a bus whose
probe speaks its USB protocol. The rig file names the probe by its serial number.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from unittest.mock import patch

import pytest

from hil.rig.service import Service
from tests.usb_probes.bus import Bus, Device
from tests.usb_probes.cmsis_dap import CmsisDap
from tests.usb_probes.stlink_v2_1 import StlinkV21
from tests.usb_probes.swd import Swd

PROBES: dict[str, Callable[[Swd], Device]] = {
    "stlink": StlinkV21,
    "cmsis-dap": CmsisDap,
    "cmsis-dap-v1": lambda swd: CmsisDap(swd, bulk=False),
}


class UsbBench:
    """The bus of a run: a probe is plugged in when the rig's service is ready."""

    def __init__(self, kind: str) -> None:
        self._make = PROBES[kind]
        self.bus = Bus()
        self.used: list[Device] = []
        self._stack = ExitStack()
        self._stack.enter_context(self.bus.in_place_of_libusb())
        start, close = Service.__init__, Service.close

        def started(service: Service, *args: object, **kwargs: object) -> None:
            start(service, *args, **kwargs)  # type: ignore[arg-type]
            device = self._make(Swd(service.addresses["probe"]))
            self.bus.devices.append(device)
            self.used.append(device)

        def closed(service: Service) -> None:
            for device in self.bus.devices:
                device.unplug()
            self.bus.devices.clear()
            close(service)

        self._stack.enter_context(patch.object(Service, "__init__", started))
        self._stack.enter_context(patch.object(Service, "close", closed))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A violation fails the run, whoever has caught it."""
        violations = [text for device in self.used for text in device.violations]
        if violations or not self.used:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            print("\nUSB:", *(violations or ["no virtual probe was used"]), sep="\n  ")

    def pytest_unconfigure(self) -> None:
        """Give libusb back."""
        self._stack.close()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--usb-probe``."""
    parser.addoption("--usb-probe", choices=sorted(PROBES), required=False)


def pytest_configure(config: pytest.Config) -> None:
    """Put the bus in place."""
    kind = config.getoption("--usb-probe")
    if kind is not None:
        config.pluginmanager.register(UsbBench(kind), "usb-bench")
