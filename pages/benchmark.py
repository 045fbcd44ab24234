"""The recorded experiments: tables, sizes and intensities, the thesis's numbers, curves and images; a run of one's own."""

import streamlit as st

from pages.shared import inputs
from pages.shared.benchmark import fashion as fashion_view
from pages.shared.benchmark import own_experiment
from pages.shared.benchmark import views as view
from pages.shared.cached import recorded
from pages.shared.cached import results as cached_results
from pages.shared.cached import scans as cached_scans
from pages.shared.notices import plain, refuse
from pages.shared.server import entry, jobs, queue
from vaead_core import scorers
from vaead_core.anomalies.toys.datasets import DATASETS
from vaead_core.errors import InputError
from vaead_core.experiments.report import method_table
from vaead_core.experiments.report.result_figures import grid_figure
from vaead_core.figures.curves import PLAIN, described, precision_recall_figure
from vaead_core.figures.latents import slice_picture

HEALTHY = "healthy brain A"
VIEWS = ("Methods", inputs.WHICH, "Size and intensity", "Thesis", "Scanners", "Curves", "Fashion images", "Your own")

entry.through_app()
with st.container(horizontal=True, vertical_alignment="bottom"):
    st.header("Benchmark", anchor=False, width="content")
    st.caption("Research use only, not for diagnosis. AP is average precision; chance is the AP of a score that knows nothing.")
where = recorded.folder()
names = cached_results.names()
chosen_view = st.segmented_control(
    "View", VIEWS, default=VIEWS[0], required=True, key="benchmark_view", label_visibility="collapsed", **inputs.KEPT
)


def methods() -> None:
    name, rows, task = view.ask_table(where, names)
    dataset, combination = view.ask_data(rows, task)
    table = method_table.methods(rows, task, dataset, combination, cached_results.seconds(where, name))
    view.methods(table, f"{name}_{task}_{dataset}_{combination}", "methods")
    view.whole_table(where, name)


def grids() -> None:
    _, rows, task = view.ask_table(where, names)
    mine = rows[rows["task"] == task]
    if not set(mine["dataset"]) & set(DATASETS):
        view.combinations(rows, task)
        return
    scores = method_table.scores_of(rows, task)
    score, mine = view.ask_score(mine, scores)
    places = [*st.columns(2), st.container()]
    for column, (name, grid) in zip(places, method_table.size_by_intensity(mine).items(), strict=True):
        column.markdown(f"**{plain(name.capitalize())}**")
        alt = f"AP of {score} on {name}"
        column.plotly_chart(grid_figure(grid, 260), config=PLAIN, key=f"grid_{name}", alt=alt)
    st.caption("Average precision from 0 to 1. Each cell is the mean over test subjects.")


def curves() -> None:
    """The tables keep AP alone, so that curves are drawn on a sample, through a chosen checkpoint."""
    checkpoint = cached_scans.checkpoint(inputs.ask_checkpoint())
    methods = inputs.ask_methods(checkpoint.model)
    sample = cached_scans.sample(HEALTHY)
    left, right = st.columns(2)
    dataset = left.selectbox("Toys", list(DATASETS), key="curve_data", **inputs.KEPT)
    toy = right.selectbox("Combination", [one.name for one in DATASETS[dataset]], key=f"curve_toy_{dataset}", **inputs.KEPT)
    with queue.page(), st.spinner("Planting and scoring"):
        scan = cached_scans.open_scan(HEALTHY, sample.scan, checkpoint)
        found = cached_results.curves(scan, dataset, toy, tuple(methods))
    middle = len(found.held) // 2
    seen, drawn = st.columns([1, 4], vertical_alignment="center")
    seen.image(
        slice_picture(found.held.pixels[middle], found.held.mask[middle]),
        plain(f"{toy}, one of {len(found.held)} slices"),
        "stretch",
    )
    with drawn:
        for column, (name, one) in zip(st.columns(len(found.curves)), found.curves.items(), strict=True):
            column.caption(described(f"**{scorers.SCORERS[name].title}**", *one))
        figure = precision_recall_figure(list(found.curves.values()), 260)
        st.plotly_chart(figure, config=PLAIN, key="curves", alt="Precision against recall of each method")
    st.caption(
        "On the synthetic sample, not on the test brains of the tables, and pooled over its slices: the point is the threshold "
        "that 5 % of healthy pixels exceed. Plant toys of your own in the toy lab."
    )


def own() -> None:
    own_experiment.ask()
    if job := jobs.find(own_experiment.KEY):
        jobs.show(job)
    if name := own_experiment.finished():
        rows = recorded.table(cached_results.own_folder(), name)
        task = view.ask_task(rows, "own_task")
        dataset, combination = view.ask_data(rows, task, "own_")
        view.methods(method_table.methods(rows, task, dataset, combination), f"own_{name}", "own_methods")


try:
    if not names and chosen_view in VIEWS[:4]:
        st.info(plain(f"No experiment is recorded in {where.name}; run one under Your own."))
    else:
        views = (
            methods, lambda: view.which(where, names), grids, lambda: view.thesis(where, names), lambda: view.scanners(where),
            curves, fashion_view.show, own,
        )  # fmt: skip
        dict(zip(VIEWS, views, strict=True))[chosen_view]()
except InputError as error:
    refuse(error)
