# SPDX-License-Identifier: Apache-2.0
"""What the bench's own wires draw through the part's pins: it is known, small enough, and subtracted."""

from hil.datasheet import ni_x_series
from hil.instruments.protocols import Board, PowerAnalyzer
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.pytest_plugin.acquisitions import Acquisitions
from hil.pytest_plugin.recording import Recorder


def test_the_markers_wires_draw_what_the_daq_is_known_to(
    board: Board, power_analyzer: PowerAnalyzer, acquisitions: Acquisitions, measure: Recorder
) -> None:
    """A marker that is high feeds the pull-down of the DAQ's input and nothing else."""
    measure.assume(
        "A marker's wire draws its current exactly while the supply current shows its phase: "
        "marker_active from wake-up to sleep, marker_inference while the network runs."
    )
    measure(
        *(
            Measurement.of(
                f"current into the wire at {load.role} while it is high",
                load.current_a,
                "A",
                Limit.at_most(
                    load.supply_voltage_v / ni_x_series.PULL_DOWN_LEAST_OHM,
                    f"{load.supply_voltage_v:.3f} V and the least pull-down, {ni_x_series.PULL_DOWN_SOURCE}",
                ),
                (f"{load.pin}, moved by the debugger; subtracted while it is high",),
            )
            for load in acquisitions.marker_loads()
        )
    )
