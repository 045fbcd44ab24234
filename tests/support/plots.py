"""What drawn charts hold; a rerun of the page may build a chart anew between finding and reading it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page


def plotted(tab: Page, read: str, place: int = 0, within: str = "", given: Any = None) -> Any:
    """What a JavaScript function of the chart (and `given`) says of the page's chart at a place among those drawn.

    The chart is found and read in one go, once it is drawn.
    """
    ask = """([place, within, given]) => {
      const plot = document.querySelectorAll(`${within} .js-plotly-plot`)[place];
      return plot?.data && plot._fullLayout?.xaxis?.l2p && { said: (%s)(plot, given) };
    }"""
    return tab.wait_for_function(ask % read, arg=[place, within, given]).json_value()["said"]
