# SPDX-License-Identifier: Apache-2.0
"""The clock plans of one binary: what a period costs under each of them, and which one is cheapest."""

from hil.datasheet import batteries
from hil.firmware.protocol import clock_plans
from hil.instruments.protocols import Console, PowerAnalyzer
from hil.measurement.clock_plan import PlanComparison
from hil.measurement.measurement import Measurement
from hil.measurement.uncertainty import Estimate
from hil.pytest_plugin.accuracy import RigAccuracy
from hil.pytest_plugin.acquisitions import Acquisitions
from hil.pytest_plugin.recording import Recorder, TableStore
from hil.pytest_plugin.requirements import Requirements
from hil.pytest_plugin.result_tables import clock_plan_table
from hil.rig import Rig


def test_the_default_plan_is_the_cheapest(
    rig: Rig,
    console: Console,
    power_analyzer: PowerAnalyzer,
    acquisitions: Acquisitions,
    requirements: Requirements,
    rig_accuracy: RigAccuracy,
    tables: TableStore,
    measure: Recorder,
) -> None:
    """No other plan takes less charge per period than the one that the firmware is built with."""
    taken = acquisitions.plan_sweeps()
    comparison = PlanComparison(
        taken.sweeps,
        taken.plans,
        taken.period_s,
        taken.alone[0].mean_accuracy(rig_accuracy.mean_current_a),
        taken.alone[0].difference_accuracy(rig_accuracy.charge_difference_c),
    )
    supply_v = taken.supply_voltage_v
    tables.save(
        clock_plan_table(
            comparison,
            taken.default_plan,
            Estimate.of(supply_v, rig_accuracy.voltage_v(supply_v)),
            [batteries.get(battery_id) for battery_id in requirements.battery_life_years],
            rig.config.board.definition.part,
        )
    )
    default = taken.default_plan
    rival = comparison.cheapest(among=[plan for plan in range(taken.plans) if plan != default])
    extra = comparison.extra_c(default, rival)
    measure(
        *(
            Measurement.of(
                f"charge per period on plan {plan}",
                cost.charge_c,
                "C",
                notes=(clock_plans()[plan].title,),
            )
            for plan in range(taken.plans)
            for cost in [comparison.cost(plan)]
        ),
        Measurement.of(
            "default clock plan above the cheapest other",
            extra,
            "C",
            requirements.clock_plan_extra_c,
            (
                f"charge per period of plan {default} ({clock_plans()[default].title}) minus that of plan "
                f"{rival} ({clock_plans()[rival].title}); below zero, the default is the cheapest of all",
                "instrument accuracy as far as it does not cancel, and the scatter between sweeps",
            ),
        ),
    )
