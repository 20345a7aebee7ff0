# SPDX-License-Identifier: Apache-2.0
"""A USB bus with virtual devices, as a backend of pyusb: pyOCD finds, opens and drives them as real ones.

A device is strict. What its protocol does not allow raises :class:`ViolationError`, and is kept, so that a
run whose code caught the exception fails nevertheless.
"""

from __future__ import annotations

import errno
import queue
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import libusb_package
import usb.core
from usb.backend import IBackend

BULK, INTERRUPT = 2, 3
_IN = 0x80
_GET_DESCRIPTOR, _STRING = 0x06, 3
_ENGLISH = 0x0409
_IMMEDIATE_MS = 50
"""A read with a shorter time-out only empties the endpoint."""


class ViolationError(AssertionError):
    """The host sent something that the device's protocol does not allow."""


@dataclass(frozen=True)
class Endpoint:
    """An endpoint's address (bit 7: to the host), transfer type and largest packet."""

    address: int
    kind: int
    packet_bytes: int


@dataclass
class Device:
    """A device with one interface. Subclasses answer in :meth:`receive` by :meth:`send`."""

    vendor: int
    product: int
    manufacturer: str
    name: str
    serial: str
    interface_class: int
    interface_name: str
    endpoints: tuple[Endpoint, ...]
    readable: bool = True
    """Whether the user has the right to open it."""
    held_by_another: bool = False
    """Whether another program has claimed the interface."""
    violations: list[str] = field(default_factory=list)
    pending: queue.Queue[bytes] = field(default_factory=queue.Queue)
    claimed: bool = False

    def receive(self, data: bytes) -> None:
        """Act on one transfer from the host."""
        raise NotImplementedError

    def send(self, data: bytes) -> None:
        """Queue one transfer for the host."""
        self.pending.put(data)

    def unplug(self) -> None:
        """The device goes away."""

    def require(self, allowed: bool, what: str) -> None:
        """Refuse what the protocol does not allow."""
        if not allowed:
            self.violations.append(f"{self.name}: {what}")
            raise ViolationError(f"{self.name}: {what}")


