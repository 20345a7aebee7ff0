# SPDX-License-Identifier: Apache-2.0
"""Flash and RAM that the firmware takes, against its budgets."""

from hil.firmware.footprint import footprint
from hil.firmware.image import Image
from hil.measurement.measurement import Measurement
from hil.pytest_plugin.recording import Recorder, TableStore
from hil.pytest_plugin.requirements import Requirements
from hil.pytest_plugin.result_tables import footprint_table
from hil.rig import Rig


def test_flash_and_ram_keep_their_budgets(
    rig: Rig, image: Image, requirements: Requirements, tables: TableStore, measure: Recorder
) -> None:
    """The image that is tested, without its model and the memory that the model takes."""
    taken = footprint(image.path, rig.config.board.definition.part)
    tables.save(footprint_table(taken, requirements.flash_bytes, requirements.ram_bytes))
    measure(
        Measurement("flash without the model", taken.flash_bytes, "B", 0, requirements.flash_bytes),
        Measurement("static RAM without the arena", taken.ram_bytes, "B", 0, requirements.ram_bytes),
    )
