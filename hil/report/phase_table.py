# SPDX-License-Identifier: Apache-2.0
"""Where a period's charge goes: the phases of a waveform summed up by name."""

from __future__ import annotations

from dataclasses import dataclass

from hil.measurement.duty_cycle import wake_times_s
from hil.measurement.phases import PhaseName
from hil.results.waveform_file import StoredWaveform


@dataclass(frozen=True)
class PhaseRow:
    """One phase, averaged over its occurrences within whole periods; ``share`` is of a period's charge."""

    name: PhaseName
    occurrences: int
    duration_s: float
    mean_a: float
    charge_c: float
    energy_j: float
    share: float


def rows(stored: StoredWaveform) -> list[PhaseRow]:
    """Return one row per phase that occurs between the first and the last wake-up; none without a whole
    period.
    """
    wakes = wake_times_s(stored.phases)
    if len(wakes) < 2:
        return []
    within = [phase for phase in stored.phases if wakes[0] <= phase.start_s < wakes[-1]]
    total_c = sum(phase.charge_c for phase in within)
    table = []
    for name in PhaseName:
        own = [phase for phase in within if phase.name is name]
        if own:
            duration_s = sum(phase.duration_s for phase in own)
            charge_c = sum(phase.charge_c for phase in own)
            table.append(
                PhaseRow(
                    name=name,
                    occurrences=len(own),
                    duration_s=duration_s / len(own),
                    mean_a=charge_c / duration_s,
                    charge_c=charge_c / len(own),
                    energy_j=charge_c / len(own) * stored.supply_voltage_v,
                    share=charge_c / total_c,
                )
            )
    return table
