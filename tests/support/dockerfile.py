"""A Dockerfile's instructions, as far as ours uses them."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Dockerfile:
    """instructions: (keyword, rest), in order, with continued lines joined."""

    instructions: list[tuple[str, str]]

    @staticmethod
    def read(path: Path) -> Dockerfile:
        """The instructions of a file, comments left out."""
        lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
        joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
        return Dockerfile([(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines())])

    def all(self, keyword: str) -> list[str]:
        """What follows each `keyword`, with the arguments' defaults put in."""
        defaults = {
            name: value.strip('"') for name, value in (rest.split("=", 1) for word, rest in self.instructions if word == "ARG")
        }
        return [
            re.sub(r"\$\{(\w+)\}", lambda name: defaults[name[1]], rest) for word, rest in self.instructions if word == keyword
        ]

    def words(self, keyword: str) -> list[str]:
        """The words of the last `keyword` in exec form; for a HEALTHCHECK those of its command."""
        text = self.all(keyword)[-1]
        return json.loads(text[text.index("[") :])

    @property
    def environment(self) -> dict[str, str]:
        """What ENV sets."""
        return dict(pair.split("=", 1) for text in self.all("ENV") for pair in shlex.split(text))

    @property
    def installing(self) -> list[list[str]]:
        """The words of each command that installs something."""
        commands = [shlex.split(part) for text in self.all("RUN") for part in text.split("&&")]
        return [words for words in commands if "install" in words]

    @property
    def user(self) -> tuple[int, int]:
        """Numbers of user and group."""
        user, group = map(int, self.all("USER")[-1].split(":"))
        return user, group
