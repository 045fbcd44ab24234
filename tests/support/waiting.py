"""Waits for conditions, on a machine that may be busy."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


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


def script_over(tab: Page) -> None:
    """Returns when the page's script has run and what it sent is in the page; it begins as soon as a widget was used."""
    tab.locator("[data-test-script-state=notRunning]").wait_for(timeout=1000 * PATIENCE_SECONDS)
    two_frames(tab)


def wait_for_maps(tab: Page) -> None:
    """Returns when the viewer has drawn the scan and its maps."""
    tab.locator(".viewer[data-state=drawn]").wait_for(timeout=1000 * PATIENCE_SECONDS)
