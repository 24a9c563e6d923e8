"""The command line as a whole: one tool, with help for everything."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator

import pytest

from airflow_provider_userdata.__main__ import main
from airflow_provider_userdata.cli.declared import Command
from airflow_provider_userdata.cli.definition import COMMANDS, parser


def every_command() -> Iterator[tuple[str, ...]]:
    """Give the words of each command and group."""
    yield ()
    for one in COMMANDS:
        yield (one.name,)
        if not isinstance(one, Command):
            for command in one.commands:
                yield one.name, command.name


def declared() -> Iterator[Command]:
    """Give each command."""
    for one in COMMANDS:
        yield from (one,) if isinstance(one, Command) else one.commands


@pytest.mark.parametrize("words", list(every_command()), ids=" ".join)
def test_every_command_has_help(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """In words, within the width of a usual terminal."""
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert text.startswith(f"usage: {' '.join(['python -m airflow_provider_userdata', *words])} ")
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("command", list(declared()), ids=lambda command: command.name)
def test_every_argument_has_help(command: Command) -> None:
    """And the command itself is there, though it is only imported when it is called."""
    assert all(one.options.get("help") for one in command.arguments)
    assert command.help[0].isupper()
    assert callable(command.function())


def test_a_command_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    """Ends with 2, and the commands are named."""
    with pytest.raises(SystemExit) as ended:
        main(["chekc"])
    assert ended.value.code == 2
    assert "check" in capsys.readouterr().err


def test_an_option_is_taken_by_its_whole_name(capsys: pytest.CaptureFixture[str]) -> None:
    """What is mistyped isn't silently something else; what is like it is named."""
    for mistyped, meant in (("--field", "--fields"), ("--data-typ=steps", "--data-type")):
        with pytest.raises(SystemExit) as ended:
            main(["check", "x.csv", "--vendor", "ptengine", mistyped, "a"])
        assert ended.value.code == 2
        assert f"Did you mean '{meant}'" in capsys.readouterr().err


def test_ctrl_c_while_python_imports_it() -> None:
    """One line, and no traceback."""
    code = """
import builtins
before = builtins.__import__
def importing(name, *rest):
    if name == "airflow_provider_userdata.cli.definition":
        raise KeyboardInterrupt
    return before(name, *rest)
from airflow_provider_userdata.__main__ import main
builtins.__import__ = importing
main(["--help"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stderr) == (130, "\nuserdata: stopped\n")


def test_the_help_needs_no_airflow() -> None:
    """As `check` needs none."""
    code = """
import sys
sys.modules["airflow"] = None
from airflow_provider_userdata.__main__ import main
main(["--help"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "check" in done.stdout


def test_the_options_of_the_sandbox_are_its_own() -> None:
    """As `python -m airflow_provider_userdata.sandbox` has them."""
    asked = parser().parse_args(["sandbox", "--port", "8123", "--fault", "ptengine=500"])
    assert isinstance(asked, argparse.Namespace)
    assert (asked.host, asked.port, asked.fault, asked.latency) == ("127.0.0.1", 8123, ["ptengine=500"], "0")
