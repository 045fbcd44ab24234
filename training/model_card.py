"""The model card that lies in a checkpoint's folder as README.md."""

from __future__ import annotations

import json
import re

from training.config import TrainingConfig
from training.data import Part, TrainingData


def written(config: TrainingConfig, data: TrainingData, errors: dict, history: str, further: dict[str, dict], scans: bool) -> str:
    """The card of a checkpoint. errors: part → `reconstruction_ratio`. history: of the epochs, as CSV. further: settings of each
    further network, with its own history. scans: whether the checkpoint holds its training scans."""

    def ages(part: Part) -> str:
        known = [age for age in part.ages if age is not None]
        return f"{min(known):.0f} to {max(known):.0f}" if known else "unknown"

    rows = "\n".join(
        f"| {name} | {len(part.names)} | {len(part.slices)} | {ages(part)} |"
        for name, part in (("training", data.train), ("validation", data.validation), ("test", data.test))
    )
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
| validation | {errors["validation"]["mse"]:.5f} | {errors["validation"]["atlas_mse"]:.5f} | {errors["validation"]["ratio"]:.3f} |
| test | {errors["test"]["mse"]:.5f} | {errors["test"]["atlas_mse"]:.5f} | {errors["test"]["ratio"]:.3f} |

## Settings

```json
{settings}
```

{config.notes}

## Last epochs

```
{_last(history)}
```
{"".join(_further_section(name, settings) for name, settings in further.items())}
## Limits

It knows the scanner, the contrast and the ages it was trained on, and nothing else: on other data the whole brain may
look unusual. {len(data.validation.names)} healthy subjects set the thresholds, so a percentile of a whole scan is coarse.
"""


def _last(history: str) -> str:
    """Its head and its last three epochs."""
    head, *rows = history.splitlines()
    return "\n".join([head, *rows[-3:]])


def _further_section(name: str, settings: dict) -> str:
    shown = json.dumps({key: value for key, value in settings.items() if key != "history"}, indent=1)
    return f"\n## Further network: {name}\n\n```json\n{shown}\n```\n\n```\n{_last(settings['history'])}\n```\n"


def notes_of(card: str) -> str:
    """What stands between settings and last epochs: where notes were kept before checkpoint.json held them."""
    found = re.search(r"\n## Settings\n.*?\n```\n(.*?)\n## Last epochs\n", card, re.DOTALL)
    return found.group(1).strip() if found else ""
