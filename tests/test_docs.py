"""Whatever a user can name has a line in the docs."""

import ast
import json
import re
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from training.config import Architecture, TrainingConfig
from training.presets import PRESETS
from vaead_core.__main__ import _parser
from vaead_core.anomalies.lesions import LESIONS
from vaead_core.anomalies.toys import TOYS
from vaead_core.anomalies.toys.datasets import DATASETS
from vaead_core.checkpoints.checkpoint import COMPANION_FILES, DESCRIPTION, FILES
from vaead_core.checkpoints.interchange import METADATA
from vaead_core.checkpoints.provenance import Companion, Provenance, ReconstructionError, Source, Training
from vaead_core.checkpoints.search import shipped
from vaead_core.checkpoints.site import Site
from vaead_core.detectors import DETECTORS
from vaead_core.experiments.catalogue import EXPERIMENTS
from vaead_core.inference.vae import COMPANIONS
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scorers import SCORERS
from vaead_core.study.command import parser as study_parser

ROOT = Path(__file__).resolve().parents[1]
FILES_OF_WORDS = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
DOCS = "\n".join(path.read_text() for path in FILES_OF_WORDS)
SECTIONS = [part.partition("\n") for part in re.split(r"^#+ ", DOCS, flags=re.MULTILINE)]  # heading, "\n", body
RECORDS = (Provenance, Training, Source, ReconstructionError, Companion, Preprocessor)


def has_line(name: str, heading: str) -> bool:
    """Whether a section under such a heading has the name in backticks, alone or with its value."""
    return any(heading in title and re.search(rf"`{re.escape(name)}[` ]", body) for title, _, body in SECTIONS)


def parser_options(parser: ArgumentParser, command: str = "vaead") -> Iterator[tuple[str, str]]:
    """(option, command) of a parser and of those below it."""
    for action in parser._actions:
        for name, below in action.choices.items() if isinstance(action, _SubParsersAction) else ():
            yield from parser_options(below, f"{command} {name}")
        yield from ((option, command) for option in action.option_strings if option not in ("-h", "--help"))


def written_options(path: Path) -> Iterator[tuple[str, str]]:
    """(option, command) of a program's `add_argument` calls and settings, read from its source: importing it may load torch."""
    command = f"python -m {path.relative_to(ROOT).with_suffix('').as_posix().replace('/', '.')}"
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument":
            names = [one.value for one in node.args if isinstance(one, ast.Constant)]
        elif isinstance(node, ast.ClassDef) and "Settings" in [ast.unparse(base) for base in node.bases]:
            names = [f"--{one.target.id.replace('_', '-')}" for one in node.body if is_setting(one)]
        else:
            continue
        yield from ((name, command) for name in names if name.startswith("--"))


def is_setting(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.AnnAssign) and "Positional" not in ast.unparse(statement.annotation)


def settings_options(settings: type[BaseModel], prefix: str = "--") -> Iterator[str]:
    """As tyro names the fields."""
    for name, field in settings.model_fields.items():
        option = prefix + name.replace("_", "-")
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from settings_options(inner, f"{option}.")
        else:
            yield option


def description_fields() -> Iterator[str]:
    """Of a checkpoint.json, and of its two tables that hold one thing."""
    said = json.loads((shipped() / DESCRIPTION).read_text())
    yield from said
    yield from (f"{table}.{name}" for table in ("data", "preprocessor") for name in said[table])


STUDY = "vaead BIDS_DIR OUT"
PROGRAMS = sorted(path for path in (*ROOT.glob("training/*.py"), *ROOT.glob("benchmarks/*.py")) if path.stem != "config")
OPTIONS = [
    *parser_options(_parser()),
    *parser_options(study_parser(), STUDY),
    *(pair for path in PROGRAMS for pair in written_options(path)),
    *((option, "python -m training.run") for option in settings_options(TrainingConfig)),
]
TITLED = {"Scorers": SCORERS, "Outlier detectors": DETECTORS, "Toys": TOYS, "Painted lesions": LESIONS}
NETWORKS = (*get_args(Architecture.model_fields["name"].annotation), *COMPANIONS)
NAMES = [
    *((name, heading) for heading, methods in TITLED.items() for name in methods),
    *((name, "Toy datasets") for name in DATASETS),
    *((name, "Networks") for name in NETWORKS),
    *((name, "vaead evaluate") for name in EXPERIMENTS),
    *((name, "python -m training.run") for name in PRESETS),
    *((name, "Files") for name in (DESCRIPTION, METADATA, *FILES, *COMPANION_FILES.values())),
    *((name, "Fields") for name in description_fields()),
    *((f"{record.__name__}.{field.name}", "Fields") for record in RECORDS for field in fields(record)),
    *((f"Site.{field.name}", "A site's calibration") for field in fields(Site)),
]


