"""The scan of a page: a sample, or this session's own upload with its truth. All pages of a scan share the upload."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.typing import UploadedFile

from pages.shared import brains
from pages.shared.cached import scans as cached_scans
from pages.shared.cached.scans import OpenTruth
from pages.shared.inputs import KEPT
from pages.shared.labels import ask_labels
from pages.shared.notices import plain
from pages.shared.own_scans import forget, owned
from pages.shared.series import read_upload
from pages.shared.server import audit, uploads
from vaead_core.cohorts.samples import SAMPLES
from vaead_core.errors import ScanError
from vaead_core.scans.volume import Volume

YOURS = "your own scan"  # in the list of scans and in the address, which names no file
LISTS = {"sample": "healthy brain B with a painted lesion", "lab_sample": "healthy brain A"}  # and what each begins with
BESIDES = {  # what may come with an upload
    "truth": "Its truth: a lesion mask, .nii or .nii.gz",
    "mask": "Its brain: a mask, .nii or .nii.gz (optional)",
}
BESIDE_SCANS = ("upload", *BESIDES, "second", "session_file")  # widgets whose files stay when another one's changes
LOST = "The scan that this address was made with is no longer here; upload it again, or choose a sample."


@dataclass(frozen=True)
class Upload:
    """A file of one session. key: of its content."""

    name: str
    content: bytes
    key: str


@dataclass(frozen=True)
class Opened:
    """A scan as a page works with it. key: of its content. about: one line on what it is, with the file's name as it is.

    sentences: what is to be said of how it was chosen and of its truth.
    """

    key: str
    volume: Volume
    truth: OpenTruth | None
    about: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """The scan that a page shall open: a sample by name, or an upload. lost: it named one that is gone.

    truth, mask: to the upload, and of its brain. place: where the brain's outline can be looked at. truth_place: where labels
    of the truth are chosen. owned: the session's set of what is known of such scans.
    """

    sample: str
    place: DeltaGenerator
    truth_place: DeltaGenerator
    upload: Upload | None = None
    truth: Upload | None = None
    mask: Upload | None = None
    lost: bool = False
    owned: str = "own_scans"

    @property
    def called(self) -> str:
        """What it is called on screen: a sample's title, or the file's name as it is."""
        return self.upload.name if self.upload else titled(self.sample)

    @property
    def subject(self) -> str:
        """Whose scan it is, by content; a truth to it makes no other."""
        return " ".join(one.key for one in (self.upload, self.mask) if one) or self.sample

    @property
    def files(self) -> tuple[bytes | None, bytes | None]:
        """Content of the upload and of its mask; None for what there is none of."""
        return (self.upload.content if self.upload else None), (self.mask.content if self.mask else None)

    def read(self) -> Opened:
        """Raises ScanError for a scan; a truth that does not fit is a sentence."""
        if self.upload is None:
            sample = cached_scans.sample(self.sample)
            truth = None if sample.truth is None else OpenTruth(self.sample, sample.truth)
            return Opened(self.sample, sample.scan, truth, sample.about, (LOST,) if self.lost else ())
        one, mask = self.upload, self.mask
        with self.place:
            series, read = read_upload(one.key, one.name, one.content, self.owned)
            key = _key(one.key, series, mask.key if mask else "", self.owned)
            volume = brains.known(key, read, (mask.name, mask.content) if mask else None, self.owned == "own_scans")
        try:
            given = self.truth
            marked = given and self._marked(given, key, volume)
        except ScanError as error:
            return Opened(key, volume, None, _described(volume), (str(error),))
        return Opened(key, volume, marked or None, _described(volume), marked.notes if marked else ())

    def _marked(self, given: Upload, key: str, volume: Volume) -> OpenTruth:
        """Raises ScanError."""
        with self.truth_place:
            labels = ask_labels(given.key, given.name, given.content)
        return cached_scans.uploaded_truth(key, given.key, given.name, labels, volume, given.content)


def ask_scan(key: str) -> Request:
    """A sample or an upload, which stays open on other pages; the list names what is shown. key: one of LISTS."""
    state = st.session_state
    lost = _is_lost(key)
    with st.sidebar:
        names = [*SAMPLES, *([YOURS] if state.get("kept_upload") else [])]
        chosen = st.selectbox("Scan", names, names.index(LISTS[key]), format_func=titled, key=key, on_change=_chosen, **KEPT)
        uploads.expect("upload")
        shown = st.file_uploader(
            "Your own T1: a brain or a whole head, .nii, .nii.gz or a .zip of DICOM",
            type=["nii", "gz", "zip"],
            key="upload",
            on_change=_keep_upload,
        )
        kept = state.get("kept_upload")
        if shown is not None and not kept:
            st.error("That file was lost on its way to the server; choose it again.")
        if kept and shown is None:
            st.button(plain(f"Close {kept.name}"), on_click=_keep_upload, width="stretch")
        place, truth_place = st.container(), st.empty()
        if kept:
            for key, label in BESIDES.items():
                uploads.expect(key)
                st.file_uploader(label, type=["nii", "gz"], key=key, on_change=_keep_beside, args=(key,))
                if (held := state.get(f"kept_{key}")) and state.get(key) is None:
                    st.button(plain(f"Close {held.name}"), on_click=_keep_beside, args=(key,), width="stretch")
                if key == "truth":
                    truth_place = st.container()
    if chosen == YOURS and kept:
        return Request("", place, truth_place, kept, state.get("kept_truth"), state.get("kept_mask"))
    return Request(chosen, place, truth_place, lost=lost)


def _key(scan: str, series: str, mask: str, whose: str) -> str:
    """Of a scan's content, with the series of it and a mask of its brain: what follows from them goes with the scan."""
    if not series and not mask:
        return scan
    key = hashlib.blake2b(f"{scan} {series} {mask}".encode()).hexdigest()
    owned(whose).add(key)
    return key


