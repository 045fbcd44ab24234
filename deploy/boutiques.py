"""`python -m deploy.boutiques > deploy/boutiques.json`: a study as Boutiques describes a command, from its own options."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from vaead_core import __version__
from vaead_core.study.command import parser


def descriptor() -> dict[str, Any]:
    """Of schema 0.5, for `bosh exec launch` and platforms such as CBRAIN."""
    command = parser()
    inputs = [one for action in command._actions if action.dest != "help" for one in _inputs(action)]
    return {
        "name": "vaead",
        "description": command.description,
        "tool-version": __version__,
        "schema-version": "0.5",
        "command-line": " ".join(["vaead", *(one["value-key"] for one in inputs)]),
        "inputs": inputs,
        "output-files": [{
            "id": "results", "name": "Results", "path-template": "[OUT]",
            "description": "A BIDS derivative dataset: docs/derivatives.md says what lies in it.",
        }],
        "suggested-resources": {"cpu-cores": 1, "ram": 2, "walltime-estimate": 14400},
        "tags": {"domain": ["neuroinformatics", "mri"]},
    }  # fmt: skip


def _inputs(action: argparse.Action) -> list[dict[str, Any]]:
    """One for an option, two for one that has its opposite."""
    if isinstance(action, argparse.BooleanOptionalAction):
        return [_input(action, flag, "Flag") for flag in action.option_strings]
    if action.type is int:
        return [_input(action, _first(action), "Number") | {"integer": True, "minimum": 1}]
    is_read = action.type is Path and action.dest not in ("out", "work_dir")
    return [_input(action, _first(action), "File" if is_read else "String")]


def _first(action: argparse.Action) -> str:
    return action.option_strings[0] if action.option_strings else ""


def _input(action: argparse.Action, flag: str, kind: str) -> dict[str, Any]:
    name = flag.lstrip("-").replace("-", "_") or action.dest
    said: dict[str, Any] = {
        "id": name, "name": name.replace("_", " "), "type": kind, "description": action.help,
        "value-key": f"[{name.upper()}]", "optional": bool(flag),
    }  # fmt: skip
    if flag:
        said["command-line-flag"] = flag
    if action.choices:
        said["value-choices"] = list(action.choices)
    if action.nargs == "+":
        said["list"] = True
    return said


if __name__ == "__main__":
    sys.stdout.write(json.dumps(descriptor(), indent=1) + "\n")
