"""Graphs that somebody sends: mutated, with a check and protobuf's own parser, which is ONNX Runtime's, as their two readers."""

from __future__ import annotations

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import helper

from vaead_core.checkpoints.untrusted import OPERATORS, check_graph
from vaead_core.errors import CheckpointError

BODY = helper.make_graph([], "body", [], [helper.make_tensor_value_info("c", onnx.TensorProto.BOOL, [])])
_LOOP = helper.make_node("Loop", ["", ""], ["other"], body=BODY).SerializeToString()


def graph_file(graph: bytes, rng: np.random.Generator) -> bytes:
    """A model of a serialised graph with up to two bytes of damage and, more often than not, a loop put in it somewhere, under a
    tag that parsers of 32 and of 64 bits may read otherwise."""
    changed = bytearray(graph)
    for _ in range(rng.integers(0, 3)):
        changed[rng.integers(len(changed))] = rng.integers(256)
    tag = number(int(rng.choice([0x0A, 0x0A | 1 << 32, 0x0A | 1 << 35, 0x2A, 0x0A | 1 << 40])), int(rng.integers(1, 8)))
    place = int(rng.choice([0, len(changed), rng.integers(len(changed))]))
    if rng.random() < 0.7:
        changed[place:place] = tag + number(len(_LOOP), int(rng.integers(1, 4))) + _LOOP
    return b"\x08\x0a" + b"\x3a" + number(len(changed)) + bytes(changed)


def take(content: bytes) -> bool:
    """Raises CheckpointError; AssertionError where the other reader finds a node that none of ours has."""
    check_graph(content, "encoder.onnx")
    try:
        model = onnx.load_from_string(content)
    except DecodeError as error:  # which nobody opens
        raise CheckpointError("Protobuf's parser does not read it.") from error
    assert operators_in(model.graph) <= {name.decode() for name in OPERATORS}
    assert all(node.domain in ("", "ai.onnx") for node in model.graph.node)
    return True


def operators_in(graph: onnx.GraphProto) -> set[str]:
    """Those of its nodes, and of the graphs that they hold."""
    found = {node.op_type for node in graph.node}
    for attribute in (attribute for node in graph.node for attribute in node.attribute):
        for inner in (attribute.g, *attribute.graphs):
            found |= operators_in(inner)
    return found


def number(value: int, least: int = 1) -> bytes:
    """As protobuf writes a number, in at least so many bytes."""
    found = bytearray()
    while value > 127 or len(found) + 1 < least:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