@pytest.mark.parametrize(("name", "heading"), NAMES)
def test_what_has_a_name_has_a_line(name, heading):
    assert has_line(name, heading), f"{name} has no line under {heading!r} in README.md, CONTRIBUTING.md or docs/*.md"


@pytest.mark.parametrize(("option", "command"), OPTIONS)
def test_an_option_has_a_line(option, command):
    assert has_line(option, command), f"{option} of {command} has no line in README.md, CONTRIBUTING.md or docs/*.md"


METHODS = [(heading, name, methods[name].title) for heading, methods in TITLED.items() for name in methods]


@pytest.mark.parametrize(("heading", "name", "title"), METHODS)
def test_a_methods_line_has_its_title_on_screen(heading, name, title):
    assert f"| `{name}` | {title} |" in DOCS


@pytest.mark.parametrize(("name", "heading"), [("crystal_ball", "Scorers"), ("residual", "Toys"), ("--luck", "vaead score")])
def test_an_invented_name_and_one_of_another_kind_have_none(name, heading):
    assert not has_line(name, heading)


# with options
BENCHMARKS = (
    "healthy_registration",
    "limits",
    "load",
    "reconstruction",
    "registration",
    "study",
    "training",
    "untaken",
    "wrong_inputs",
)


def test_every_command_and_program_was_read():
    assert {command for _, command in OPTIONS} == {
        STUDY,
        *(f"vaead {name}" for name in ("score", "limits", "synthetic", "calibrate", "evaluate", "report")),
        *(f"python -m training.{name}" for name in ("run", "companions", "publish", "ablations", "fusion_weights")),
        *(f"python -m benchmarks.{name}" for name in BENCHMARKS),
    }


HOUSES = ("benchmarks", "models", "pages", "tests", "training", "vaead_core")
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for house in HOUSES
    for path in sorted((ROOT / house).rglob("*.py"))
}


def named_in(text: str) -> list[str]:
    """The paths and dotted names in backticks, and the programs of its commands."""
    spans = [*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^python -m (\S+)", text, re.MULTILINE)]
    words = {word for span in spans for word in re.findall(r"[\w./-]+", span)}
    return sorted(word for word in words if re.search(r"\w/|\w\.\w", word))


def exists(name: str) -> bool:
    """Whether the repository has a path, or one of its modules a dotted name, which may begin at any package."""
    if "/" in name or name.endswith((".md", ".py", ".toml")):
        return (ROOT / name).exists()
    module, _, own = name.rpartition(".")
    if any(f".{known}".endswith(f".{name}") for known in MODULES):
        return True
    texts = (path.read_text() for known, path in MODULES.items() if f".{known}".endswith(f".{module}"))
    return any(re.search(rf"^(def |class )?{own}\b", text, re.MULTILINE) for text in texts)


@pytest.mark.parametrize("name", named_in((ROOT / "CONTRIBUTING.md").read_text()))
def test_what_the_tour_names_is_there(name):
    assert exists(name), f"CONTRIBUTING.md names {name}, which is not there"


@pytest.mark.parametrize("name", ["turns.page", "pages/shared/server/turns.py", "vaead_core.turns", "turns.py", "queue.turns"])
def test_what_was_invented_is_not(name):
    assert not exists(name)


KINDS = ["Tutorial", "How-to", "Reference", "Explanation"]


def test_every_page_of_the_docs_is_listed_once_under_its_kind():
    text = (ROOT / "docs/README.md").read_text()
    assert re.findall("^## (.+)", text, re.MULTILINE) == KINDS
    listed = re.findall(r"^- \[[^\]]+\]\(([^)]+)\): \w", text, re.MULTILINE)
    assert sorted(listed) == sorted(path.name for path in (ROOT / "docs").glob("*.md") if path.name != "README.md")
    assert "](docs/README.md)" in (ROOT / "README.md").read_text()


def anchors(page: Path) -> set[str]:
    """Of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", FILES_OF_WORDS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_somewhere(page):
    for path, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text()):
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"
