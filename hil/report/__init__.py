# SPDX-License-Identifier: Apache-2.0
"""The report of a run: one HTML page made from the run's folder alone, so it can be made again at any
time.
"""
