"""A session ends when its reader has been gone for a while, and not because the server was too busy to look."""

from types import SimpleNamespace

import pytest

from pages.shared.server import sessions


@pytest.mark.parametrize(("pause", "looks_away"), [(0.0, 1), (1000.0, 1), (1000.0, 50)])
def test_time_in_which_nobody_looked_does_not_count_as_absence(monkeypatch, pause, looks_away):
    """The server stops for `pause` seconds, after which the reader is not connected for some looks, comes back, and leaves."""
    clock, looks, ended = [0.0], [0], []

    def sleep(seconds):
        looks[0] += 1
        clock[0] += seconds + (pause if looks[0] == 5 else 0)

    def is_open(session):
        return looks[0] < 5 or 5 + looks_away <= looks[0] < 100

    monkeypatch.setattr(sessions, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=sleep))
    monkeypatch.setattr(sessions, "_is_open", is_open)
    monkeypatch.setattr(sessions, "memory", SimpleNamespace(give_back=lambda: None))
    monkeypatch.setattr(sessions.streamlit_private, "close", lambda session: None)
    monkeypatch.setattr(sessions, "_ends", {"one": [lambda: ended.append(looks[0])]})
    monkeypatch.setattr(sessions, "_away", {"one": 0.0})
    monkeypatch.setattr(sessions.sys, "modules", dict(sessions.sys.modules))
    sessions._look()
    assert ended == [100 + sessions.ABANDONED_SECONDS // sessions._LOOK_SECONDS]
