"""A scorer that comes as one file is offered, mapped and tested with no other edit."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support.trainings import prepared

ROOT = Path(__file__).resolve().parents[2]
OTHERS = [f"download_{what}" for what in ("report", "everything", "session", "figure_png", "figure_svg", "findings", "labels")]
SCORER = '''
    from dataclasses import dataclass
    from typing import ClassVar

    from vaead_core.scorers import MapScorer, masked_to_brain, register


    @register("squared")
    @dataclass(frozen=True)
    class Squared(MapScorer):
        """(x − x̂)²: a scorer made in a test, found by its file alone."""

        title: ClassVar[str] = "Squared residual"
        unit: ClassVar[str] = "squared intensity"

        def score_map(self, model, slices):
            return masked_to_brain(model.map(slices, lambda view: (view.images - view.reconstruction) ** 2), slices)
'''
VISIT = """
    import json
    from pathlib import Path
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(Path("app.py").resolve(), default_timeout=240)
    app.session_state.explore_drawn = True  # no browser draws here
    app.run()
    offered = app.multiselect(key="methods").options
    app.multiselect(key="methods").set_value(["residual", "squared"]).run()
    print(json.dumps({
        "offered": offered,
        "warnings": [warning.value for warning in app.warning],
        "errors": [error.value for error in app.error],
        "exceptions": [exception.value for exception in app.exception],
        "scores": dict(app.dataframe[0].value.iloc[:, :2].values.tolist()) if app.dataframe else {},
        "maps": [button.proto.id.rsplit("-", 1)[-1] for button in app.get("download_button")],
    }))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory, tiny_checkpoint_folder) -> Path:
    """A copy of the project in which vaead_core/scorers holds one file more; `tiny` was trained without it."""
    copy = tmp_path_factory.mktemp("project")
    for folder in ("vaead_core", "pages", "models", "training", "benchmarks", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("app.py", "pyproject.toml"):
        shutil.copy(ROOT / file, copy)
    shutil.copytree(tiny_checkpoint_folder, copy / "checkpoints" / "tiny")
    (copy / "vaead_core" / "scorers" / "squared.py").write_text(textwrap.dedent(SCORER))
    return copy


def printed(project: Path, *arguments: str, **environment: str) -> str:
    """What a fresh Python prints in the copy; its registries see the copy's files alone."""
    command = [sys.executable, *arguments]
    ran = subprocess.run(command, cwd=project, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def visit(project: Path, checkpoints: Path) -> dict:
    """The Explore page with the new scorer and the residual chosen."""
    return json.loads(
        printed(project, "-c", textwrap.dedent(VISIT), VAEAD_CHECKPOINTS=str(checkpoints), VAEAD_SHIPPED="off").splitlines()[-1]
    )


def test_it_meets_the_same_contract_tests_as_another(project):
    collected = printed(project, "-m", "pytest", "--collect-only", "-q", "tests/test_scorers.py").splitlines()
    new, known = ([line.removesuffix(end) for line in collected if line.endswith(end)] for end in ("[squared]", "[residual]"))
    assert new == known
    assert len(new) >= 4


def test_the_page_offers_it_and_says_that_an_older_model_knows_no_healthy_values_beside_the_other_map(project):
    seen = visit(project, ROOT / "checkpoints")
    assert "Squared residual" in seen["offered"]
    assert seen["exceptions"] == seen["errors"] == []
    sentence = "brain-slices-2mm was written before the scorer squared existed, and is not calibrated for it"
    assert len([warning for warning in seen["warnings"] if warning.startswith(sentence)]) == 1
    assert list(seen["scores"]) == ["Residual"]
    assert seen["maps"] == ["download_residual", *OTHERS]


def test_the_page_shows_its_map_once_the_model_is_published_again(project, thin_cohort_file):
    printed(project, *prepared("training.publish", thin_cohort_file)[1:], "checkpoints/tiny")
    seen = visit(project, project / "checkpoints")
    assert seen["exceptions"] == seen["errors"] == []
    assert not [warning for warning in seen["warnings"] if "calibrate" in warning]
    assert set(seen["scores"]) == {"Residual", "Squared residual"}
    assert 0 < seen["scores"]["Squared residual"] < seen["scores"]["Residual"]
    assert seen["maps"] == ["download_residual", "download_squared", *OTHERS]
