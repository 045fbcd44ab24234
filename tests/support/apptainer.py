"""An Apptainer definition's parts, as far as ours uses them."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Definition:
    """head: its keywords, lower case. sections: their lines, by name."""

    head: dict[str, str]
    sections: dict[str, list[str]]

    @staticmethod
    def read(path: Path) -> Definition:
        """Comments and empty lines left out."""
        first, *others = re.split(r"^%(?=\w)", path.read_text(), flags=re.MULTILINE)
        head = dict(line.split(": ", 1) for line in first.splitlines() if line and not line.startswith("#"))
        parts = [[line.strip() for line in one.splitlines() if line.strip()] for one in others]
        return Definition({name.lower(): value for name, value in head.items()}, {name: lines for name, *lines in parts})

    @property
    def installing(self) -> list[list[str]]:
        """The words of each command that installs something."""
        return [words for line in self.sections["post"] if "install" in (words := shlex.split(line))]

    def lay(self, repository: Path, root: Path) -> None:
        """Copies what `%files` names below `root`."""
        for line in self.sections["files"]:
            source, target = line.split()
            place = root / target.lstrip("/")
            place = place / Path(source).name if target.endswith("/") else place
            place.parent.mkdir(parents=True, exist_ok=True)
            if (repository / source).is_dir():
                shutil.copytree(repository / source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(repository / source, place)
