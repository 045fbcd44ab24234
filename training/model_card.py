"""The model card that lies in a checkpoint's folder as README.md."""

from __future__ import annotations

import json
import re

from training.config import TrainingConfig
from training.data import Subset, TrainingData
from vaead_core.checkpoints.provenance import Companion, Provenance, ReconstructionError


def written(config: TrainingConfig, data: TrainingData, provenance: Provenance, history: str, scans: bool) -> str:
    """The card of a checkpoint. history: of the epochs, as CSV. scans: whether the checkpoint holds its training scans."""

    def ages(subset: Subset) -> str:
        known = [age for age in subset.ages if age is not None]
        return f"{min(known):.0f} to {max(known):.0f}" if known else "unknown"

    rows = "\n".join(
        f"| {name} | {len(subset.names)} | {len(subset.slices)} | {ages(subset)} |"
        for name, subset in (("training", data.train), ("validation", data.validation), ("test", data.test))
    )
    errors = "\n".join(_error_row(name, error) for name, error in provenance.reconstruction.items())
    holds = "\n**It holds the training scans themselves**, for patch novelty: give it to nobody who may not have them.\n"
    settings = json.dumps({name: value for name, value in config.identity().items() if name != "data"}, indent=1)
    return f"""# {config.out.name}

Research use only, not for diagnosis. {config.architecture.name}, trained on {data.description}.
{holds if scans else ""}
| part | subjects | images | ages |
|---|---|---|---|
{rows}

Split by subject, 70/20/10, stratified by age, seed {config.split_seed}. {len(data.skipped)} scans were left out as unreadable.
Thresholds, percentiles and the healthy reference come from the validation subjects, each scored against a
reference without its own fold.

## Reconstruction (mean squared error in the brain, μ decoded)

| part | this model | healthy mean image | ratio |
|---|---|---|---|
{errors}

## Settings

```json
{settings}
```

{config.notes}

## Last epochs

```
{_last(history)}
```
{"".join(_companion_section(name, one) for name, one in provenance.companions.items())}
## Limits

It knows the scanner, the contrast and the ages it was trained on, and nothing else: on other data the whole brain may
look unusual. {len(data.validation.names)} healthy subjects set the thresholds, so a percentile of a whole scan is coarse.
"""


def _last(history: str) -> str:
    """Its head and its last three epochs."""
    head, *rows = history.splitlines()
    return "\n".join([head, *rows[-3:]])


def _error_row(name: str, error: ReconstructionError) -> str:
    return f"| {name} | {error.mse:.5f} | {error.atlas_mse:.5f} | {error.ratio:.3f} |"


def _companion_section(name: str, companion: Companion) -> str:
    shown = json.dumps(companion.settings, indent=1)
    return f"\n## Companion network: {name}\n\n```json\n{shown}\n```\n\n```\n{_last(companion.history)}\n```\n"


def notes_of(card: str) -> str:
    """What stands between settings and last epochs: where notes were kept before checkpoint.json held them."""
    found = re.search(r"\n## Settings\n.*?\n```\n(.*?)\n## Last epochs\n", card, re.DOTALL)
    return found.group(1).strip() if found else ""
