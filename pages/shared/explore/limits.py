"""Detection limits of the scan on the Explore page: measured in the background, by one method at its threshold, and shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages.shared.cached.scans import OpenScan
from pages.shared.explore.offering import offer
from pages.shared.explore.shown import FIRST_RATE, Shown
from pages.shared.notices import plain, warn
from pages.shared.server import audit, jobs, sessions
from pages.shared.server.stepwise import Stepwise
from vaead_core import scorers
from vaead_core.figures.curves import PLAIN
from vaead_core.pipeline.scoring import Scored

if TYPE_CHECKING:
    from vaead_core.pipeline.limits.measuring import Progress, ThresholdedMap
    from vaead_core.pipeline.limits.table import Limits

BUTTON = "What would be missed here?"
ABOUT = (
    "Paints 250 lesions of five sizes and five contrasts into this scan and counts those that the map finds at its threshold. "
    "It takes up to a minute; the first figures come within seconds."
)


@dataclass(frozen=True)
class Told:
    """What is known after a step. said, picture: of places, once all lesions were painted."""

    progress: Progress
    said: str = ""
    picture: bytes = b""

    @property
    def share(self) -> float:
        return self.progress.done / self.progress.total

    @property
    def limits(self) -> Limits:
        return self.progress.limits[0]


@dataclass(frozen=True)
class Measured:
    """The limits of one method, whole or on their way."""

    name: str
    work: Stepwise[Told]
    threshold: float

    @property
    def runs(self) -> bool:
        return self.work.state == jobs.RUNNING

    @property
    def limits(self) -> Limits | None:
        """By all lesions; None until then."""
        return self.work.latest.limits if self.work.latest and self.work.state == jobs.FINISHED else None


ByMethod = dict[str, Measured]


class Kept:
    """Of a session: the limits of one scan, whatever checkpoint and scale of thresholds it was opened with; those of another let
    go of them."""

    def __init__(self) -> None:
        self.scan_digest, self.measured = "", dict[tuple[str, ...], ByMethod]()
        sessions.at_end(self.end)

    def of(self, scan_digest: str) -> dict[tuple[str, ...], ByMethod]:
        """Those of a scan, by the digest of it as it was opened."""
        if scan_digest != self.scan_digest:
            for one in self.all():
                one.work.cancel()
            self.scan_digest, self.measured = scan_digest, {}
        return self.measured

    def all(self) -> list[Measured]:
        return [one for by_method in self.measured.values() for one in by_method.values()]

    def forget(self, scans: set[str]) -> None:
        """Lets go of them where they are of one of `scans`, by content, which its reader has closed; on any page."""
        if self.scan_digest in scans:
            self.of("")

    def end(self) -> None:
        for one in self.all():
            one.work.end()


def measured(shown: Shown) -> ByMethod:
    """Those of the scan as it is shown, by method; it can be asked in any thread later."""
    return _kept().of(shown.scan.scan_digest).setdefault(shown.scan.digest, {})


def _kept() -> Kept:
    if "explore_limits" not in st.session_state:
        st.session_state.explore_limits = Kept()
    kept: Kept = st.session_state.explore_limits
    return kept


def show_limits(shown: Shown, stem: str) -> None:
    """A button, and what it brought: for one of the methods that are shown, at the threshold that stands."""
    st.subheader("Detection limits of this scan", anchor=False)
    known, kept = measured(shown), _kept()
    running = any(one.runs for one in kept.all())
    names = {one.name: title for one, title in zip(shown.results, shown.titles, strict=True)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Method", list(names), format_func=names.__getitem__, key="explore_limits_of", width=320, disabled=running
        )
        one = next(one for one in shown.results if one.name == name)
        st.button(
            BUTTON, key="explore_measure_limits", disabled=running, help=ABOUT, icon=":material/search_off:",
            on_click=lambda: _begin(kept, shown.scan, one, shown.threshold(one)),
        )  # fmt: skip
    if seen := next((one for one in known.values() if one.runs), known.get(name)):
        _show(shown, seen, stem)
    else:
        st.caption(ABOUT)


def _begin(kept: Kept, scan: OpenScan, one: Scored, threshold: float) -> None:
    if any(before.runs for before in kept.all()):
        return  # a second click that came before the button was disabled
    told = partial(audit.of_this_session(), "job limits")
    told("started")
    title = f"Detection limits of {scorers.SCORERS[one.name].title} at {threshold:.3g}"
    work = Stepwise(title, _steps(scan, thresholded(one, threshold)), lambda known: known.share, told)
    kept.measured[scan.digest][one.name] = Measured(one.name, work, threshold)
    jobs.follow("limits", work)


def thresholded(one: Scored, threshold: float) -> ThresholdedMap:
    """The map, at a threshold of which FIRST_RATE of healthy voxels are known to exceed it if nobody moved it."""
    from vaead_core.pipeline.limits.measuring import ThresholdedMap  # what paints lesions is loaded by those who ask for it

    unmoved = threshold == one.thresholds[FIRST_RATE]
    return ThresholdedMap(one, threshold, FIRST_RATE if unmoved else one.healthy.rate(threshold))


def _steps(scan: OpenScan, one: ThresholdedMap) -> Iterator[Told]:
    from vaead_core.figures.limits import places_png
    from vaead_core.pipeline.limits import measuring, places
    from vaead_core.scans.registration import atlas_grid

    progress = None
    for progress in measuring.steps(scan.prepared, scan.checkpoint, [one]):
        yield Told(progress)
    if progress is not None:
        found = places.in_scan(progress.limits[0], scan.prepared, scan.preprocessor)
        yield Told(progress, found.sentence(), places_png(found, atlas_grid(int(scan.preprocessor.spacing_mm)), small=True))


def _show(shown: Shown, one: Measured, stem: str) -> None:
    scored = next((scored for scored in shown.results if scored.name == one.name), None)
    if scored is None:
        warn("A method that is no longer shown is being measured; add it again in the sidebar, or cancel.")
    elif shown.threshold(scored) != one.threshold:
        warn(
            f"These figures are of the threshold {one.threshold:.3g}, where the map's stood then; it is at "
            f"{shown.threshold(scored):.3g} now. Ask again for that."
        )
    if (limits := one.limits) is None:
        jobs.show(one.work, lambda: _draw(one))
        return
    _draw(one)
    if scored:
        offer("Detection limits, JSON", lambda: _record(shown.scan, scored, limits), "limits", f"{stem}_limits.json")


def _draw(one: Measured) -> None:
    from vaead_core.figures import limits as figures

    if (told := one.work.latest) is None:
        return
    limits = told.limits
    if limits.outcomes:
        st.markdown(f"#### {plain(limits.sentence())}")
    left, right = st.columns(2)
    with left:
        alt = "Share of the painted lesions that is found, by size and contrast"
        st.plotly_chart(figures.heat_map_figure(limits), config=PLAIN, key=f"explore_limits_{one.name}", alt=alt)
        st.dataframe(pd.DataFrame(figures.sizes_table(limits)), hide_index=True, width="stretch")
    with right:
        if told.picture:
            st.image(told.picture, width="stretch", alt="Where in the brain more or fewer lesions are found")
            st.caption(f"**Where it is blind.** {plain(told.said)} {figures.ABOUT_PLACES}")
        else:
            st.caption("Where more or fewer lesions are found is drawn when all were painted.")
    took = f" after {one.work.elapsed:.0f} s" if one.limits else ""
    count = f"By {len(limits.outcomes)} of {told.progress.total} lesions{took}; hover over a cell for its 95 % interval."
    st.caption(f"{count} {plain(figures.marked_sentence(limits))} {figures.METHOD}")


def _record(scan: OpenScan, scored: Scored, limits: Limits) -> str:
    from vaead_core.pipeline.limits.record import limits_record, record_text

    maps = [thresholded(scored, limits.threshold)]
    return record_text(limits_record(scan.prepared, maps, [limits], scan.checkpoint, 0))
