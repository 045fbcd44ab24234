"""What the app keeps of where an uploaded scan's brain lies. `digest` is that of the scan's content, and of its mask's."""

from __future__ import annotations

from pages.shared.server import memory
from pages.shared.server.cache import cached
from vaead_core.figures.outline import outline_png
from vaead_core.scans import heads
from vaead_core.scans.volume import Volume


@cached
def with_brain(digest: str, name: str, _scan: Volume) -> Volume:
    """The scan with its brain, as it stands there or extracted. name: the scan's, which another reader's is not to bear."""
    memory.refuse_to_extract(_scan.name)
    return heads.with_brain(_scan)


@cached
def with_mask(digest: str, name: str, _scan: Volume, _mask: str, _content: bytes) -> Volume:
    """The scan with the brain of its owner's mask. name: the scan's, as of `with_brain`."""
    memory.refuse_to_read(_content, _mask)
    return heads.with_mask(_scan, _content, _mask)


@cached
def outline(digest: str, _scan: Volume, _found: Volume) -> bytes:
    """A PNG of the brain's outline over the scan."""
    return outline_png(_scan, _found.mask)
