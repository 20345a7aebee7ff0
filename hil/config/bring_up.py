# SPDX-License-Identifier: Apache-2.0
"""What a bring-up has proven about a bench: ``NAME.bringup.toml`` beside the rig file ``NAME.toml``.

The file says when each figure was measured and on which instruments. It counts only for the bench that it
was measured on: the same wiring, the same instruments by serial number, and not too long ago.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hil.config.drivers import RAIL_KINDS
from hil.config.models import RigConfig
from hil.config.quantities import Current, Duration, Voltage
from hil.errors import ConfigError, RigError

SUFFIX = ".bringup.toml"
"""Of the results' file; what stands before it is the rig's name."""

_CHANGING = {"calibration_date", "calibration_due", "smallest_seamless_range_a"}
"""Keys that may change without another bench, beside those that say where an instrument is found: its last
calibration, and what a bring-up finds out."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Latency(_Table):
    """How long calls of an instrument take that change nothing."""

    mean_s: Duration = Field(alias="mean")
    longest_s: Duration = Field(alias="longest")
    count: int


class MarkerLoad(_Table):
    """Current that the far end of a marker's wire takes while the pin is high."""

    current_a: Current = Field(alias="current")
    uncertainty_a: Current = Field(alias="uncertainty", ge=0)
    """Expanded, for 95 %."""
    at_v: Voltage = Field(alias="at", gt=0)
    """VDD at which it was measured; the load is a resistance, so the current follows VDD."""

    def current_at_a(self, supply_voltage_v: float) -> float:
        """The current at another VDD."""
        return self.current_a * supply_voltage_v / self.at_v


class SupplyTimes(_Table):
    """How the supply comes and goes at the board."""

    rise_s: Duration = Field(alias="rise")
    """From the order to a settled output."""
    fall_s: Duration = Field(alias="fall")
    """From the order to a VDD that counts as off."""
    back_feed_v: Voltage = Field(alias="back_feed")
    """What is left at VDD with the supply off and the lines open."""


class ByHand(_Table):
    """A check that a person made."""

    question: str
    answer: str


class StepRecord(_Table):
    """What a step measured, in words."""

    number: int
    title: str
    measured: str


class BringUpResults(_Table):
    """The whole file."""

    date: AwareDatetime
    rig: str
    fingerprint: str
    """Of the rig file's wiring and instruments, see :func:`fingerprint`."""
    serials: Mapping[str, str]
    """Serial numbers that answered, by instrument."""
    round_trips: Mapping[str, Latency] = Field(default_factory=dict)
    arming_s: Duration | None = Field(default=None, alias="arming")
    """From the order to an armed counter."""
    supply: SupplyTimes | None = None
    smallest_range_a: Current | None = Field(default=None, alias="smallest_range")
    """Smallest current range that was seen to take part in seamless ranging; None where nobody looked."""
    marker_loads: Mapping[str, MarkerLoad] = Field(default_factory=dict)
    """By role; a marker without an entry was not measured."""
    by_hand: tuple[ByHand, ...] = ()
    steps: tuple[StepRecord, ...] = ()
    file: Path = Field(default=Path(), exclude=True)

    def applied_to(self, config: RigConfig) -> RigConfig:
        """The configuration with what the bring-up has proven in place of what the file says."""
        ammeter = config.measured_by
        if ammeter is None or self.smallest_range_a is None:
            return config
        changed = ammeter.model_copy(update={"smallest_seamless_range_a": self.smallest_range_a})
        name = "ammeter" if config.power_analyzer is None else "power_analyzer"
        return config.model_copy(update={name: changed})

    def check_serials(self, serials: Mapping[str, str]) -> None:
        """Refuse results of other instruments.

        Raises:
            RigError: an instrument on the bench has another serial number than the one at the bring-up.
        """
        for name, measured in self.serials.items():
            answers = serials.get(name, measured)
            if answers != measured:
                raise RigError(
                    f"serial number {answers} answers",
                    where=name,
                    operation="compare with the bring-up",
                    expected=f"{measured}, which {self.file} was measured with",
                    hint=f"hil bringup --rig {self.rig}",
                )


def bring_up_file(config: RigConfig) -> Path:
    """Where the results of a rig's bring-up are kept."""
    return config.file.with_name(config.file.stem + SUFFIX)


def fingerprint(config: RigConfig) -> str:
    """Tell one bench from another: a hash of board, wiring and instruments without their addresses."""
    tables: dict[str, Any] = {
        # Results of before there were these keys stay good for benches that say nothing in them.
        "board": config.board.model_dump(mode="json", exclude=_unsaid(config.board, {"devices"})),
        "wiring": config.wiring.model_dump(mode="json", exclude=_unsaid(config.wiring, {"shaker"})),
    }
    if config.probe is not None:
        # Results of before the key was there stay good for the probes of that time.
        unsaid = {"levels"} if config.probe.levels == "own" else set()
        tables["probe"] = config.probe.model_dump(mode="json", exclude={"uid", *unsaid})
    for name, rail in config.rails.by_name().items():
        tables[f"rails.{name}"] = rail.model_dump(mode="json", exclude=set(RAIL_KINDS))
    for name, table in config.instruments.items():
        tables[name] = table.model_dump(mode="json", exclude={*table.addresses, *_CHANGING})
    return hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()[:16]


def _unsaid(table: BaseModel, keys: set[str]) -> set[str]:
    return {key for key in keys if not getattr(table, key)}


def load_bring_up(config: RigConfig, now: datetime | None = None) -> BringUpResults | None:
    """The results beside the rig's file; None if there are none.

    Args:
        config: the rig.
        now: the present; the clock's by default.

    Raises:
        ConfigError: the file is damaged, belongs to another wiring, or is too old.
    """
    file = bring_up_file(config)
    again = f"hil bringup --rig {config.name}"
    try:
        text = file.read_text(encoding="utf-8")
        results = BringUpResults.model_validate({**tomllib.loads(text), "file": file})
    except FileNotFoundError:
        return None
    except (OSError, RecursionError, ValueError) as error:  # TOMLDecodeError, ValidationError are ValueErrors
        reason = str(error).splitlines()[0]
        raise ConfigError(f"cannot be used: {reason}", file=file, expected="results", hint=again) from error
    if results.fingerprint != fingerprint(config):
        raise ConfigError(
            f"was measured on another bench than {config.file} describes now",
            file=file,
            key="fingerprint",
            expected=fingerprint(config),
            hint=f"{again}; or delete the file",
        )
    age = (now or datetime.now(UTC)) - results.date
    valid_for = timedelta(seconds=config.bringup.valid_for_s)
    if age > valid_for:
        raise ConfigError(
            f"is {age.days} days old",
            file=file,
            key="date",
            expected=f"at most {valid_for.days} days ([bringup] valid_for)",
            hint=again,
        )
    return results
