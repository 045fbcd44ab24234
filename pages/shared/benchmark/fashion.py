"""Fashion-MNIST: t-shirts and one other class, ranked by score."""

import streamlit as st

from pages.shared import inputs
from pages.shared.cached import results as cached_results
from pages.shared.cached import scans as cached_scans
from pages.shared.server import queue
from vaead_core import detectors
from vaead_core.cohorts.fashion_mnist import CLASSES, is_here, load_fashion_mnist
from vaead_core.experiments import fashion
from vaead_core.experiments.report.result_figures import ranked_picture
from vaead_core.experiments.report.tables import label
from vaead_core.figures.curves import PLAIN, described, precision_recall_figure

RANKED = 50


def show() -> None:
    """Images, curve and AP, or what to do where model or images are missing."""
    folders = {name: path for name, path in inputs.checkpoints().items() if name.startswith("fashion")}
    if not folders:
        st.info("No checkpoint of Fashion-MNIST is here; upload one on the Checkpoints page.")
    elif is_here():
        _rank(folders)
    else:
        st.info("Fashion-MNIST is not on this machine. Download it, or set VAEAD_DATA to the folder that holds fashion_mnist.")
        if st.button("Download 30 MB", icon=":material/download:", key="fashion_download"):
            _download()


def _download() -> None:
    """Nothing is downloaded without a click."""
    bar = st.progress(0.0, "Downloading")

    def show_progress(done: int, total: int) -> None:
        bar.progress(min(1.0, done / max(1, total)), "Downloading")

    load_fashion_mnist(progress=show_progress)
    st.rerun()


def _rank(folders: dict) -> None:
    scores = {name: label(name) for name in (fashion.RECONSTRUCTION, *detectors.DETECTORS)}
    first, second, third = st.columns(3)
    model = first.selectbox("Model", list(folders), key="fashion_model", **inputs.KEPT)
    other = second.selectbox("T-shirts against", CLASSES[1:], CLASSES[1:].index("shirt"), key="fashion_class", **inputs.KEPT)
    name = third.selectbox("Ranked by", list(scores), format_func=lambda one: scores[one], key="fashion_score", **inputs.KEPT)
    with queue.page(), st.spinner("Scoring 1,400 images"):
        checkpoint = cached_scans.checkpoint(folders[model])
        found = cached_results.ranked(checkpoint, other, name)
    ends = (("most", found[:RANKED]), ("least", found[: -RANKED - 1 : -1]))
    for column, (which, end) in zip(st.columns(2), ends, strict=True):
        odd = int(end.abnormal.sum())
        caption = f"The {RANKED} {which} abnormal of {len(found):,}: {odd} × {other} (orange), {RANKED - odd} × t-shirt (blue)"
        column.image(ranked_picture(end.images, end.abnormal), caption, width="stretch", alt=caption)
    st.markdown(described(f"**{scores[name]}**", found.curve, found.usual))
    figure = precision_recall_figure([(found.curve, found.usual)], 240)
    st.plotly_chart(figure, config=PLAIN, key="fashion_curve", alt="Precision against recall")
    st.caption("The point is the threshold that 5 % of the test t-shirts exceed.")
