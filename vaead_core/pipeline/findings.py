"""What was found in a scan, part by part: where each lies, and what somebody says of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vaead_core.measures.components import Cluster
from vaead_core.scans import atlas
from vaead_core.scans.geometry import AffineToAtlas

VERDICTS = ("accept", "reject", "unsure")
COLUMNS = (
    "index", "name", "volume_ml", "peak", "peak_x", "peak_y", "peak_z", "atlas_x", "atlas_y", "atlas_z", "region", "verdict",
    "comment",
)  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """said: one of VERDICTS, "" for none yet."""

    said: str = ""
    comment: str = ""


@dataclass(frozen=True)
class Finding:
    """atlas_mm: of the cluster's peak, in SRI24's world (R, A, S)."""

    cluster: Cluster
    atlas_mm: tuple[float, float, float]
    verdict: Verdict = Verdict()

    @property
    def region(self) -> str:
        """Where its peak lies, in words."""
        return atlas.region(self.atlas_mm)


def placed(cluster: Cluster, to_atlas: AffineToAtlas, verdict: Verdict = Verdict()) -> Finding:
    """A cluster of a scan where it lies on the atlas."""
    x, y, z = (to_atlas.matrix @ [*cluster.peak_mm, 1])[:3].tolist()
    return Finding(cluster, (x, y, z), verdict)


def findings_tsv(findings: Sequence[Finding], judged: bool = True) -> str:
    """Tab-separated lines, a header first, as BIDS has tables: what is not there is n/a; volumes in ml, places in mm, R, A, S.

    judged: with a verdict and comment each.

    >>> one = Cluster(1.5, 7.25, (1, 2, 3), (-20.0, 100.0, 90.0))
    >>> shifted = AffineToAtlas(np.array([[1.0, 0, 0, -120], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]))
    >>> print(findings_tsv([placed(one, shifted, Verdict("reject", "a vessel"))]).splitlines()[1].split("\\t")[2:8])
    ['1.5000', '7.25', '-20.00', '100.00', '90.00', '-140.00']
    """
    count = len(COLUMNS) if judged else len(COLUMNS) - 2
    rows = [COLUMNS, *(cells(number, one) for number, one in enumerate(findings, 1))]
    return "".join("\t".join(row[:count]) + "\n" for row in rows)


def cells(number: int, one: Finding) -> tuple[str, ...]:
    """A row of COLUMNS."""
    places = (f"{mm:.2f}" for mm in (*one.cluster.peak_mm, *one.atlas_mm))
    said = (" ".join(text.split()) or "n/a" for text in (one.verdict.said, one.verdict.comment))
    return (
        str(number), f"cluster {number}", f"{one.cluster.volume_ml:.4f}", f"{one.cluster.peak:.6g}", *places, one.region, *said
    )  # fmt: skip


def counted(findings: Iterable[Finding]) -> tuple[int, int, int]:
    """How many were accepted, rejected, and left unsure."""
    said = [one.verdict.said for one in findings]
    accepted, rejected, unsure = (said.count(verdict) for verdict in VERDICTS)
    return accepted, rejected, unsure


def summary(findings: Sequence[Finding]) -> str:
    """How many were judged, and how many of those with a clear verdict were accepted.

    >>> cluster = Cluster(1.0, 5.0, (0, 0, 0), (0.0, 0.0, 0.0))
    >>> judged = [Finding(cluster, (0.0, 0.0, 0.0), Verdict(said)) for said in ("accept", "reject", "accept", "unsure", "")]
    >>> summary(judged), summary(judged[4:])
    ('4 of 5 judged: 2 accepted, 1 rejected, 1 unsure; precision 0.67.', '')
    """
    accepted, rejected, unsure = counted(findings)
    if not accepted + rejected + unsure:
        return ""
    precision = f"; precision {accepted / (accepted + rejected):.2f}" if accepted + rejected else ""
    total = accepted + rejected + unsure
    return f"{total} of {len(findings)} judged: {accepted} accepted, {rejected} rejected, {unsure} unsure{precision}."
