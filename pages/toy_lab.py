"""Toy anomalies planted where you click in a scan: maps, precision and recall follow."""

import numpy as np
import streamlit as st

from pages.shared import inputs, scan_input
from pages.shared.cached import scans as cached_scans
from pages.shared.cached import toys as cached_toys
from pages.shared.cached.toys import BrainBox
from pages.shared.fresh import fresh
from pages.shared.notices import faults, plain, warn
from pages.shared.part import part
from pages.shared.refusal import refuse_scan
from pages.shared.server import entry, queue
from pages.shared.toy_lab import state as lab_state
from pages.shared.toy_lab.controls import ask_toy
from pages.shared.viewer import clicked, thresholds_left, viewer
from vaead_core import scorers
from vaead_core.anomalies.toys.settings import settings_of
from vaead_core.errors import InputError
from vaead_core.figures.curves import PLAIN, described, precision_recall_figure, sweep_figure
from vaead_core.pipeline import planting

entry.through_app()
state = st.session_state
with st.container(horizontal=True, vertical_alignment="bottom"):
    st.header("Toy lab", anchor=False, width="content")
    st.caption(
        "Research use only, not for diagnosis. A click in the brain plants a toy; its controls shape it until the next one. "
        "Pictures lie on the atlas grid of the checkpoint."
    )
about = st.empty()
controls = st.sidebar.container()
request, folder = scan_input.ask_scan("lab_sample"), inputs.ask_checkpoint()
place = fresh("lab", (request.subject, str(folder)))
try:
    with queue.page(), st.spinner("Opening scan and checkpoint"):
        checkpoint = cached_scans.checkpoint(folder)
        methods = inputs.ask_methods(checkpoint.model)
        scale, site = inputs.ask_thresholds(folder, checkpoint)
        opened = request.read()
        about.caption(plain(opened.about))
        scan = cached_scans.open_scan(opened.key, opened.volume, checkpoint, scale, site)
        about.caption(plain(f"{opened.about} {scan.lies}"))
        results, sentences = inputs.score_all(scan, methods)
    with controls:
        kind, buttons, settings = ask_toy()
except InputError as error:
    refuse_scan(error)
    st.stop()
page = place()
with page, st.container():
    for sentence in [*opened.sentences, *lab_state.lost(), *sentences, *scan.prepared.brain.warnings]:
        warn(sentence)
if not results:
    st.stop()

shape = kind, settings
names = tuple(result.name for result in results)
titles = {name: scorers.SCORERS[name].title for name in names}
box = BrainBox.of(scan.prepared.brain.mask)
lab_state.begin(scan, shape)


def plant_anywhere() -> None:
    random, length_mm = np.random.default_rng(), dict(settings)["length_mm"]
    centre = planting.random_centre(scan.prepared.slices, scan.preprocessor, length_mm, random)
    lab_state.plant_at(scan, shape, centre)


def take_threshold() -> None:
    for point in state.lab_curves.selection.points[:1]:
        lab_state.set_threshold(names[point["curve_number"]], point["customdata"], names)


with buttons:
    st.button("Random", on_click=plant_anywhere, help="Plant one at a random place in the brain.")
    st.button("Undo", on_click=lambda: lab_state.plant(scan, state.lab_toys[:-1]))
    st.button("Clear", on_click=lambda: lab_state.plant(scan, ()))


@part
@faults()
@queue.page()
def show() -> None:
    """Viewer, curves, sweep; a click in the viewer runs this alone."""
    if centre := clicked("lab"):
        lab_state.plant_at(scan, shape, box.on_grid(centre))
    above = st.container()
    with above, st.container():  # in a place of its own, so that the viewer keeps its place, and with it its state in the browser
        if state.lab_sentence:
            warn(state.lab_sentence)
    toys = state.lab_toys
    lab_state.note_in_address()
    given = {titles[name]: at for name, at in lab_state.thresholds(results).items()}
    left = thresholds_left("lab", given)
    lab_state.keep_thresholds({name: left[titles[name]] for name in names})
    show_curves(toys)  # first, for the browser draws them while the volumes are packed
    with above:
        seen, truth, maps = cached_toys.layers(scan, names, toys)
        viewer(
            seen, maps, scan.preprocessor.slice_grid.atlas.affine @ box.to_grid, file_voxels=box.to_grid, key="lab",
            clicks=True, subject=" ".join(scan.digest), truth=truth if toys else None, cursor=box.middle,
            thresholds=given,
        )  # fmt: skip


def show_curves(toys: cached_toys.Toys) -> None:
    """Precision and recall of each map, and a sweep of the last toy."""
    if not toys:
        st.info("Click in a picture, or press Random, to plant a toy; precision and recall of each map follow here.")
        return
    curves = {name: cached_toys.curve(scan, name, toys) for name in names}
    drawn = {name: (found, state.lab_thresholds[name]) for name, found in curves.items() if found}
    with st.container(gap=None):
        for column, (name, one) in zip(st.columns(len(names)), drawn.items(), strict=False):
            column.caption(described(f"**{titles[name]}**", *one))
        st.plotly_chart(
            precision_recall_figure(list(drawn.values())), key="lab_curves", config=PLAIN,
            on_select=take_threshold, selection_mode="points",
        )  # fmt: skip
        own = "" if opened.truth is None else " The scan's own lesion counts as normal."
        st.caption(f"Toys: {len(toys)}. Over the brain in the slices that hold one.{own} Click a curve to set its threshold.")
    scalars = [one for one in settings_of(type(toys[-1].toy)) if not (one.several or one.choices)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        setting = st.selectbox("Sweep of the last toy, alone, over its", scalars, format_func=lambda one: one.label, width=280)
        if st.button("Draw AP"):
            state.lab_sweep = toys[-1], setting
    if state.lab_sweep:
        with st.spinner("Planting one toy after another"):
            toy, swept_setting = state.lab_sweep
            swept = cached_toys.sweep(scan, toy, swept_setting, names)
        st.plotly_chart(sweep_figure(swept, titles), config=PLAIN, key="lab_sweep_chart")


with page:
    show()
