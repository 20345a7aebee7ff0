# SPDX-License-Identifier: Apache-2.0
"""Where keys stand in a TOML text."""

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hil.config.toml_lines import KeyPath, key_lines, line_of

TEXT = '''\
name = "sim"  # not "name = 1"

[board]
"supply voltage" = "3 V"
dotted.key = 1
inline = { a = 1, b = { c = "}" } }
text = """
[not.a.table]
x = 1"""

[[wires]]
pin = "PA0"
[wires.ends]
left = 'C:\\'
[[wires]]
pin = "PA1"

[list]
rows = [
    { range = "1 A" },  # a comment ]
    { range = "2 A" },
]
when = 2026-01-31
'''


def test_every_kind_of_key_has_its_line() -> None:
    lines = key_lines(TEXT)
    for path, line in {
        ("name",): 1,
        ("board",): 3,
        ("board", "supply voltage"): 4,
        ("board", "dotted", "key"): 5,
        ("board", "inline", "b", "c"): 6,
        ("board", "text"): 7,
        ("wires", 0, "pin"): 12,
        ("wires", 0, "ends", "left"): 14,
        ("wires", 1): 15,
        ("wires", 1, "pin"): 16,
        ("list", "rows"): 19,
        ("list", "rows", 1, "range"): 21,
        ("list", "when"): 23,
    }.items():
        assert lines[path] == line, path
    assert ("not", "a", "table") not in lines


def test_a_missing_key_is_placed_at_its_table() -> None:
    lines = key_lines(TEXT)
    assert line_of(lines, ("board", "mcu")) == 3
    assert line_of(lines, ("nowhere",)) is None


def _paths(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    if isinstance(value, dict):
        items: Any = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        return {path}
    return {path}.union(*(_paths(nested, (*path, key)) for key, nested in items))


KEYS = st.text("abc-_1", min_size=1, max_size=3)
VALUES = st.recursive(
    st.sampled_from(["1", '"a # ]"', "'}'", "true", "1e5", '"""\n"\n"""']),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[\n" + ",\n".join(items) + "]"),
        st.dictionaries(KEYS, inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        ),
    ),
    max_leaves=6,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.dictionaries(KEYS, VALUES, max_size=4))
def test_finds_the_same_keys_as_tomllib(root: dict[str, str], table: dict[str, str]) -> None:
    rows = [f"{key} = {value}" for key, value in root.items()]
    rows += ["[t.'u v']"] + [f"'{key}' = {value}" for key, value in table.items()]
    text = "\r\n".join(rows)
    found = set(key_lines(text))
    wanted = _paths(tomllib.loads(text)) - {()}
    assert wanted - {("t",)} <= found
