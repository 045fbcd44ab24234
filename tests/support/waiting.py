"""Waits for conditions, on a machine that may be busy."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page


PATIENCE_SECONDS = 240  # a busy machine is slow, and waiting costs nothing where nothing is wrong


def until(holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Returns when it holds; raises TimeoutError when it does not."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.05)


def two_frames(tab: Page) -> None:
    """Returns when what was asked for of the viewer is drawn."""
    tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def count_runs(window: BrowserContext) -> None:
    """Every page of it counts the runs of the app's script, for `script_over`."""
    window.add_init_script(path=Path(__file__).with_name("runs.js"))


def script_over(tab: Page) -> None:
    """Returns when the page's script has run for all that was asked of it until now, and what it sent is in the page.

    On a busy machine a run begins long after a click asked for it, and until then the page looks as if it had been.
    """
    two_frames(tab)  # in which a widget that was used asks
    until(lambda: tab.evaluate("() => window.runs.over >= window.runs.asked"))
    tab.locator("[data-test-script-state=notRunning]").wait_for(timeout=1000 * PATIENCE_SECONDS)
    two_frames(tab)


def wait_for_maps(tab: Page) -> None:
    """Returns when the viewer has drawn the scan and its maps."""
    tab.locator(".viewer[data-state=drawn]").wait_for(timeout=1000 * PATIENCE_SECONDS)


def seen(tab: Page) -> str:
    """All text of a page, or why there is none."""
    from playwright.sync_api import Error

    try:
        return tab.locator("body").inner_text(timeout=10_000)
    except Error as error:
        return str(error)