def titled(name: str) -> str:
    """A name of the list as it stands there."""
    return name[:1].upper() + name[1:]


def _described(volume: Volume) -> str:
    size, step = (" × ".join(f"{part:.3g}" for part in parts) for parts in (volume.data.shape, volume.spacing_mm))
    return f"{volume.name}: {size} voxels of {step} mm."


def _is_lost(key: str) -> bool:
    """Whether the address, or the list before a reload, names an upload that is not there; until another scan is chosen."""
    state = st.session_state
    if not state.get("kept_upload") and YOURS in (state.get(key), st.query_params.get(key, "").lower()):
        state.pop(key, None)
        state.lost_scan = True
    return bool(state.get("lost_scan"))


def _chosen() -> None:
    st.session_state.lost_scan = False


def take(scan: tuple[str, bytes], mask: tuple[str, bytes] | None = None) -> None:
    """Name and content of a file are this session's own scan from now on, as if it were uploaded; with a mask of its brain."""
    _close()
    st.session_state.kept_upload = _holding(*scan)
    st.session_state.kept_mask = _holding(*mask) if mask else None
    for key in LISTS:
        st.session_state[key] = YOURS


def _keep_upload() -> None:
    """The uploader's file goes with its page; what it held goes when it is closed, or its session ends."""
    state = st.session_state
    _close()
    file = state.get("upload")
    if isinstance(file, UploadedFile):
        state.kept_upload = held(file)
        audit.note("upload", "scan", bytes=file.size)
    waiting = state.get("session_open")  # of a session whose own file is asked for, for another place than Explore's first scan
    for key, first in LISTS.items():
        if not (waiting and key == "sample" and waiting.scan != YOURS):
            state[key] = YOURS if state.kept_upload else first
    drop_files()


def _close() -> None:
    """Lets go of the scan that was open, and of all that was made of it."""
    state, known = st.session_state, owned("own_scans")
    if measured := state.get("explore_limits"):
        measured.forget(known)
    forget(known)
    state.kept_upload = state.kept_truth = state.kept_mask = None
    state.lost_scan = False


def _keep_beside(what: str) -> None:
    """One of BESIDES, as with the scan; its own key goes with the scan's."""
    state = st.session_state
    if before := state.get(f"kept_{what}"):
        cached_scans.forget(before.key)
    file = state.get(what)
    state[f"kept_{what}"] = held(file) if isinstance(file, UploadedFile) else None
    if isinstance(file, UploadedFile):
        audit.note("upload", what, bytes=file.size)
    drop_files()


def held(file: UploadedFile, whose: str = "own_scans") -> Upload:
    """A file that a widget has, as this session holds it. whose: as of `owned`."""
    return _holding(file.name, file.getvalue(), whose)


def _holding(name: str, content: bytes, whose: str = "own_scans") -> Upload:
    found = Upload(name, content, hashlib.blake2b(content).hexdigest())
    owned(whose).add(found.key)
    return found


def drop_files() -> None:
    """Lets go of files that no widget shows any more."""
    state = st.session_state
    shown = [state.get(name) for name in BESIDE_SCANS]
    state.sent = uploads.drop(state.get("sent", set()), besides={file.file_id for file in shown if file})
