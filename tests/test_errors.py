# SPDX-License-Identifier: Apache-2.0
"""What an error says, and which family it belongs to."""

from pathlib import Path

import pytest

from hil import errors


def test_message_names_place_operation_expectation_and_remedy() -> None:
    error = errors.ConnectError(
        "no answer", where="daq", operation="identify", expected="an NI device", hint="check [daq] device"
    )
    assert str(error) == "daq: identify: no answer; expected an NI device; try: check [daq] device"


def test_config_error_starts_with_file_and_line() -> None:
    error = errors.ConfigError(
        "is missing", file=Path("rig.toml"), line=7, key="probe.uid", expected="a text"
    )
    assert str(error) == "rig.toml:7: probe.uid: is missing; expected a text"


@pytest.mark.parametrize(
    "kind",
    [
        errors.InstrumentError,
        errors.ConnectError,
        errors.InstrumentTimeoutError,
        errors.ProtocolError,
        errors.OverloadError,
        errors.SafetyError,
        errors.RigError,
        errors.RigBusyError,
        errors.ServiceError,
    ],
)
def test_a_fault_of_the_bench_is_never_a_fault_of_the_device(kind: type[errors.HilError]) -> None:
    assert not issubclass(kind, errors.DeviceError)


def test_teardown_error_lists_every_failed_step() -> None:
    failed = [errors.RigError("stuck", operation="supply off"), errors.ConnectError("gone", where="daq")]
    assert str(errors.TeardownError(failed, where="sim")).splitlines()[1:] == [
        "  - supply off: stuck",
        "  - daq: gone",
    ]


def drawn(kind: type[Exception], before: str = "    ") -> list[str]:
    """The lines below an error's in the tree."""
    kinds = [each for each in kind.__subclasses__() if each.__module__ == errors.__name__]
    lines = []
    for each in kinds:
        branch, below = ("└── ", "    ") if each is kinds[-1] else ("├── ", "│   ")
        lines += [f"{before}{branch}{each.__name__}", *drawn(each, before + below)]
    return lines


def test_the_tree_is_drawn_as_it_is() -> None:
    assert "\n".join(["    HilError", *drawn(errors.HilError)]) in (errors.__doc__ or "")
