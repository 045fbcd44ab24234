"""How recorded tables are asked for and shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared.cached import recorded
from pages.shared.cached import results as cached_results
from pages.shared.inputs import KEPT
from pages.shared.notices import plain
from vaead_core.errors import InputError
from vaead_core.experiments import records
from vaead_core.experiments.catalogue import EXPERIMENTS
from vaead_core.experiments.records import ALL
from vaead_core.experiments.report import shift, site_calibration, verdicts
from vaead_core.experiments.report.method_table import by_combination
from vaead_core.experiments.report.result_figures import beside_figure, grid_figure, methods_figure, winners_figure
from vaead_core.experiments.report.tables import label, select
from vaead_core.experiments.report.thesis import CLAIMS
from vaead_core.experiments.report.thesis_comparison import beside, thesis_table
from vaead_core.experiments.report.winners import QUESTIONS, table_of
from vaead_core.figures.curves import PLAIN

TASKS = {
    "segmentation": "Segmentation of pixels",
    "detection": "Detection, slices against their clean twins",
    "detection_rest": "Detection, slices against the scan's other slices",
}
FIRST = "slices"
_FITTED = {  # what knows such anomalies
    "painted": "Both fusions were made on painted lesions of these validation brains, which favours them in the choice; the test "
    "brains are of other people.",
    "slices": "The segmenter was trained on synthetic shapes too, and both fusions hold its map.",
}
WIDTHS = {"Method": 246, "Best Dice": 72, "AP": 48, "95 %": 72, "Seconds": 40}  # pixels: all fits a window of 1024


def ask_table(where: Path, names: list[str]) -> tuple[str, pd.DataFrame, str]:
    """A recorded table, its rows, and one of its tasks."""
    with st.sidebar:
        first = names.index(FIRST) if FIRST in names else 0
        name = st.selectbox("Experiment", names, first, key="experiment", **KEPT)
        rows = recorded.table(where, name)
        task = ask_task(rows, "task")
    if name in EXPERIMENTS:
        st.markdown(EXPERIMENTS[name].question)
    return name, rows, task


def ask_task(rows: pd.DataFrame, key: str) -> str:
    """One of the tasks that a table holds."""
    known = [name for name in TASKS if name in set(rows["task"])]
    return _ask("Task", known, key, TASKS.get)


def ask_data(rows: pd.DataFrame, task: str, prefix: str = "") -> tuple[str, str]:
    """One of the datasets of a task, and one of its combinations, or all."""
    left, right = st.columns(2)
    mine = rows[rows["task"] == task]
    with left:
        dataset = _ask("Data", list(dict.fromkeys(mine["dataset"])), f"{prefix}dataset")
    known = set(mine.loc[mine["dataset"] == dataset, "combination"])
    with right:
        order = [*([ALL] if ALL in known else []), *sorted(known - {ALL}, key=_by_number)]
        return dataset, _ask("Combination", order, f"{prefix}combination")


def ask_score(rows: pd.DataFrame, scores: dict[str, tuple[str, str, bool]]) -> tuple[str, pd.DataFrame]:
    """The name of one score and its rows, of one model where there are several."""
    left, right = st.columns(2)
    with left:
        label = _ask("Method", list(scores), "grid_score")
    scorer, settings, masked = scores[label]
    mine = select(rows, rows["task"].iloc[0], scorer, settings, masked)
    models = list(dict.fromkeys(mine["checkpoint"]))
    if len(models) == 1:
        return label, mine
    with right:
        model = _ask("Model", models, "grid_model")
    return f"{label}, {model}", mine[mine["checkpoint"] == model]


def scanners(where: Path) -> None:
    """What each map marks of healthy brains of a scanner that the model never saw, and finds in them."""
    st.markdown(EXPERIMENTS["shift"].question)
    rows = recorded.table(where, "shift")
    if rows is None:
        st.info("Not measured here: the experiment shift needs healthy scans of two scanners.")
        return
    table = shift.by_method(rows)
    whose = _ask("Brains", list(dict.fromkeys(table["Scanner"] + ", " + table["Change"])), "shift_brains")
    shown = table[table["Scanner"] + ", " + table["Change"] == whose].drop(columns=["Scanner", "Change"])
    st.dataframe(shown.sort_values("Marked, %").round(3), hide_index=True, width="stretch")
    st.caption(
        "Of the voxels of a healthy brain, how many lie above the threshold that 5 % of the training site's healthy voxels "
        "exceed: median over people, and the share below which nine of ten people are; first on each scan's own scale, then on "
        "the healthy brains'. AP is the mean over lesions of four kinds painted into at most twelve of them; chance is their "
        "share of the brain."
    )
    if (found := recorded.table(where, "site_calibration")) is not None:
        _sites(found)


def _sites(rows: pd.DataFrame) -> None:
    """What thresholds from a few healthy scans of the scanner mark, by their number."""
    st.subheader("Calibrated on healthy scans of the scanner", anchor=False)
    st.markdown(EXPERIMENTS["site_calibration"].question)
    left, right = st.columns(2)
    with left:
        scorer = _ask("Method", list(dict.fromkeys(rows["scorer"])), "site_method", label)
    with right:
        scanner = _ask("Scanner", list(dict.fromkeys(rows["site"])), "site_scanner")
    figure = site_calibration.curve_figure(rows, scorer, scanner)
    st.plotly_chart(figure, config=PLAIN, key="site_curve", alt="Share marked by the number of calibration scans")
    st.caption(
        "Thresholds that are to mark 5 %, from so many healthy scans of this scanner: what they mark of its other brains, median "
        "over people; bars hold nine draws of ten, dotted is the share below which nine people of ten are. None: the training "
        "site's thresholds. Grey: 3 to 7 %."
    )
    st.dataframe(site_calibration.by_count(rows).round(1), hide_index=True, width="stretch", alt="Share marked by method")


def combinations(rows: pd.DataFrame, task: str) -> None:
    """Every method on every combination of a dataset that has no sizes."""
    dataset = _ask("Data", list(dict.fromkeys(rows.loc[rows["task"] == task, "dataset"])), "grid_dataset")
    grid = by_combination(rows, task, dataset)
    st.plotly_chart(grid_figure(grid), config=PLAIN, key="grid", alt=f"AP of each method on {dataset}")


def methods(table: pd.DataFrame, name: str, key: str) -> None:
    """A sortable table, its CSV file, and its AP as a figure."""
    columns: dict[str, Any] = {
        name: st.column_config.NumberColumn(format="%.3f", width=WIDTHS.get(name, 57))
        for name in table.select_dtypes("float").columns
    }
    columns |= {"Method": st.column_config.TextColumn(width=WIDTHS["Method"]), "Subjects": None, "2.5 %": None, "97.5 %": None}
    columns["Seconds"] = st.column_config.NumberColumn("s", format="%.2f", width=WIDTHS["Seconds"], help="Seconds a scan")
    columns["95 %"] = st.column_config.TextColumn(width=WIDTHS["95 %"])
    shown, drawn = st.tabs(["Table", "Figure"])
    shown.dataframe(
        _with_interval(table), hide_index=True, width="stretch", column_config=columns, key=f"{key}_table", placeholder="–",
        alt="Methods by AP",
    )  # fmt: skip
    file = table.to_csv(index=False).encode()
    shown.caption(
        "95 %: the AP's interval over subjects, over images for Fashion-MNIST. Dice 5 %: of the voxels above the "
        "threshold that 5 % of healthy ones exceed; best Dice: at the threshold that suits it most (oracle). "
        "s: seconds of one scan at 2 mm on two cores, network included, registration and a detector's fit aside."
    )
    shown.download_button("This table as CSV", file, f"{name}.csv", "text/csv", on_click="ignore", key=f"{key}_csv",
                          icon=":material/download:")  # fmt: skip
    drawn.plotly_chart(methods_figure(table), config=PLAIN, key=f"{key}_figure", alt="AP of each method with its interval")


def _with_interval(table: pd.DataFrame) -> pd.DataFrame:
    """The two ends of the interval as one column, where there is one."""
    if not {"2.5 %", "97.5 %"} <= set(table.columns):
        return table
    ends = table[["2.5 %", "97.5 %"]].itertuples(index=False)
    shown = table.copy()
    shown.insert(
        table.columns.get_loc("AP") + 1, "95 %", [None if pd.isna(low) else f"{low:.2f}–{high:.2f}" for low, high in ends]
    )
    return shown


def whole_table(where: Path, name: str) -> None:
    """How an experiment was made, what it says, and all of its rows as a file."""
    known = recorded.about(where, name)
    if known:
        models = ", ".join(known["checkpoints"])
        said = f"{known['command']} measured {known['parts']} parts in {known['seconds']:.0f} s. Models: {models}."
        st.caption(plain(said))
    content = records.content(where, name) or b""
    st.download_button("All rows as CSV", content, f"{name}.csv", "text/csv", on_click="ignore", key="whole_csv",
                       icon=":material/download:")  # fmt: skip
    if name in verdicts.READINGS:
        tables = {one: recorded.table(where, one) for one in cached_results.names()}
        with st.expander("What the table says"):
            try:
                st.markdown(verdicts.reading(name, tables))
            except InputError as error:  # the rows above are whole without it
                st.info(plain(str(error)))


def thesis(where: Path, names: list[str]) -> None:
    """The thesis's numbers beside ours."""
    known = list(dict.fromkeys(claim.experiment for claim in CLAIMS if claim.experiment in names))
    if not known:
        st.info("None of the recorded tables has numbers in the thesis; run such an experiment under Your own.")
        return
    with st.sidebar:
        name = _ask("Experiment", known, "thesis_experiment")
    tables = {one: recorded.table(where, one) for one in names}
    pairs = [beside(claim, tables) for claim in CLAIMS if claim.experiment == name]
    st.plotly_chart(beside_figure(pairs), config=PLAIN, key="thesis_figure", alt="The thesis's AP beside ours")
    table = thesis_table(pairs)
    numbers = {column: st.column_config.NumberColumn(format="%.3f") for column in table.columns[3:-1]}
    st.dataframe(table, hide_index=True, width="stretch", column_config=numbers, key="thesis_table")
    st.caption(
        "Theirs: 800 brains of MOOD at 1 mm, the best detector picked on the test set. Ours: IXI at 2 mm, four test brains, the "
        "detector chosen on validation. Chance levels differ wherever the toys' sizes do: compare orders, not digits. Literally: "
        "a network trained as the thesis's was, at 1 mm, half as wide, on another site's brains; measured on its own test brains."
    )


