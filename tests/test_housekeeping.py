"""What the project says of itself stays true."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "vaead_core" / "cohorts" / "samples"
MAKEFILE = (ROOT / "Makefile").read_text()
PROSE = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "THIRD_PARTY.md")
DOCS = tuple(sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")))


def recipe(target: str) -> list[str]:
    """The commands of a target."""
    found = re.search(rf"^{re.escape(target)}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in found[1].splitlines()]


def test_pre_commit_runs_what_make_lint_runs():
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert recipe("lint") == ["$(MAKE) --no-print-directory --jobs 2 style types"]
    assert [hook["entry"] for hook in local["hooks"]] == [*recipe("style"), *recipe("types")]
    assert all(hook["language"] == "system" and not hook["pass_filenames"] for hook in local["hooks"])


def test_workflows_run_tests_that_exist():
    named = re.findall(r"tests/\w+\.py", (ROOT / ".github" / "workflows" / "test.yml").read_text())
    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).is_file()] == []


NIGHTLY = [("nightly", f".venv/bin/python -m tests.{command}") for command in ("fuzz 10000", "support.faults 20")]


@pytest.mark.parametrize(("workflow", "command"), [("test", "make test"), ("test", "make test-system"), *NIGHTLY])
def test_workflows_run_the_commands_that_people_run(workflow, command):
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / f"{workflow}.yml").read_text())["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert any(one.startswith(command) for one in commands)
    assert command.removeprefix(".venv/bin/") in (ROOT / "CONTRIBUTING.md").read_text()


def test_every_locked_package_has_version_and_digests():
    version = re.search(r"^UV := (\S+)$", MAKEFILE, re.MULTILINE)[1]
    for path in ("requirements.txt", "deploy/uv.txt"):
        lines = [line for line in (ROOT / path).read_text().splitlines() if not line.startswith("#")]
        packages = [at for at, line in enumerate(lines) if not line.startswith(" ")]
        assert all(re.match(r"[\w.\[\]-]+==\S+ .*\\$", lines[at]) for at in packages), path
        assert all(lines[at + 1].strip().startswith("--hash=sha256:") for at in packages), path
        assert len(packages) == 1 or len(packages) > 100
    assert f"uv=={version} " in (ROOT / "deploy" / "uv.txt").read_text()


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_takes_nothing_without_its_digest(workflow):
    text = workflow.read_text()
    steps = [step for job in yaml.safe_load(text)["jobs"].values() for step in job["steps"]]
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step["uses"]) for step in steps if "uses" in step)
    assert text.count("uses:") == len(re.findall(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", text, re.MULTILINE)), "say which it is"
    for command in (step["run"] for step in steps if "pip install" in step.get("run", "")):
        assert "--require-hashes" in command or "--constraints requirements.txt" in command


@pytest.mark.parametrize("name", PROSE + DOCS)
def test_files_that_are_named_exist(name):
    text = (ROOT / name).read_text()
    links = [link for link in re.findall(r"\]\(([^)#:]+)\)", text) if link]
    quoted = re.findall(r"`((?:pages|vaead_core|models|training|tests|deploy|benchmarks)/[\w/.-]+)`", text)
    assert [path for path in links if not (ROOT / name).parent.joinpath(path).exists()] == []
    assert [path for path in quoted if not (ROOT / path).exists()] == []


def test_one_version_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == version
    assert citation["license"] == "MIT"
    assert f"## {version}\n" in (ROOT / "CHANGELOG.md").read_text()
    assert f'__version__ = "{version}"' in (ROOT / "vaead_core" / "__init__.py").read_text()


def test_every_direct_dependency_is_locked_and_explained():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    direct = {re.match(r"[\w.-]+", line)[0] for line in asked} - {"vaead"}
    table = (ROOT / "README.md").read_text().split("## Dependencies")[1].split("\n## ")[0]
    locked = (ROOT / "requirements.txt").read_text()
    assert sorted(name for name in direct if not re.search(rf"^{name}==", locked, re.MULTILINE | re.IGNORECASE)) == []
    assert sorted(name for name in direct if not re.search(rf"\b{re.escape(name)}\b", table)) == []


def test_all_that_is_installed_has_its_digest():
    locked = (ROOT / "requirements.txt").read_text()
    packages = re.findall(r"^[\w.-]+==[^\n]*\n", locked, re.MULTILINE)
    assert len(packages) > 100
    assert [line for line in packages if not line.endswith("\\\n")] == []


def test_every_checkpoint_and_the_atlas_have_their_licence_named():
    said = (ROOT / "THIRD_PARTY.md").read_text()
    folders = [path.parent for path in (ROOT / "checkpoints").glob("*/checkpoint.json")]
    kinds = {re.match(r"[a-z]+", folder.name)[0] for folder in folders}
    assert [kind for kind in kinds if f"`checkpoints/{kind}-*`" not in said] == []
    listed = subprocess.run(["git", "ls-files", "*.nii", "*.nii.gz"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {Path(path).parent.as_posix() for path in listed.split()} <= {"vaead_core/scans/atlas", "vaead_core/cohorts/samples"}
    samples = {path.name.removesuffix(".nii.gz").removesuffix("_lesion") for path in SAMPLES.glob("*.nii.gz")}
    assert {name.split("_")[0] for name in samples} == {"ixi", "ms", "glioma"}, "no other scan of a person is here"
    for source in ("ixi_*", "ms_patient07*", "glioma_du_7294*"):
        assert f"`vaead_core/cohorts/samples/{source}`" in said
