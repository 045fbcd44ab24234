"""A picture on which everything lies where it is put, so that panels of one row are of one height whatever stands around them."""

from __future__ import annotations

import io
import threading
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

DOTS_PER_INCH = 150
_SVG: Any = {"svg.fonttype": "none", "svg.hashsalt": "vaead"}  # letters that can be edited; the same names for the same parts
_OF_SVG = {"Date": None, "Creator": None, "Format": None, "Type": None}  # what matplotlib else writes of itself
_settings = threading.Lock()  # matplotlib's are those of all threads


class Sheet:
    """Places are inches from the upper left corner. ink: the colour of lines and letters."""

    def __init__(self, width: float, height: float, paper: str, ink: str) -> None:
        self.width, self.height, self.ink = width, height, ink
        self.figure = Figure((width, height), facecolor=paper)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes that fill the place, without a frame."""
        axis = self.figure.add_axes(self._box(left, top, width, height))
        axis.set_axis_off()
        return axis

    def write(self, left: float, top: float, said: str, size: float, align: str = "left", **more: Any) -> None:
        """`said`, letter by letter, below `top`; `align` says which of its ends, or its middle, lies at `left`."""
        place = left / self.width, 1 - top / self.height
        styled: dict[str, Any] = {"color": self.ink, "fontsize": size, "ha": align, "va": "top", "parse_math": False} | more
        self.figure.text(*place, "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in said), **styled)

    def line(self, left: float, top: float, width: float, height: float = 0, **more: Any) -> None:
        """A straight one."""
        across = left / self.width, (left + width) / self.width
        up = 1 - top / self.height, 1 - (top + height) / self.height
        styled: dict[str, Any] = {"color": self.ink, "linewidth": 1} | more
        self.figure.add_artist(Line2D(across, up, **styled))

    def fill(self, left: float, top: float, width: float, height: float, colour: str) -> None:
        """A place of one colour."""
        x, y, across, up = self._box(left, top, width, height)
        self.figure.add_artist(Rectangle((x, y), across, up, color=colour, linewidth=0))

    def _box(self, left: float, top: float, width: float, height: float) -> tuple[float, float, float, float]:
        return left / self.width, 1 - (top + height) / self.height, width / self.width, height / self.height


def png(figure: Figure, dots_per_inch: float = DOTS_PER_INCH) -> bytes:
    """The same bytes for the same figure."""
    FigureCanvasAgg(figure)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=dots_per_inch, facecolor=figure.get_facecolor(), metadata={"Software": None})
    return content.getvalue()


def svg(figure: Figure, dots_per_inch: float) -> bytes:
    """The same, with letters as letters and pixels of `dots_per_inch`; it names no address from which a reader would load."""
    content = io.BytesIO()
    with _settings, mpl.rc_context(_SVG):
        figure.savefig(content, format="svg", dpi=dots_per_inch, facecolor=figure.get_facecolor(), metadata=_OF_SVG)
    head, _, rest = content.getvalue().partition(b"<!DOCTYPE")
    return head + rest.partition(b">")[2].lstrip()
