"""Which version of this package's code computed something."""

from __future__ import annotations

import ast
import hashlib
import threading
from functools import lru_cache
from pathlib import Path

from vaead_core.computing.checkout import PACKAGE

SHOWS = ("figures", "experiments/report")  # these draw and word what was measured; no measurement runs them
_PARSING = threading.Lock()


def code_digest() -> str:
    """Digest of what computes in this package: what was measured by other code is not taken for what this would measure."""
    return digest_of(PACKAGE)


def digest_of(package: Path) -> str:
    """Digest of a package's statements. Comments, docstrings, layout and the folders in `SHOWS` do not count.

    One thread at a time: in Python 3.11 two that parse at once can fail each other with a SystemError.
    """
    with _PARSING:
        return _digest_of(package)


@lru_cache(maxsize=4)
def _digest_of(package: Path) -> str:
    content = hashlib.blake2b(digest_size=12)
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if not name.startswith(tuple(f"{folder}/" for folder in SHOWS)):
            content.update(f"{name}\n{_statements(path.read_text(encoding='utf-8'))}\n".encode())
    return content.hexdigest()


def _statements(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node, False
        ):
            node.body[0] = ast.Pass()
    return ast.dump(tree)
