"""Whether the elements of a DICOM file end within it: GDCM takes the memory that each announces, up to 4 GB, before it looks."""

from __future__ import annotations

import zlib
from typing import Literal

_PREFIX = 132  # the preamble and "DICM"
_META = b"\2\0"  # the group that comes first, explicit and little endian in every file
_SYNTAX, _PIXELS, _ITEM, _SEQUENCE_END = 0x0002_0010, 0x7FE0_0010, 0xFFFE_E000, 0xFFFE_E0DD
_DELIMITERS = 0xFFFE
_IMPLICIT, _BIG, _DEFLATED = b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.1.99"
_LONG = b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split()  # of a length in four bytes: PS3.5, 7.1.2
_SHORT = b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()
_UNDEFINED = 0xFFFF_FFFF
_MOST_INFLATED = 1 << 26  # bytes of one file


def has_preamble(content: bytes) -> bool:
    """Whether a file begins as one of DICOM does."""
    return content[128:_PREFIX] == b"DICM"


def ends_within(content: bytes) -> bool:
    """False where an element, at any depth, is longer than what is left of the file.

    >>> short = bytes(128) + b"DICM" + bytes.fromhex("1000 1000") + b"PN" + (4).to_bytes(2, "little") + b"DOE "
    >>> ends_within(short), ends_within(short[:-1])
    (True, False)
    """
    at = _PREFIX if has_preamble(content) else 0
    syntax, packed = b"", False
    while at + 8 <= len(content):
        meta = content[at : at + 2] == _META
        if syntax == _DEFLATED and not meta:
            unpacked = _inflated(content[at:])
            return unpacked is not None and ends_within(unpacked)
        order: Literal["little", "big"] = "big" if syntax == _BIG and not meta else "little"
        group, element = (int.from_bytes(content[at + byte : at + byte + 2], order) for byte in (0, 2))
        tag, kind = group << 16 | element, content[at + 4 : at + 6]
        explicit = meta or (syntax != _IMPLICIT and group != _DELIMITERS)
        if explicit and kind in _LONG:
            start, length = at + 12, int.from_bytes(content[at + 8 : at + 12], order)
        elif explicit and kind in _SHORT:
            start, length = at + 8, int.from_bytes(content[at + 6 : at + 8], order)
        else:
            start, length = at + 8, int.from_bytes(content[at + 4 : at + 8], order)
        at = start
        if length == _UNDEFINED:
            packed = tag == _PIXELS  # its items are bytes of a picture
            continue
        if length > len(content) - start:
            return False
        if tag == _SYNTAX:
            syntax = content[start : start + length].rstrip(b"\0 ")
        packed = packed and tag != _SEQUENCE_END
        if not _holds_elements(tag, content[start : start + 4], packed, order):
            at += length
    return True


def _inflated(content: bytes) -> bytes | None:
    """None where it is damaged, or too much."""
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        found = unpacking.decompress(content, _MOST_INFLATED)
    except zlib.error:
        return None
    return None if unpacking.unconsumed_tail else found


def _holds_elements(tag: int, first: bytes, packed: bool, order: Literal["little", "big"]) -> bool:
    """Whether what follows is of elements: an item, or a sequence that begins with one."""
    if tag == _ITEM:
        return not packed
    return (
        tag != _PIXELS
        and len(first) == 4
        and (int.from_bytes(first[:2], order) << 16 | int.from_bytes(first[2:], order)) == _ITEM
    )
