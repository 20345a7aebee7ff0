# SPDX-License-Identifier: Apache-2.0
"""Debug probes on USB: their firmware, their SWD clock, and what to do when one cannot be used.

pyOCD's probe interface tells none of it, so its drivers' links are read here. Checked with pyOCD 0.46.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence

import pyocd
from pyocd.probe.cmsis_dap_probe import CMSISDAPProbe
from pyocd.probe.debug_probe import DebugProbe
from pyocd.probe.pydapaccess.interface.common import is_known_cmsis_dap_vid_pid
from pyocd.probe.stlink import usb as stlink_usb
from pyocd.probe.stlink.constants import SWD_FREQ_MAP, Status
from pyocd.probe.stlink.stlink import STLink
from pyocd.probe.stlink_probe import StlinkProbe

from hil.instruments.protocols import Identity

_UDEV = "install the udev rule that gives you the probe (`hil udev` has it), then plug it in again"
_BUSY = "close the other program that holds the probe: an IDE, OpenOCD, a second pyOCD"
_ABSENT = (
    "is the probe on USB, with a cable that carries data? `lsusb` shows it; "
    "a virtual machine or WSL must be given it"
)
_NO_LIBUSB = (
    "install libusb 1.0 (Debian: `apt install libusb-1.0-0`); "
    "on Windows give the probe the WinUSB driver (for an ST-LINK: ST's STSW-LINK009)"
)
_HINTS = {
    "older firmware version": "update the ST-LINK's firmware with STM32CubeProgrammer or ST's STSW-LINK007; "
    "pyOCD needs V2J24 or later",
    "SWD frequency is too low": f"a [probe] frequency of {min(SWD_FREQ_MAP) / 1e3:g} kHz or more",
    Status.get_error_message(Status.JTAG_GET_IDCODE_ERROR): "no part answers on SWD: is the board supplied, "
    "and has the debug_isolation relay closed the lines?",
    "Unable to claim interface": _BUSY,
}
"""By what pyOCD's message contains."""

_ERRNO_HINTS = {errno.EACCES: _UDEV, errno.EBUSY: _BUSY, errno.ENODEV: _ABSENT}

_OTHER_HINT = "check [probe] uid, the USB cable, and that no other debugger holds the probe"


def identity_of(probe: DebugProbe, wanted_hz: float) -> Identity:
    """Who an open probe is, with its firmware and the SWD clock that it really uses."""
    parts = [_firmware(probe), _clock_text(swd_clock_hz(probe, wanted_hz), wanted_hz)]
    version = ", ".join([part for part in parts if part] + [f"pyOCD {pyocd.__version__}"])
    return Identity(probe.vendor_name, probe.product_name, probe.unique_id, version)


def swd_clock_hz(probe: DebugProbe, wanted_hz: float) -> float | None:
    """The SWD clock of an open probe when ``wanted_hz`` is asked for; None where the probe does not tell.

    An ST-LINK/V2 and V2-1 divides to a few fixed frequencies, and pyOCD takes the next one below the wish
    (its table ``SWD_FREQ_MAP``). An ST-LINK/V3 is asked.
    """
    if not isinstance(probe, StlinkProbe):
        return None
    if probe._link.hw_version >= 3:
        return float(probe._link.get_com_frequencies(STLink.Protocol.SWD)[0]) * 1e3
    return float(max(frequency for frequency in SWD_FREQ_MAP if frequency <= wanted_hz))


def explain_missing(uid: str, found: Sequence[str]) -> tuple[str, str]:
    """Why not exactly one probe matches ``uid``, and what to do: (message, hint)."""
    if found:
        return (
            f"{', '.join(found)} match {uid!r}",
            "write the whole serial number into [probe] uid; `pyocd list` shows it",
        )
    if ":" in uid:  # a kind of probe that is named, not one among those on USB
        return f"none matches {uid!r}", "`pyocd list` shows the probes; set [probe] uid"
    try:
        devices = list(stlink_usb.usb_find(find_all=True, custom_match=_is_probe))
    except stlink_usb.usb.core.NoBackendError:
        return "USB probes need libusb, which is not installed", _NO_LIBUSB
    seen = []
    for device in devices:
        name = f"{device.idVendor:04x}:{device.idProduct:04x}"
        try:
            device.get_active_configuration()
            seen.append(f"{device.serial_number} ({name})")
        except stlink_usb.usb.core.USBError as error:
            if error.errno == errno.EACCES:
                return f"the probe {name} is on USB, but this user may not open it", _UDEV
            seen.append(f"{name}, which does not answer ({error})")
        except ValueError as error:  # no language of its strings: it cannot be read
            seen.append(f"{name}, which does not answer ({error})")
        finally:
            stlink_usb.usb.util.dispose_resources(device)
    if seen:
        return f"none matches {uid!r}; on USB: {', '.join(seen)}", "set [probe] uid to the serial number"
    return f"none matches {uid!r}; no debug probe is on USB", _ABSENT


def hint_for(error: BaseException) -> str:
    """What to do about an error of a probe or of the USB under it."""
    number = getattr(error, "errno", None)
    if number in _ERRNO_HINTS:
        return _ERRNO_HINTS[number]
    return next((hint for text, hint in _HINTS.items() if text in str(error)), _OTHER_HINT)


def _is_probe(device: object) -> bool:
    vendor, product = device.idVendor, device.idProduct  # type: ignore[attr-defined]
    stlink = vendor == stlink_usb.STLinkUSBInterface.USB_VID
    if stlink and product in stlink_usb.STLinkUSBInterface.USB_PID_EP_MAP:
        return True
    return bool(is_known_cmsis_dap_vid_pid(vendor, product))


def _firmware(probe: DebugProbe) -> str:
    if isinstance(probe, StlinkProbe):
        return str(probe._link.version_str)
    if isinstance(probe, CMSISDAPProbe):
        protocol = ".".join(str(part) for part in probe._link.protocol_version)
        own = probe._link.firmware_version
        return f"firmware {own}, CMSIS-DAP {protocol}" if own else f"CMSIS-DAP {protocol}"
    return ""


def _clock_text(actual_hz: float | None, wanted_hz: float) -> str:
    if actual_hz is None:
        return ""
    asked = "" if actual_hz == wanted_hz else f" ({wanted_hz / 1e6:g} MHz asked for)"
    return f"SWD {actual_hz / 1e6:g} MHz{asked}"
