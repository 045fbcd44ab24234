"""How a verdict is worded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def verdict(holds: bool) -> str:
    """Of a claim of the thesis."""
    return "holds here" if holds else "does not hold here"


def above(one: dict[str, float], other: dict[str, float]) -> bool:
    """Whether the one is higher in every set."""
    return all(one[toy] > other[toy] for toy in one)


def versus(ours: dict[str, float], theirs: dict[str, float]) -> str:
    """Two maps or scores, set by set."""
    return ", ".join(f"{toy} {ours[toy]:.3f} against {theirs[toy]:.3f}" for toy in ours)


def listed(names: list[str]) -> str:
    """Names, or "none"."""
    return ", ".join(names) if names else "none"


def bullets(*sentences: str) -> str:
    """As a Markdown list."""
    return "\n".join(f"- {sentence}" for sentence in sentences)


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """As a Markdown table."""
    first, *others = (f"| {' | '.join(line)} |" for line in (head, *rows))
    return "\n".join([first, "|---" * len(head) + "|", *others])
