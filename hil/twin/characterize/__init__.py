# SPDX-License-Identifier: Apache-2.0
"""Measures the virtual part on its own bench, line by line of the datasheet.

The part runs a small firmware, PyVISA asks the power analyzer and nidaqmx the counters, as on a real bench;
nothing is read from the model of the supply current. The bench itself gives the ambient temperature, passes
time and works the part's memory where a debug probe would.
"""
