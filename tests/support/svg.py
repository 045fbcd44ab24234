"""What a picture of shapes and letters says."""

from __future__ import annotations

from xml.etree import ElementTree

TEXT = "{http://www.w3.org/2000/svg}text"


def svg_texts(content: bytes) -> list[str]:
    """Its lines, in the order in which they are drawn."""
    return ["".join(one.itertext()) for one in ElementTree.fromstring(content).iter(TEXT)]
