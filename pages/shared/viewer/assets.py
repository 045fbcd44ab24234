"""The component's script, style and markup, as Streamlit takes them: one string each."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent
MODULES = (
    "dom", "geometry", "layout", "colours", "volume", "scale", "settings", "shading", "shades", "outlines", "measure",
    "measure_marks", "picture", "view", "blocks", "clusters", "surface", "turning", "glass", "solids", "solid_view", "colour_bar",
    "icons", "panel", "histogram", "window_histogram", "controls", "help", "toolbar", "preview", "toys", "measures", "keys",
    "readout", "following", "stage", "viewer", "main",
)  # fmt: skip


def script() -> str:
    """The modules of js/, one after the other, each after those it imports.

    Streamlit takes one script, so the lines that import are dropped and `export` is too, except main.js's default:
    a name must therefore be used once in all modules, on its top level. Every message brings it anew, so indents and comments
    stay behind.
    """
    return "\n".join(_bare((FOLDER / "js" / f"{name}.js").read_text(encoding="utf-8")) for name in MODULES)


def style() -> str:
    """viewer.css."""
    return (FOLDER / "viewer.css").read_text(encoding="utf-8")


def _bare(module: str) -> str:
    without_imports = re.sub(r"^import [^;]*;\n", "", module, flags=re.MULTILINE)
    without_exports = re.sub(r"^export (?!default)", "", without_imports, flags=re.MULTILINE)
    return re.sub(r"^ *(//|/\*\*|\*).*\n|^ +|^\n| // [^\"'`\n]*$", "", without_exports, flags=re.MULTILINE)
