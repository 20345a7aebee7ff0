# SPDX-License-Identifier: Apache-2.0
"""docs/reference says of every key and every fault what the code says."""

import ast
import inspect
import re
import textwrap

import pytest

from hil.twin import bench_config, faults, hands, miswiring, realism
from hil.twin.errors import BenchConfigError
from tests import rig_file_page
from tests.rig_file_page import EXAMPLES

WIRING = {"sensor": {"pin": "PA0", "terminal": "Dev1/ao0"}, "marker": {"pin": "PA8", "terminal": "Dev1/ctr0"}}
AGAIN = "write it again: python -m tests.rig_file_page"


def test_the_rig_files_page_is_what_the_models_say() -> None:
    assert rig_file_page.RIG_FILE_PAGE.read_text("utf-8") == rig_file_page.rig_file_page(), AGAIN


def test_the_faults_page_is_what_the_ports_take() -> None:
    assert rig_file_page.FAULTS_PAGE.read_text("utf-8") == rig_file_page.faults_page(), AGAIN


def test_every_key_has_a_description_and_an_example() -> None:
    rows = re.findall(r"^\| `.*\|$", rig_file_page.rig_file_page(), re.MULTILINE)
    lacking = [row for row in rows if row.count(" | ") >= 4 and re.search(r"\|\s*\|", row)]
    assert len(rows) > 100
    assert lacking == []


def test_every_key_of_the_virtual_bench_has_an_example() -> None:
    assert set(EXAMPLES) == bench_config.TWIN_KEYS


@pytest.mark.parametrize("key", sorted(EXAMPLES))
def test_an_example_changes_the_bench(key: str) -> None:
    extra = {"power_analyzer": {}} if key == "power_on_at_start" else {}
    plain = bench_config.parse({"wiring": WIRING, **extra}, "example")
    assert bench_config.parse({"wiring": WIRING, **extra, "twin": {key: EXAMPLES[key]}}, "example") != plain


@pytest.mark.parametrize("name", ["power_analyzer", "daq"])
def test_a_key_that_no_virtual_instrument_reads_is_refused(name: str) -> None:
    with pytest.raises(BenchConfigError, match=rf"\[twin.{name}\] has no key 'seriel'; known are"):
        bench_config.parse({"twin": {name: {"seriel": "1"}}}, "example")


@pytest.mark.parametrize("name", ["power_analyzer", "daq"])
def test_a_virtual_instrument_reads_each_of_its_keys(name: str) -> None:
    folder = rig_file_page.PROJECT / "hil" / "twin" / {"power_analyzer": "analyzer", "daq": "daq"}[name]
    text = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    read = set(re.findall(r'config\.get\(\s*"(\w+)"', text))
    read |= set(re.findall(r'ranges_from_config\(config, "(\w+)"', text))
    assert read == set(bench_config.INSTRUMENT_KEYS[name])


@pytest.mark.parametrize("module", [faults.Faults, hands.Hands])
def test_every_verb_is_listed(module: type) -> None:
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(module))).body
    taken = set()
    for case in ast.walk(body):
        if isinstance(case, ast.MatchSequence):
            taken |= {
                part.value.value for part in ast.walk(case.patterns[0]) if isinstance(part, ast.MatchValue)
            }
    listed = faults.VERBS if module is faults.Faults else hands.VERBS
    assert taken == {verb.split()[0] for verb in listed}


def test_the_choices_are_those_of_the_code() -> None:
    for key, choices in rig_file_page.CHOICES.items():
        for word in choices:
            bench_config.parse({"twin": {key: word}}, "choice")
        with pytest.raises(BenchConfigError):
            bench_config.parse({"twin": {key: "nonsense"}}, "choice")
    assert rig_file_page.CHOICES.keys() - realism.KEYS - miswiring.KEYS == {"spread"}
