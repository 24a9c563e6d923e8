"""Each rule that keeps a record from being delivered says so in a few words, wherever it is counted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import airflow_provider_userdata
from airflow_provider_userdata import registry
from airflow_provider_userdata.vendors import gerosense_sample, ptengine
from airflow_provider_userdata.vendors.rules import SHARED, by_rule

PACKAGE = Path(airflow_provider_userdata.__file__).parent
RULE = re.compile(r'"([TGPA][0-9]{1,2})"')
NEVER_COUNTED = {"G2", "G3"}
"""Rules of a request as a whole, which the schemas name."""
WORDS = {
    rule: words
    for rules in (SHARED, *(contract.rules for contract in registry.contracts()))
    for rule, words in rules.items()
}


def test_every_rule_in_the_code_has_its_words() -> None:
    """No rule that a vendor or a delivery can file a record under is a bare number in the summary."""
    files = [*(PACKAGE / "vendors").rglob("*.py"), *(PACKAGE / "delivery").rglob("*.py")]
    used = {rule for file in files for rule in RULE.findall(file.read_text())}

    assert used - NEVER_COUNTED <= WORDS.keys()


def test_every_rule_with_words_stands_in_the_docs() -> None:
    """Who wants to know more finds the rule in `docs/rules.md`."""
    docs = PACKAGE.parent / "docs" / "rules.md"
    if not docs.exists():
        pytest.skip("the package is installed, without its docs")
    rows = set(re.findall(r"^\| `?([A-Z][0-9]+)", docs.read_text(), re.MULTILINE))

    assert rows >= WORDS.keys()


def test_words_say_the_contracts_own_numbers() -> None:
    """A limit that changes changes in the words, too."""
    assert str(ptengine.MOST_VALUE_CHARACTERS) in WORDS["P4"]
    assert str(ptengine.MOST_FIELDS) in WORDS["P3"]
    assert str(ptengine.MOST_NAME_CHARACTERS) in WORDS["P3"]
    assert str(gerosense_sample.FEWEST_SAMPLES) in WORDS["G4"]


def test_counts_are_written_with_their_rules_words() -> None:
    """Each rule stands with its words and its count; one that has none stands alone."""
    assert by_rule({"P4": 12_000, "X1": 2}) == "P4, longer than 128 characters: 12,000; X1: 2"
    assert by_rule({}) == ""
