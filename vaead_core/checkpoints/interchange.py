"""What other tools read of a checkpoint: MONAI's metadata.json, a head of YAML on the card, properties of the ONNX files.

All of it is made from checkpoint.json, and where both say a thing and differ, the checkpoint is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vaead_core.checkpoints.onnx_properties import properties, with_properties, without_properties
from vaead_core.cohorts.licences import licence_of
from vaead_core.computing.whole_file import write_whole
from vaead_core.errors import CheckpointError, quoted, refusing

METADATA, CARD = "metadata.json", "README.md"
ATLAS = "SRI24"
TITLES = {
    "slices": "axial slices of T1-weighted brain MRI",
    "patches": "patches of axial slices of T1-weighted brain MRI",
    "fashion": "pictures of Fashion-MNIST",
}
THESIS = "Guillén Fernández-Micheltoarena S. Anomaly detection and segmentation methods using Variational Autoencoders. Utrecht."
_OF_ATLAS = "Rohlfing T, et al. The SRI24 multichannel atlas of normal adult human brain structure. 2010. doi 10.1002/hbm.20906"
_HEAD, _HEAD_BYTES = "---\n", 4096
Description = Mapping[str, Any]


def metadata(said: Description, name: str) -> dict[str, Any]:
    """metadata.json as MONAI's bundles have it, of a description that was read."""
    versions, data, cohort = said.get("versions", {}), said["data"]["description"], _cohort(said)
    packages = {one: text for one, text in versions.items() if one not in ("vaead", "python", "torch", "numpy")}
    version, licence = versions.get("vaead", "0"), licence_of(cohort)
    task = f"Unsupervised anomaly detection in {_images(said)}"
    return {
        "version": version,
        "changelog": {version: said.get("notes") or f"Trained on {data}."},
        "monai_version": "",  # none had a part in it
        "pytorch_version": versions.get("torch", ""),
        "numpy_version": versions.get("numpy", ""),
        "optional_packages_version": packages,
        "name": name,
        "task": task,
        "description": f"{task}: {said['architecture']['name']}, trained on {data}; anomaly is what it does not redraw.",
        "authors": "whoever trained it with vaead",
        "copyright": f"Licence of the data that it was trained on: {licence.spdx}",
        "license": licence.spdx,
        "data_source": licence.source,
        "data_type": "picture" if said["preprocessor"] is None else "NIfTI",
        "intended_use": "Research use only, not for diagnosis.",
        "references": [THESIS, *([] if said["preprocessor"] is None else [_OF_ATLAS])],
        "eval_metrics": {f"{subset}_mse": one["mse"] for subset, one in said.get("reconstruction", {}).items()},
        "network_data_format": _network(said),
        "vaead": {"format_version": said["format_version"], "atlas": _atlas(said), "preprocessor": said["preprocessor"]},
    }


def head(said: Description) -> str:
    """The YAML that begins a card, as Hugging Face's have it, with the end of its line."""
    cohort = _cohort(said)
    kinds = ["onnx", "anomaly-detection", "variational-autoencoder", *([] if said["preprocessor"] is None else ["brain", "mri"])]
    entries: dict[str, Any] = {
        "license": licence_of(cohort).spdx.lower(),
        "library_name": "vaead",
        "pipeline_tag": "image-to-image",
        "tags": kinds,
        "datasets": [cohort],
    }
    lines = [f"{name}: {json.dumps(value)}\n" for name, value in entries.items()]  # every JSON value is one of YAML
    return "".join([_HEAD, *lines, _HEAD])


def below_head(card: bytes) -> bytes:
    """A card without its YAML, which the checksum in checkpoint.json leaves out too; one with none as it is."""
    start = _HEAD.encode()
    if not card.startswith(start):
        return card
    end = card.find(b"\n" + start, 0, _HEAD_BYTES)
    return card if end < 0 else card[end + 1 + len(start) :]


def onnx_properties(said: Description, name: str) -> dict[str, str]:
    """What each ONNX file of a checkpoint says of itself."""
    found = {
        "model_license": licence_of(_cohort(said)).spdx,
        "vaead.checkpoint": name,
        "vaead.format_version": str(said["format_version"]),
        "vaead.architecture": str(said["architecture"]["name"]),
    }
    if (size := said["architecture"].get("image_size")) is not None:
        found["vaead.image_size"] = str(size)
    if said["preprocessor"] is not None:
        found |= {
            "vaead.atlas": ATLAS,
            "vaead.spacing_mm": str(said["preprocessor"].get("spacing_mm")),
            "vaead.preprocessor": json.dumps(said["preprocessor"], sort_keys=True),
        }
    return {key: "".join(sign if sign.isprintable() else " " for sign in value) for key, value in found.items()}


