"""A tab in which one test after the other looks, as loading a page takes longer than most tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.waiting import script_over

if TYPE_CHECKING:
    from playwright.sync_api import Page


class SharedTab:
    """open: a new tab with its page; called for the first test, and again after a test that failed."""

    def __init__(self, open: Callable[[], Page]) -> None:
        self._open = open
        self._tab: Page | None = None

    @contextmanager
    def lent(self, session: pytest.Session) -> Iterator[Page]:
        """The tab for one test, which leaves it as the others may find it; what the last one asked for is over."""
        failed = session.testsfailed
        self._tab = self._tab or self._open()
        script_over(self._tab)
        try:
            yield self._tab
        finally:
            if session.testsfailed > failed:
                self.close()

    def close(self) -> None:
        if self._tab:
            self._tab.close()
        self._tab = None


def shared_tab(open: Callable[[Any, str], Page]) -> Any:
    """The fixture of a module's SharedTab. open: as of it, from the fixtures `browser` and `address`."""

    @pytest.fixture(scope="module")
    def shared(browser, address):
        with closing(SharedTab(lambda: open(browser, address))) as tab:
            yield tab

    return shared