class Bus(IBackend):  # type: ignore[misc]  # pyusb has no type information
    """The devices that are plugged in."""

    def __init__(self) -> None:
        self.devices: list[Device] = []

    @contextmanager
    def in_place_of_libusb(self) -> Iterator[Bus]:
        """Let pyOCD see this bus and no other."""
        with patch.object(libusb_package, "get_libusb1_backend", lambda: self):
            yield self

    def enumerate_devices(self) -> Iterator[Device]:
        return iter(list(self.devices))

    def get_parent(self, dev: Device) -> None:
        return None

    def get_device_descriptor(self, dev: Device) -> Any:
        return SimpleNamespace(
            bLength=18, bDescriptorType=1, bcdUSB=0x200, bDeviceClass=0xEF, bDeviceSubClass=2,
            bDeviceProtocol=1, bMaxPacketSize0=64, idVendor=dev.vendor, idProduct=dev.product,
            bcdDevice=0x100, iManufacturer=1, iProduct=2, iSerialNumber=3, bNumConfigurations=1,
            address=self.devices.index(dev) + 1, bus=1, port_number=1, port_numbers=(1,), speed=2,
        )  # fmt: skip

    def get_configuration_descriptor(self, dev: Device, config: int) -> Any:
        if config != 0:
            raise IndexError(config)
        return SimpleNamespace(
            bLength=9, bDescriptorType=2, wTotalLength=32, bNumInterfaces=1, bConfigurationValue=1,
            iConfiguration=0, bmAttributes=0x80, bMaxPower=50, extra_descriptors=b"",
        )  # fmt: skip

    def get_interface_descriptor(self, dev: Device, intf: int, alt: int, config: int) -> Any:
        if (intf, alt, config) != (0, 0, 0):
            raise IndexError(intf)
        return SimpleNamespace(
            bLength=9, bDescriptorType=4, bInterfaceNumber=0, bAlternateSetting=0,
            bNumEndpoints=len(dev.endpoints), bInterfaceClass=dev.interface_class, bInterfaceSubClass=0,
            bInterfaceProtocol=0, iInterface=4, extra_descriptors=b"",
        )  # fmt: skip

    def get_endpoint_descriptor(self, dev: Device, ep: int, intf: int, alt: int, config: int) -> Any:
        endpoint = dev.endpoints[ep]
        return SimpleNamespace(
            bLength=7, bDescriptorType=5, bEndpointAddress=endpoint.address, bmAttributes=endpoint.kind,
            wMaxPacketSize=endpoint.packet_bytes, bInterval=0, bRefresh=0, bSynchAddress=0,
            extra_descriptors=b"",
        )  # fmt: skip

    def open_device(self, dev: Device) -> Device:
        if not dev.readable:
            raise usb.core.USBError("Access denied (insufficient permissions)", -3, errno.EACCES)
        return dev

    def close_device(self, dev_handle: Device) -> None:
        dev_handle.claimed = False

    def get_configuration(self, dev_handle: Device) -> int:
        return 1

    def claim_interface(self, dev_handle: Device, intf: int) -> None:
        if dev_handle.held_by_another or dev_handle.claimed:
            raise usb.core.USBError("Resource busy", -6, errno.EBUSY)
        dev_handle.claimed = True

    def release_interface(self, dev_handle: Device, intf: int) -> None:
        dev_handle.require(dev_handle.claimed, "an interface is released that was not claimed")
        dev_handle.claimed = False

    def is_kernel_driver_active(self, dev_handle: Device, intf: int) -> bool:
        return False

    def bulk_write(self, dev_handle: Device, ep: int, intf: int, data: array[int], timeout: int) -> int:
        return self._write(dev_handle, ep, BULK, data)

    def bulk_read(self, dev_handle: Device, ep: int, intf: int, buff: array[int], timeout: int) -> int:
        return self._read(dev_handle, ep, BULK, buff, timeout)

    def intr_write(self, dev_handle: Device, ep: int, intf: int, data: array[int], timeout: int) -> int:
        return self._write(dev_handle, ep, INTERRUPT, data)

    def intr_read(self, dev_handle: Device, ep: int, intf: int, buff: array[int], timeout: int) -> int:
        return self._read(dev_handle, ep, INTERRUPT, buff, timeout)

    def ctrl_transfer(
        self,
        dev_handle: Device,
        kind: int,
        request: int,
        value: int,
        index: int,
        data: array[int],
        timeout: int,
    ) -> int:
        dev_handle.require(
            (kind, request, value >> 8) == (_IN, _GET_DESCRIPTOR, _STRING),
            f"control request {kind:#x} {request:#x} {value:#x}",
        )
        texts = (dev_handle.manufacturer, dev_handle.name, dev_handle.serial, dev_handle.interface_name)
        number = value & 0xFF
        content = texts[number - 1].encode("utf-16-le") if number else _ENGLISH.to_bytes(2, "little")
        answer = bytes([2 + len(content), _STRING]) + content
        data[: len(answer)] = array("B", answer)
        return len(answer)

    def _write(self, device: Device, address: int, kind: int, data: array[int]) -> int:
        self._usable(device, address, kind)
        device.receive(bytes(data))
        return len(data)

    def _read(self, device: Device, address: int, kind: int, buffer: array[int], timeout_ms: int) -> int:
        self._usable(device, address, kind)
        try:
            answer = device.pending.get(timeout=0 if timeout_ms < _IMMEDIATE_MS else timeout_ms / 1e3)
        except (queue.Empty, ValueError):
            raise usb.core.USBTimeoutError("Operation timed out", -7, errno.ETIMEDOUT) from None
        device.require(len(answer) <= len(buffer), f"{len(answer)} bytes wait, {len(buffer)} are read")
        buffer[: len(answer)] = array("B", answer)
        return len(answer)

    @staticmethod
    def _usable(device: Device, address: int, kind: int) -> None:
        device.require(device.claimed, "a transfer on an interface that is not claimed")
        known = any((endpoint.address, endpoint.kind) == (address, kind) for endpoint in device.endpoints)
        device.require(known, f"a transfer on endpoint {address:#x}")
