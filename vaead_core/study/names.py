"""What a BIDS file name says: entities, a suffix, and the name of what is made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LAST = ("chunk", "desc")  # entities that stand behind `space`
_OF_SCANS = ("sub", "ses", "acq", "ce", "rec", "run", "echo", "part", "chunk")  # entities of raw T1 scans, in their order
_LONGEST = 100  # letters of a name that is kept, as what is made of it has longer ones
_LONGEST_LABEL = 40
_ENTITY = re.compile(r"([a-z]+)-([A-Za-z0-9+]+)", re.ASCII)


@dataclass(frozen=True)
class BidsName:
    """entities: (key, label) in the order of the name. suffix: what follows them."""

    entities: tuple[tuple[str, str], ...]
    suffix: str

    @staticmethod
    def of(stem: str) -> BidsName | None:
        """That of a file's name without its extension; None where it is not as BIDS has them.

        >>> BidsName.of("sub-01_ses-2_run-1_T1w")
        BidsName(entities=(('sub', '01'), ('ses', '2'), ('run', '1')), suffix='T1w')
        >>> BidsName.of("sub-01_T1w_old"), BidsName.of("T1w"), BidsName.of("sub-01_sub-02_T1w")
        (None, None, None)
        """
        *parts, suffix = stem.split("_")
        found = [_ENTITY.fullmatch(part) for part in parts]
        entities = tuple((one[1], one[2]) for one in found if one)
        whole = len(entities) == len(parts) == len(dict(entities)) and suffix.isascii() and suffix.isalnum()
        return BidsName(entities, suffix) if whole and entities and entities[0][0] == "sub" else None

    def label(self, key: str) -> str | None:
        """Of an entity; None where the name has none of that key."""
        return dict(self.entities).get(key)

    @property
    def stem(self) -> str:
        """The name itself."""
        return "_".join([*(f"{key}-{label}" for key, label in self.entities), self.suffix])

    @property
    def scan(self) -> str:
        """Which scan it is: the name without its suffix."""
        return self.stem.removesuffix(f"_{self.suffix}")

    @property
    def folder(self) -> str:
        """Where a dataset keeps it, if it is anatomy."""
        session = self.label("ses")
        return "/".join([f"sub-{self.label('sub')}", *([f"ses-{session}"] if session else []), "anat"])

    @property
    def page(self) -> str:
        """Where the page of a scan lies in a folder of results, as MRIQC has it."""
        return f"{self.scan}.html"

    @property
    def picture(self) -> str:
        """Where the picture of a scan lies in a folder of results.

        >>> BidsName.of("sub-01_ses-2_T1w").picture
        'sub-01/figures/sub-01_ses-2_desc-mosaic_T1w.webp'
        """
        return f"sub-{self.label('sub')}/figures/{self.made(self.suffix, desc='mosaic').stem}.webp"

    @property
    def limits(self) -> str:
        """The file of a scan's detection limits, in the folder of its own results.

        >>> BidsName.of("sub-01_ses-2_T1w").limits
        'sub-01_ses-2_limits.json'
        """
        return f"{self.scan}_limits.json"

    def made(self, suffix: str, **entities: str) -> BidsName:
        """The name of what is made of it.

        >>> BidsName.of("sub-01_chunk-1_T1w").made("mask", space="T1w", desc="brain").stem
        'sub-01_space-T1w_chunk-1_desc-brain_mask'
        """
        all_of_them = (*self.entities, *entities.items())
        first = tuple(one for one in all_of_them if one[0] not in _LAST)
        return BidsName((*first, *(one for key in _LAST for one in all_of_them if one[0] == key)), suffix)

    def transform_stem(self, source: str, target: str) -> str:
        """The name of the way from one space to another, as fMRIPrep calls it.

        >>> BidsName.of("sub-01_T1w").transform_stem("T1w", "SRI24")
        'sub-01_from-T1w_to-SRI24_mode-image_xfm'
        """
        return f"{self.scan}_from-{source}_to-{target}_mode-image_xfm"


def name_for(called: str) -> BidsName:
    """That of a T1 scan whose file is called anything: a BIDS name is kept, of others letters and digits are the participant.

    called: without an extension.

    >>> [name_for(one).stem for one in ("sub-01_ses-2_T1w", "sub-01", "DOE^John 7.3", "../..")]
    ['sub-01_ses-2_T1w', 'sub-01_T1w', 'sub-DOEJohn73_T1w', 'sub-scan_T1w']
    """
    found = BidsName.of(called) or BidsName.of(f"{called}_T1w")
    if found and len(called) <= _LONGEST:
        keys = [key for key, _ in found.entities]
        if keys == [key for key in _OF_SCANS if key in keys]:
            return BidsName(found.entities, "T1w")
    label = "".join(re.findall("[A-Za-z0-9]", called))[:_LONGEST_LABEL]
    return BidsName((("sub", label or "scan"),), "T1w")


def as_label(name: str) -> str:
    """A method's name as the label of an entity, which takes letters and digits alone.

    >>> as_label("smoothed_residual"), as_label("elbo")
    ('smoothedResidual', 'elbo')
    """
    first, *others = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in others)