def which(where: Path, names: list[str]) -> None:
    """For each anomaly of a kind and look, the map that finds it best."""
    known = {one.asked: at for at, one in enumerate(QUESTIONS) if {*one.tables} <= set(names)}
    if not known:
        st.info(
            "A map is chosen on validation subjects and measured on test subjects; such a pair of tables is not recorded here."
        )
        return
    at = known[_ask("What do you look for?", list(known), "which_question")]
    question = QUESTIONS[at]
    if not (found := cached_results.winners(where, at)):
        st.info("The recorded tables hold no such anomaly.")
        return
    st.plotly_chart(winners_figure(found), config=PLAIN, key="which_figure", alt="The map to look at for each anomaly")
    st.caption(
        "In each cell the map that did best on **validation** brains, with its average precision (AP) on **test** brains, 95 % "
        "interval over them, and chance: the lesion's share of the brain. Hover for the best others there and both baselines. "
        f"Healthy IXI brains with such an anomaly, which is cleaner than a real one. {_FITTED[question.experiment]} What would "
        "be missed in a scan of your own is measured on Explore."
    )
    st.download_button(
        "This table as CSV", table_of(found).to_csv(index=False), f"which_{question.experiment}.csv", "text/csv",
        on_click="ignore", key="which_csv", icon=":material/download:",
    )  # fmt: skip


def _ask(label: str, known: list[str], key: str, format_func=str) -> str:
    """A choice that is kept while it is among what is known."""
    if st.session_state.get(key) not in (None, *known):
        st.session_state[key] = known[0]
    return st.selectbox(label, known, key=key, format_func=format_func, **KEPT)


def _by_number(combination: str) -> tuple[float, str]:
    first = combination.split(" ")[0]
    return (float(first) if first.replace(".", "").isdigit() else 0.0), combination
