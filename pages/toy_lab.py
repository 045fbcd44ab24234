"""Toy anomalies planted where you click in a scan: maps, precision and recall follow."""

from contextlib import suppress

import numpy as np
import streamlit as st

from pages.shared import inputs, scan_input
from pages.shared.cached import scans as cached_scans
from pages.shared.cached import toys as cached_toys
from pages.shared.cached.toys import BrainBox
from pages.shared.fresh import fresh
from pages.shared.notices import faults, plain, warn, warn_in_lines
from pages.shared.part import part
from pages.shared.refusal import refuse_scan
from pages.shared.server import entry, queue
from pages.shared.toy_lab import address, thresholds
from pages.shared.toy_lab import state as lab_state
from pages.shared.toy_lab.controls import ask_toy
from pages.shared.toy_lab.marks import marks
from pages.shared.viewer import thresholds_left, viewer
from pages.shared.viewer.preview import Preview, asked, show_preview
from pages.shared.viewer.toys import acts_since
from vaead_core import scorers
from vaead_core.errors import InputError
from vaead_core.figures.curves import PLAIN, described, precision_recall_figure, sweep_figure
from vaead_core.pipeline import planting

UNFADED = "<style>[data-testid=stMain] [data-stale=true] { opacity: 1 !important; transition: none !important; }</style>"

entry.through_app()
st.html(UNFADED)  # what was drawn last stays as it is while a toy is planted: pages fade by themselves
state = st.session_state
with st.container(horizontal=True, vertical_alignment="bottom"):
    st.header("Toy lab", anchor=False, width="content")
    st.caption("Research use only, not for diagnosis. A click in the brain plants a toy or lesion; ? lists mouse and keys.")
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
        kind, buttons, settings = ask_toy(scan.preprocessor.spacing_mm)
except InputError as error:
    refuse_scan(error)
    st.stop()
page = place()
shape = kind, settings
lab_state.begin(scan, shape)
address.begin(scan, request.lost)
with page, st.container():
    warn_in_lines([*opened.sentences, *address.lost(), *sentences, *scan.prepared.brain.warnings])
if not results:
    st.stop()

names = tuple(result.name for result in results)
titles = {name: scorers.SCORERS[name].title for name in names}
box = BrainBox.of(scan.prepared.brain.mask)


def plant_anywhere() -> None:
    about = cached_toys.planted(scan, state.lab_toys), scan.preprocessor, scan.prepared.brain
    try:
        centre = planting.random_centre(planting.Planting(kind, settings, (0, 0, 0)), *about, np.random.default_rng())
    except InputError as error:
        state.lab_sentence = str(error)
        return
    if lab_state.plant_at(scan, shape, centre):
        lab_state.jump(box.from_grid(centre))


def go_to_listed() -> None:
    lab_state.choose(state.lab_list or state.lab_chosen, box)  # a click on the chosen one would choose none


def take_threshold() -> None:
    for point in state.lab_curves.selection.points[:1]:
        thresholds.move(names[point["curve_number"]], point["customdata"])


with buttons:
    st.button("Random", on_click=plant_anywhere, help="Plant one at a random place in the brain, clear of the others.")
    st.button("Undo", on_click=lab_state.undo, help="Ctrl + Z")
    st.button("Redo", on_click=lab_state.redo, help="Ctrl + Shift + Z, or Ctrl + Y")
    st.button("Clear", on_click=lab_state.clear, args=(scan,))


@part
@faults()
@queue.page()
def show() -> None:
    """Viewer, curves, sweep; a click in the viewer runs this alone."""
    lab_state.follow(scan, shape, acts_since("lab", state.lab_done), box)
    if "lab_show" in state:
        st.rerun()  # the controls are those of another toy now
    above = st.container()
    with st.container():  # below the viewer, which must not move under the next click
        if state.lab_sentence:
            warn(state.lab_sentence)
    toys, near = state.lab_toys, state.lab_drawn
    address.note()
    given = {titles[name]: at for name, at in thresholds.begin(scan, results).items()}
    left = thresholds_left("lab", given)
    thresholds.keep({name: left[titles[name]] for name in names})
    show_curves(toys, near)  # first, for the browser draws them while the volumes are packed
    with above:
        seen, truth, maps = cached_toys.layers(scan, names, toys, near)
        viewer(
            seen, maps, scan.preprocessor.slice_grid.atlas.affine @ box.to_grid, file_voxels=box.to_grid, key="lab",
            toys=marks(scan, shape, box), subject=" ".join(scan.digest), truth=truth if toys else None,
            cursor=state.lab_start or box.middle, jumps=state.lab_jumps, thresholds=given, linked=False,
        )  # fmt: skip
        show_dragged()
    state.lab_drawn = toys


@st.fragment
@faults()
@queue.page()
def show_dragged() -> None:
    """The slice that is looked at while a toy is dragged; a pull in the viewer runs this alone."""
    if acts_since("lab", state.lab_done):
        st.rerun()  # the toy was dropped at that moment: one message, which asks for this fragment alone
    held = asked("lab")
    toy = held and lab_state.toy_of(held[0].id)
    if not (held and toy) or held[0].number <= state.get("lab_previewed", 0):
        show_preview("lab", None)
        return
    act, index = held
    state.lab_previewed = act.number
    layers = cached_toys.layers(scan, names, state.lab_toys)
    toys = lab_state.with_changed(lab_state.changed(toy, act, scan.preprocessor.spacing_mm, box))
    with suppress(InputError):  # dropped there it is said
        slices = cached_toys.preview(scan, names, toys, index)
        show_preview("lab", Preview(act.number, index, slices, [one.step for one in (layers[0], layers[1], *layers[2])]))
        return
    show_preview("lab", Preview(act.number, index, (), ()))


def show_curves(toys: cached_toys.Toys, near: cached_toys.Toys) -> None:
    """Precision and recall of each map, and a sweep of the chosen toy, or of the last one. near: whose maps are at hand."""
    if not toys:
        st.info(
            "Draw in a picture with the pointer held down; precision and recall of each map follow here."
            if kind == planting.DRAWN
            else "Click in a picture, or press Random, to plant a toy; precision and recall of each map follow here."
        )
        return
    numbers = {toy.seed: f"{at} {planting.name_of(toy.kind)}" for at, toy in enumerate(toys, 1)}
    state.lab_list = state.lab_chosen
    st.pills("Toys", list(numbers), format_func=numbers.__getitem__, key="lab_list", on_change=go_to_listed)
    curves = {name: cached_toys.curve(scan, name, toys, near) for name in names}
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
    swept_toy = lab_state.chosen_toy() or toys[-1]
    offered = planting.offered(swept_toy.kind, scan.preprocessor.spacing_mm)
    scalars = [one for one in offered if not (one.several or one.choices)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        setting = st.selectbox("Sweep of the chosen toy, alone, over its", scalars, format_func=lambda one: one.label, width=280)
        if st.button("Draw AP"):
            state.lab_sweep = swept_toy, setting
    if state.lab_sweep:
        with st.spinner("Planting one toy after another"):
            toy, swept_setting = state.lab_sweep
            swept = cached_toys.sweep(scan, toy, swept_setting, names)
        st.plotly_chart(sweep_figure(swept, titles), config=PLAIN, key="lab_sweep_chart")


with page:
    show()
