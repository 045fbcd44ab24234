"""The healthy latents of a checkpoint, a scan's slices among them, and what the decoder makes of the places between."""

import numpy as np
import streamlit as st

from pages.shared import inputs, scan_input
from pages.shared.cached import latents as cached_latents
from pages.shared.cached import scans as cached_scans
from pages.shared.latent_space.controls import LATENTS_HELP, ask_direction, ask_latents, ask_slice
from pages.shared.notices import plain, warn_in_lines
from pages.shared.part import part
from pages.shared.refusal import refuse_scan
from pages.shared.server import entry, queue
from vaead_core import detectors
from vaead_core.errors import InputError
from vaead_core.figures.curves import PLAIN
from vaead_core.figures.latents import change_picture, plane_figure, score_figure, slice_picture
from vaead_core.pipeline import latent_space

NEIGHBOURS, FRAMES = 5, 7
state = st.session_state

entry.through_app()
st.header("Latent space", anchor=False)
st.caption("Research use only, not for diagnosis. Click one of the scan's slices in a figure to look at it.")

about = st.empty()
request, folder = scan_input.ask_scan("sample"), inputs.ask_checkpoint()
try:
    with queue.page():
        with st.spinner("Opening scan and checkpoint"):
            checkpoint = cached_scans.checkpoint(folder)
            detector, standardise, colour = ask_latents(checkpoint)
            read = request.read()
            about.caption(plain(read.about))
            opened = cached_scans.open_scan(read.key, read.volume, checkpoint)
            about.caption(plain(f"{read.about} {opened.lies}"))
            space, slices = cached_latents.space(checkpoint, standardise), opened.prepared.slices
            latents = cached_latents.latents(opened)
        title = detectors.DETECTORS[detector].title
        with st.spinner(f"Fitting {title} to {len(space.latents):,} healthy latents, and to the others of each quarter"):
            healthy = cached_latents.healthy_scores(checkpoint, detector, standardise)
            scores = cached_latents.scores(opened, detector, standardise)
except InputError as error:
    refuse_scan(error)
    st.stop()

percentiles = latent_space.percentiles_nearby(scores, slices.position, healthy, space.position)
row = ask_slice(slices.position, int(np.lexsort((scores, percentiles))[-1]))
people = [f"subject {subject + 1}, slice {place}" for subject, place in zip(space.subject, space.position, strict=True)]


def take_slice(chart: str) -> None:
    """The slice of a clicked point: the scan is trace 1 of both figures."""
    for point in state[chart].selection.points:
        if point["curve_number"] == 1:
            state.latent_slice = int(slices.position[point["point_index"]])


warn_in_lines([*read.sentences, *opened.prepared.brain.warnings, *latent_space.warnings(percentiles)])
left, right = st.columns(2)
with left:
    st.subheader("Healthy latents", anchor=False, help=LATENTS_HELP)
    plane = space.coordinates(latents, slices.position)[:, :2]
    values = latent_space.colours(checkpoint)[colour]
    around = space.coordinates(space.latents, space.position)[:, :2]
    st.plotly_chart(
        plane_figure(around, values, colour, people, plane, slices.position, row, space.share[:2]), key="latent_plane",
        on_select=lambda: take_slice("latent_plane"), selection_mode="points", config=PLAIN,
        alt="Healthy slices and this scan's in two principal components of the latent space",
    )  # fmt: skip
with right:
    st.subheader(f"Outlier score by {title}", anchor=False)
    st.plotly_chart(
        score_figure(healthy, space.position, scores, slices.position, percentiles, row, f"{title} score"), key="latent_scores",
        on_select=lambda: take_slice("latent_scores"), selection_mode="points", config=PLAIN,
        alt="Outlier score of each slice of this scan among those of healthy slices",
    )  # fmt: skip
st.caption(
    f"{len(space.latents):,} slices of {len(set(space.subject.tolist()))} healthy brains that {plain(checkpoint.name)} was "
    "trained on; each is scored by a detector fitted to other brains. The network has seen them all, so a new healthy brain may "
    "lie a little further out than they do. A percentile is not a probability of disease."
)

st.subheader(f"Slice {slices.position[row]} and its nearest healthy slices", anchor=False)
st.markdown(
    f"{title} score **{scores[row]:.3g}**: percentile **{percentiles[row]:.0f}** among the "
    f"{min(latent_space.COMPARED_ROWS, len(healthy))} healthy slices nearest in position."
)
near = space.nearest(latents[row], int(slices.position[row]), NEIGHBOURS)
whole = checkpoint.model.stride is None
shown = [slice_picture(slices.pixels[row], slices.mask[row])]
captions = ["This slice", "Decoded" if whole else "Decoded, mean of its patches"]
outlines = cached_latents.outlines(checkpoint, space.position[near.index])
own = slices.mask[row] if whole else outlines[0]
redrawn = cached_latents.decoded(checkpoint, np.concatenate([latents[row : row + 1], space.latents[near.index]]))
shown += [slice_picture(picture, mask) for picture, mask in zip(redrawn, [own, *outlines], strict=True)]
captions += [f"{people[at].capitalize()}: {far:.1f}" for at, far in zip(near.index, near.distance, strict=True)]
for column, picture, caption in zip(st.columns(len(shown)), shown, captions, strict=True):
    column.image(picture, caption, width="stretch", alt=caption)
st.caption(
    "The number is the distance between standardised latents. A checkpoint holds no healthy images: the pictures are what the "
    "decoder makes of the healthy latents, inside the atlas's outline. Anterior above, the patient's right on the left."
)


@part
def show_path() -> None:
    """Decoded pictures along a direction from the slice; its controls run this alone."""
    st.subheader("Decode along a direction", anchor=False)
    path, amount, unit = ask_direction(space, latents, slices.position, row, near)
    steps = np.linspace(*path.ends, FRAMES)
    frames = cached_latents.decoded(checkpoint, path.latents([0.0, amount, *steps]))
    change = frames[1] - frames[0]
    brain = own | cached_latents.outlines(checkpoint, np.array(path.passes, int)).any(0)
    most = max(float(np.abs(change[brain]).max()), 1e-6)
    at, moved, strip = st.columns([1, 1, 4], vertical_alignment="top")
    at.image(slice_picture(frames[1], brain), f"At {amount:g} {unit}", width="stretch", alt="Decoded picture at the slider")
    moved.image(change_picture(change, brain, most), f"Change, at most {most:.2f}", width="stretch", alt="What the step changes")
    strip.image(
        np.concatenate([slice_picture(frame, brain) for frame in frames[2:]], 1),
        f"From {steps[0]:g} to {steps[-1]:g} {unit} in equal steps. Change: orange brighter, blue darker than at 0.",
        width="stretch",
        alt="Decoded pictures from one end of the direction to the other",
    )  # fmt: skip


show_path()
