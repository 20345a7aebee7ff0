# SPDX-License-Identifier: Apache-2.0
"""What ST programs into the system memory: identity and calibration words (DS10198 Rev 8, Tables 8 and 9)."""

from typing import Final

import numpy as np
import numpy.typing as npt

from hil.parts import Package, Part

_PACKAGE: Final = 0x1FFF_7500
_UID: Final = 0x1FFF_7590
_FLASH_SIZE: Final = 0x1FFF_75E0
_FULL_SCALE: Final = 4096
_TS_CAL1_C, _TS_CAL2_C = 30.0, 110.0
_TS_REFERENCE_C: Final = 30.0


def program(system_memory: npt.NDArray[np.uint8], part: Part, package: Package, seed: int) -> None:
    """Write a typical part's words into ``system_memory``; the UID follows the seed."""

    def put(address: int, value: bytes) -> None:
        offset = address - part.system_memory.base
        system_memory[offset : offset + len(value)] = np.frombuffer(value, dtype=np.uint8)

    def put_code(address: int, voltage_v: float) -> None:
        code = round(voltage_v / addresses["vdda_ref_V"] * _FULL_SCALE)
        put(address, code.to_bytes(2, "little"))

    addresses = part.fact("calibration_addresses").extra
    at_30c_v = part.fact("temp_sensor_v30").typ_scalar()
    slope_v_per_c = part.fact("temp_sensor_slope").typ_scalar()
    put_code(int(addresses["ts_cal1_30C"], 16), at_30c_v + slope_v_per_c * (_TS_CAL1_C - _TS_REFERENCE_C))
    put_code(int(addresses["ts_cal2_110C"], 16), at_30c_v + slope_v_per_c * (_TS_CAL2_C - _TS_REFERENCE_C))
    put_code(int(addresses["vrefint_cal_30C"], 16), part.fact("vrefint").typ_scalar())
    put(_PACKAGE, package.code.to_bytes(4, "little"))
    put(_UID, np.random.default_rng(seed).bytes(12))
    put(_FLASH_SIZE, (part.flash.size // 1024).to_bytes(2, "little"))
