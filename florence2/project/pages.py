"""The files of a project as texts: commented YAML, a README, a .gitignore."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from florence2.datasets import Distribution
from florence2.printable import printable
from florence2.project.choices import FEW_SAMPLES, Choice
from florence2.project.survey import Survey
from florence2.storage import redact

__all__ = ["GITIGNORE", "described", "readme", "yaml_page"]

_WIDTH = 110
_CLASSES = 12

GITIGNORE = """\
# Results of runs; keep the settings and the frozen test split.
runs/
outputs/
.zen/
mlflow.db
mlruns/
"""


def described(found: Survey, source: str) -> list[str]:
    """Return a few sentences that describe a data set."""
    overall = found.statistics.overall
    tasks = ", ".join(f"{count:,} of {printable(task) or 'no task'}" for task, count in overall.tasks.counts.items())
    sides = " x ".join(_spread(overall.features[f"image_{side}"]) for side in ("width", "height"))
    splits = ", ".join(f"{name} {found.count(name)[0]:,}" for name in ("train", "valid", "test"))
    made = f" ({' and '.join(found.missing)} taken from the rest)" if found.missing else ""
    left_out = sum(overall.tasks.counts.values()) - sum(found.count(name)[0] for name in ("train", "valid", "test"))
    made += f"; {left_out:,} left out by the rules below" if left_out else ""
    lines = [
        f"{printable(redact(source))} ({found.layout}): {overall.images:,} images of {sides} pixels.",
        f"Samples: {tasks}. In use: {splits}{made}.",
    ]
    if found.count("train")[0] < FEW_SAMPLES:
        lines.append("That is very little to train on: enough for a trial, not for a useful model.")
    if overall.classes.counts:
        lines.append(f"{_classes(overall.classes.counts)}.")
    if found.defects:
        broken = ", ".join(f"{defect.code} {defect.count:,} ({defect.outcome})" for defect in found.defects)
        lines.append(f"Rules broken: {broken}.")
    if found.warnings:
        warned = ", ".join(f"{code} {count:,}" for code, count in found.warnings.items())
        lines.append(f"Warnings, which florence2 validate lists: {warned}.")
    return lines


def yaml_page(head: Sequence[str], choices: Iterable[Choice]) -> str:
    """Return settings as YAML under ``parameters``, each below its reason.

    Args:
        head: comment at the top; a text that begins with a blank is a command, which is not wrapped. Every line of a
            path with line breaks stays a comment.
        choices: the settings, those of one section after each other.
    """
    lines = [
        f"# {line}".rstrip()
        for text in head
        for line in (text.splitlines() if text.startswith(" ") else _wrapped(text, _WIDTH))
    ]
    lines.append("parameters:")
    above: list[str] = []
    for choice in choices:
        *sections, key = choice.path.split(".")
        shared = next((i for i, pair in enumerate(zip(sections, above, strict=False)) if pair[0] != pair[1]), None)
        for depth in range(min(len(sections), len(above)) if shared is None else shared, len(sections)):
            lines.append(f"{'  ' * (depth + 1)}{sections[depth]}:")
        above = sections
        indent = "  " * (len(sections) + 1)
        lines += [f"{indent}# {line}" for line in _wrapped(choice.why, _WIDTH - len(indent))]
        lines.append(f"{indent}{key}: {_scalar(choice.value)}")
    return "\n".join(lines) + "\n"


def readme(folder: Path, found: Survey, source: str, prefix: str) -> str:
    """Return the README of a project: what was found, and the commands to type next.

    Args:
        folder: of the project.
        found: what is in the data set.
        source: of the data set.
        prefix: a prompt of the data set.
    """
    facts = "\n".join(f"- {line}" for line in described(found, source))
    prompt = f"--prefix={shlex.quote(prefix)}"
    return f"""\
# {folder.name}

A fine-tune of Florence-2, set up by `florence2 init`.

{facts}

The settings are in [florence.yaml](florence.yaml), each with its reason. The environment of
florence2-finetune must be active.

## Train

In this folder:

```sh
florence2 train --config florence.yaml
```

The run is written to `runs/1`: the checkpoint, and in `report/report.html` the scores before and after, the worst
samples, and images. `florence2 train --resume` continues a run that was stopped.

```sh
florence2 predict --model=runs/1 {prompt} IMAGES --output=answers
```

## With ZenML and MLflow

In the folder of florence2-finetune, where its pipelines are:

```sh
make stack
zenml pipeline run florence_finetune -c {shlex.quote(str(folder / "florence.yaml"))}
zenml pipeline run florence_promote -c {shlex.quote(str(folder / "promote.yaml"))}
```

The first sets up a stack, once. The second is cached and tracked, and registers its result as challenger; the third
makes it champion if it is better with statistical confidence.

`florence2 doctor` checks the installation and the machine, and gives the remedy for each problem.
"""


def _classes(counts: dict[str, int]) -> str:
    shown = [f"{printable(name)} {count:,}" for name, count in list(counts.items())[:_CLASSES]]
    more = f" and {len(counts) - _CLASSES} more" if len(counts) > _CLASSES else ""
    classes = "1 class" if len(counts) == 1 else f"{len(counts)} classes"
    return f"{classes}, with boxes: {', '.join(shown)}{more}"


def _spread(seen: Distribution) -> str:
    if seen.minimum is None or seen.maximum is None:
        return "?"
    low, high = int(seen.minimum), int(seen.maximum)
    return str(low) if low == high else f"{low} to {high}"


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(printable(text), width, break_long_words=False, break_on_hyphens=False) or [""]


def _scalar(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6).removesuffix("...\n").strip()
