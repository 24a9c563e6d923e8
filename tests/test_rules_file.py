"""What the page says of the rules."""

from __future__ import annotations

import re

import pytest

from airflow_provider_userdata import registry
from airflow_provider_userdata.ui import rules
from airflow_provider_userdata.vendors.rules import SHARED
from scripts import make_rules

pytestmark = pytest.mark.skipif(not make_rules.DOCS.exists(), reason="the package is installed, without its docs")


def test_the_file_is_up_to_date() -> None:
    """`make schemas` has been run after a change of docs/rules.md."""
    assert rules.FILE.read_text() == make_rules.text(make_rules.DOCS.read_text())


def test_every_rule_that_keeps_a_record_back_is_in_it() -> None:
    """With a sentence for what it means, and one for what to do."""
    counted = {*SHARED, *(rule for contract in registry.contracts() for rule in contract.rules)}
    assert counted <= rules.all_rules().keys()
    assert all(rule.says and rule.do for rule in rules.all_rules().values())


def test_it_is_plain_text() -> None:
    """The page shows it as it is: no Markdown, no markup."""
    for rule in rules.all_rules().values():
        for text in (rule.says, rule.do):
            assert not re.search(r"[`*<>|]|\]\(|\s\s", text), text
            assert text.endswith(".")


def test_a_table_becomes_sentences() -> None:
    """Links and marks of code are dropped, and code keeps its case."""
    head = "| rule | says | what to do |\n|---|---|---|\n"
    table = f"{head}| X1* | `unit` is [there](#a) | *read* `b`. |\n| `x_y` | so | c |\n"
    assert make_rules.rules(table) == {
        "X1": rules.Rule(says="unit is there.", do="Read b."),
        "x_y": rules.Rule(says="So.", do="C."),
    }


def test_rules_come_in_the_order_of_what_names_them() -> None:
    """So that the explanations under a table follow its rows; a rule without a text is left out."""
    assert list(rules.of(["P7", "Z99", "A7", "P4", "P7"])) == ["P7", "A7", "P4"]
