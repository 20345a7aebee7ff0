# SPDX-License-Identifier: Apache-2.0
"""``hil.toml``: what a project says about its own firmware, so that nothing of it has to be found out.

Every key may be missing. ::

    [firmware]
    image = "build/sensor.elf"
    console = "text"            # "none", "text", or "records" of hil-rig's protocol
    banner = "sensor .* ready"  # a pattern that the text has to hold
    baud = 9600                 # where it is not the rig's
    sleep = "stop2"             # the mode that it claims: what it draws asleep is held against that row
    wake_period = "2 s"
    mailbox = "hil_mailbox"     # a symbol, an address, or "none"
    hclk = "24 MHz"             # its clock while awake
    supply_voltage = "3 V"      # what its power budget is for
    ambient_temperature = "25 degC"
    markers = ["marker_active"] # pins that it moves, by their role in the rig's [wiring]

    [requirements]              # limits of what tests/any_firmware measures
    sleep_current = "2 uA"
    average_current = "10 uA"
    time_awake = "30 ms"
    battery_life_years = 3
    flash_bytes = 65536
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from hil.config.quantities import Current, Duration, Frequency, Temperature, Voltage
from hil.config.tables import Table
from hil.errors import ConfigError

PROJECT_FILE = "hil.toml"
"""In pytest's root directory."""


class FirmwareTable(Table):
    """``[firmware]``: the image that the project tests, and what it claims."""

    image: Path | None = None
    """The ELF, relative to the file."""
    model: Path | None = None
    """The network that it has to compute, relative to the file."""
    console: Literal["none", "text", "records"] | None = None
    """What it sends: nothing, text, or hil-rig's records. None: to be found out."""
    banner: str | None = None
    """A regular expression that has to be found in its text. It makes ``console`` text where that is
    unset."""
    baud: int | None = Field(default=None, gt=0)
    """Its bit rate, where it is another one than the rig's ``[console] baud``."""
    sleep: Literal["none", "sleep", "lpsleep", "stop0", "stop1", "stop2", "standby", "shutdown"] | None = None
    """The mode in which it spends its time; "none" for one that never sleeps. None: to be found out."""
    wake_period_s: Duration | None = Field(default=None, alias="wake_period", gt=0)
    """Between two wakes."""
    wake_period_tolerance: float = Field(default=0.05, gt=0, lt=1)
    """Relative. The default suits an LSI; an assumption."""
    markers: tuple[Literal["marker_active", "marker_inference"], ...] = ()
    """Roles of the rig's wiring whose pins it moves."""
    hclk_hz: Frequency | None = Field(default=None, alias="hclk", gt=0)
    """The core's clock while it works, as its registers have to make it."""
    supply_voltage_v: Voltage | None = Field(default=None, alias="supply_voltage", gt=0)
    """At which its currents are meant: held against the rig's."""
    ambient_temperature_c: Temperature | None = Field(default=None, alias="ambient_temperature")
    """At which its currents are meant: held against the rig's."""
    mailbox: str | None = Field(default=None, pattern=r"^([A-Za-z_]\w*|0x[0-9A-Fa-f]{1,8})$")
    """Its mailbox: a symbol, an address where the image has no symbols, or "none". None: the symbol
    ``hil_mailbox`` if the image has it."""


class RequirementsTable(Table):
    """``[requirements]``: what the project requires of what is measured of any firmware."""

    sleep_current_a: Current | None = Field(default=None, alias="sleep_current", gt=0)
    """Asleep, at most."""
    average_current_a: Current | None = Field(default=None, alias="average_current", gt=0)
    """On average, at most."""
    time_awake_s: Duration | None = Field(default=None, alias="time_awake", gt=0)
    """In one wake, at most."""
    battery_life_years: float | None = Field(default=None, gt=0)
    """On a CR2032, at least."""
    flash_bytes: int | None = Field(default=None, gt=0)
    """At most."""


class Project(Table):
    """A project's own file."""

    firmware: FirmwareTable = FirmwareTable()
    requirements: RequirementsTable = RequirementsTable()


def load_project(root: Path) -> Project:
    """Read ``hil.toml`` in ``root``; a project without one says nothing.

    Raises:
        ConfigError: it cannot be read, or a key or value is wrong.
    """
    file = root / PROJECT_FILE
    if not file.is_file():
        return Project()
    try:
        project = Project.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        tables: dict[str, type[Table]] = {"firmware": FirmwareTable, "requirements": RequirementsTable}
        known = "; ".join(
            f"[{name}] with " + ", ".join(field.alias or key for key, field in table.model_fields.items())
            for name, table in tables.items()
            if first["loc"][0] == name or first["loc"][0] not in tables
        )
        unknown = first["type"] == "extra_forbidden"
        message = f"unknown key {key!r}" if unknown else f"{first['input']!r}: {first['msg']}"
        raise ConfigError(message, file=file, key=key, expected=known if unknown else "") from error
    except (OSError, RecursionError, ValueError) as error:
        raise ConfigError(f"cannot be read: {error}", file=file, expected="TOML 1.0 in UTF-8") from error
    table = project.firmware
    own: dict[str, object] = {
        key: root / path for key in ("image", "model") if (path := getattr(table, key)) is not None
    }
    if table.banner is not None:
        try:
            re.compile(table.banner)
        except re.error as error:
            raise ConfigError(f"{table.banner!r}: {error}", file=file, key="firmware.banner") from error
        own["console"] = table.console or "text"
    return project.model_copy(update={"firmware": table.model_copy(update=own)})
