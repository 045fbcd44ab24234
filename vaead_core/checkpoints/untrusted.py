"""What a file from elsewhere must be before it is opened: zip archives and arrays of bounded size, graphs of known operators."""

from __future__ import annotations

import math
import struct
from functools import partial

from numpy.lib import format as npy

from vaead_core.checkpoints.onnx_properties import MODEL, properties, without_properties
from vaead_core.checkpoints.protobuf import Field, fields
from vaead_core.computing import archives
from vaead_core.errors import CheckpointError, quoted, refusing

ARRAYS, ARRAYS_BYTES = 1000, 512 << 20  # of one file, unpacked; 258 arrays and 20 MB at 2 mm
NPY_HEADER_BYTES = 4096
QUANTITIES, OTHER_VALUES = 12, 16 << 20  # of a calibration: in the healthy reference, where 9 are known; and beside it

# What networks of models/ are exported to, and near relatives. No loop, no branch, nothing that reads a file.
OPERATORS = frozenset(
    b"Abs Add AveragePool BatchNormalization Cast Clip Concat Constant Conv ConvTranspose Div Equal Exp Flatten Gather Gemm "
    b"GlobalAveragePool Greater Identity LeakyRelu Less MatMul MaxPool Mod Mul Reciprocal ReduceMean Relu Reshape Resize Shape "
    b"Sigmoid Slice Sqrt Squeeze Sub Tanh Transpose Unsqueeze".split()
)
_GRAPH, _NODE, _OPERATOR, _DOMAIN = 7, 1, 4, 7  # field numbers of onnx.proto
_OF_GRAPH = frozenset((1, 2, 5, *range(10, 14), 16))  # what exporters write
_OF_NODE = frozenset((*range(1, 8), 9))
_INPUT, _OUTPUT, _TENSOR, _OF_TENSOR, _TENSOR_NAME = 1, 2, 5, frozenset(range(1, 17)), 8
_SIZED = frozenset(b"ReduceMean Reshape Resize Slice Squeeze Unsqueeze".split())  # by what follows their first input


open_zip = partial(archives.open_zip, refusal=CheckpointError, whole="the checkpoint's folder")


def check_arrays(content: bytes, name: str, most_bytes: int = ARRAYS_BYTES) -> dict[str, tuple[int, ...]]:
    """The shape of each array of an .npz, by its name. Raises CheckpointError unless they are plain arrays, each as large as its
    header says, none of them pickled.

    most_bytes: unpacked.
    """
    archive, shapes = open_zip(content, name, ARRAYS, most_bytes), {}
    for entry in archive.infolist():
        damaged = CheckpointError(f"{name} is damaged; copy the checkpoint again.")
        with refusing(damaged), archive.open(entry) as file:  # zlib's, zipfile's and NumPy's parsers each have their own
            version = npy.read_magic(file)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, kind = read(file, max_header_size=NPY_HEADER_BYTES)
            says = math.prod(shape) * kind.itemsize
            plain = kind.kind in "biufU" and not kind.hasobject and 0 <= says == entry.file_size - file.tell()
        if not plain:
            raise CheckpointError(f"{name} holds {quoted(entry.filename)}, which is not a plain array; pickles are never loaded.")
        shapes[entry.filename.removesuffix(".npy")] = shape
    return shapes


def check_calibration(shapes: dict[str, tuple[int, ...]], name: str, places: int) -> int:
    """Bytes that a calibration takes once it is read, four a value, and as many while it is. Raises CheckpointError for one that
    no network has: half a megabyte of zeros can unpack to gigabytes.

    places: pixels of all slices, as the description says.
    """
    held = [shape for key, shape in shapes.items() if key.startswith("reference/") and not key.endswith(("/step", "/every"))]
    values = sum(math.prod(shape) for shape in shapes.values())
    others = values - sum(map(math.prod, held))
    if len(held) > 2 * QUANTITIES or any(math.prod(shape) > places for shape in held) or others > OTHER_VALUES:
        raise CheckpointError(f"{name} holds more values than a network of its slices has; copy the checkpoint again.")
    return 8 * values


def check_graph(content: bytes, name: str) -> None:
    """Raises CheckpointError unless an ONNX file is one graph of OPERATORS that holds its own weights, and in which no size
    follows from an image's values: what it does to a blank image, it does to as many others.

    Fields that exporters do not write are refused, and numbers that are not in their shortest form: ONNX Runtime's parser could
    take them for others than this one does.
    """
    try:
        model = list(fields(memoryview(content), MODEL))
        graphs = [part for number, part in model if number == _GRAPH]
        nodes = [part for graph in graphs for number, part in fields(graph, _OF_GRAPH) if number == _NODE]
        parts = [[*fields(node, _OF_NODE)] for node in nodes]
        tensors = [
            [*fields(part, _OF_TENSOR)] for graph in graphs for number, part in fields(graph, _OF_GRAPH) if number == _TENSOR
        ]
        operators = {b"".join(part for number, part in node if number == _OPERATOR) for node in parts}
        domains = {bytes(part) for node in parts for number, part in node if number == _DOMAIN}
    except (IndexError, ValueError, struct.error, TypeError) as error:
        raise CheckpointError(f"{name} is not an ONNX graph; copy the checkpoint again.") from error
    foreign = sorted(operators - OPERATORS) + sorted(domains - {b"", b"ai.onnx"})
    if foreign or not operators or len(graphs) != 1:
        said = [quoted(name.decode(errors="replace")) or "a node of no operator" for name in foreign]
        what = said[0] if foreign else "no operator" if not operators else "several graphs"
        raise CheckpointError(f"{name} holds {what}, which no network of vaead has; only its own checkpoints are opened.")
    if _sizes_follow_from_values(parts, tensors):
        raise CheckpointError(
            f"{name} holds a size that follows from the scan, which no network of vaead has; only its own are opened."
        )
    properties(content, name)  # within bounds
    if b"location" in without_properties(content):  # the key of a tensor that lies in another file
        raise CheckpointError(f"{name} keeps weights in another file; a checkpoint's graphs hold their own.")


def _sizes_follow_from_values(nodes: list[list[Field]], tensors: list[list[Field]]) -> bool:
    """Whether a node of _SIZED takes a size from something else than weights, constants and shapes."""
    fixed = {bytes(dict(tensor).get(_TENSOR_NAME, b"")) for tensor in tensors}  # of a name that is there twice, the last counts
    for node in nodes:
        inputs = [bytes(part) for number, part in node if number == _INPUT]
        operator = b"".join(part for number, part in node if number == _OPERATOR)
        if operator in _SIZED and not fixed.issuperset(filter(None, inputs[1:])):
            return True
        outputs = {bytes(part) for number, part in node if number == _OUTPUT}
        fixed = fixed | outputs if operator == b"Shape" or fixed.issuperset(filter(None, inputs)) else fixed - outputs
    return False