def write_beside(folder: Path, said: Description, card: str, name: str) -> None:
    """Puts metadata.json and the card with its head into a checkpoint's folder. Raises OSError."""
    write_whole(folder / METADATA, json.dumps(metadata(said, name), indent=1, ensure_ascii=False) + "\n")
    write_whole(folder / CARD, head(said) + card)


def stamped(content: bytes, said: Description, name: str) -> bytes:
    """An ONNX file that says of itself what the description does. Nothing that is computed with changes."""
    return with_properties(content, onnx_properties(said, name))


def plain_graph(content: bytes, file: str, said: Description, name: str) -> bytes:
    """An ONNX file without what it says of itself. Raises CheckpointError where that is not what the description says."""
    given, expected = properties(content, f"{file} of {name}"), onnx_properties(said, name)
    for key in _COMPARED:
        if key in given and given[key] != expected.get(key):
            raise _contradiction(name, f"{file} says {key} is {quoted(given[key])}", expected.get(key, "nothing of it"))
    return without_properties(content)


def check_metadata(content: bytes, said: Description, name: str) -> None:
    """Raises CheckpointError where a metadata.json cannot be read, or does not say what the description does."""
    expected = metadata(said, name)
    with refusing(CheckpointError(f"{METADATA} of {name} is damaged; copy the checkpoint again, or remove that file.")):
        given = json.loads(content, parse_constant=_refuse)
        facts = [[json.dumps(_at(one, path), sort_keys=True) for one in (given, expected)] for path in _FACTS]
    for path, (found, known) in zip(_FACTS, facts, strict=True):
        if found != known:
            raise _contradiction(name, f"{METADATA} says {'.'.join(path)} is {quoted(found)}", known)


_COMPARED = tuple(
    f"vaead.{one}" for one in ("format_version", "architecture", "image_size", "atlas", "spacing_mm", "preprocessor")
)
_FACTS = (
    ("version",),
    ("vaead", "format_version"),
    ("vaead", "atlas"),
    ("vaead", "preprocessor", "spacing_mm"),
    ("vaead", "preprocessor"),
    ("network_data_format", "inputs", "image", "spatial_shape"),
)


def _contradiction(name: str, found: str, known: str) -> CheckpointError:
    return CheckpointError(f"In {name}, {found}, its description says {quoted(known)}; copy the checkpoint again.")


def _at(said: Any, path: tuple[str, ...]) -> Any:
    """None where an entry on the way is null. Raises KeyError, and TypeError for what is no table."""
    for key in path:
        said = None if said is None else said[key]
    return said


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")


def _cohort(said: Description) -> str:
    """The name of the cohort: trainings without one took synthetic brains, or the pictures that they are of."""
    training = said["training"]
    return training["data"] or ("fashion" if training["images"] == "fashion" else "synthetic")


def _images(said: Description) -> str:
    return TITLES.get(said["training"]["images"], "images")


def _atlas(said: Description) -> str | None:
    return None if said["preprocessor"] is None else ATLAS


def _network(said: Description) -> dict[str, Any]:
    """Inputs and outputs, as tensors of MONAI's schema."""
    size, latents = (said["architecture"].get(one) for one in ("image_size", "latent_size"))
    modality = "n/a" if said["preprocessor"] is None else "MR"
    image = {
        "type": "image", "format": "magnitude", "modality": modality, "num_channels": 1, "spatial_shape": [size, size],
        "dtype": "float32", "value_range": [-1, 1], "is_patch_data": said["stride"] is not None,
        "channel_def": {"0": _images(said)},
    }  # fmt: skip
    drawn = image | {"value_range": [], "channel_def": {"0": "what the network redraws of it"}}
    latent = image | {
        "type": "tuples", "format": "latent", "num_channels": latents, "spatial_shape": [], "value_range": [],
        "channel_def": {"0": "mean of the posterior"},
    }  # fmt: skip
    return {"inputs": {"image": image}, "outputs": {"reconstruction": drawn, "latent": latent}}
