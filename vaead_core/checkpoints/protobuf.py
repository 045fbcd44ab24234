"""The fields of a protobuf message, within bounds: what check and rewriting of ONNX files read."""

from __future__ import annotations

from collections.abc import Iterator

Field = tuple[int, memoryview]


def fields(message: memoryview, known: frozenset[int]) -> Iterator[Field]:
    """(number, content) of each field of a message; the content is empty for numbers. Raises ValueError for a field that is none
    of `known`, and IndexError."""
    return ((number, content) for number, content, _ in pieces(message, known))


def pieces(message: memoryview, known: frozenset[int]) -> Iterator[tuple[int, memoryview, memoryview]]:
    """The same, each with all of its bytes, its tag among them."""
    at = 0
    while at < len(message):
        start = at
        key, at = _varint(message, at)
        if key >> 3 not in known:
            raise ValueError("a field that no exporter writes")
        length = {1: 8, 5: 4}.get(key & 7, 0)
        if key & 7 == 0:
            _, at = _varint(message, at)
        elif key & 7 == 2:
            length, at = _varint(message, at)
        elif not length:
            raise ValueError("an unknown wire type")
        if at + length > len(message):
            raise ValueError("a field ends after its message")
        yield key >> 3, message[at : at + length] if key & 7 == 2 else message[:0], message[start : at + length]
        at += length


def written(number: int, content: bytes) -> bytes:
    """A field of bytes.

    >>> written(14, b"abc")
    b'r\\x03abc'
    """
    return _number(number << 3 | 2) + _number(len(content)) + content


def _number(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            if byte == 0 and shift:
                raise ValueError("a number in more bytes than it needs")
            return value, at
    raise ValueError("a number of more than 64 bits")
