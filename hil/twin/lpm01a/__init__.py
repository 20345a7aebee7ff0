# SPDX-License-Identifier: Apache-2.0
"""The virtual X-NUCLEO-LPM01A: ST's shell, the data stream in both formats, on a socket serial port."""

from hil.twin.lpm01a.powershield import PowerShield
from hil.twin.lpm01a.server import SerialPort

__all__ = ["PowerShield", "SerialPort"]
