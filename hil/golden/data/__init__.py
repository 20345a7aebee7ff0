# SPDX-License-Identifier: Apache-2.0
"""What the sensor hears: machines that are made up or recorded, and the windows the firmware sees of them.

Every source ends in a :class:`~hil.golden.data.pin_signal.PinSignal`, the voltage at the sensor's pin. The
same signal is what the DAQ plays and what the training windows are cut from.
"""
