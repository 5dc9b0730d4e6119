"""The rules about splits."""

from __future__ import annotations

from florence2.datasets.checks.definition import Finding, rule
from florence2.datasets.checks.views.splits import Split, SplitsView


@rule(
    SplitsView,
    "error",
    remedy="add annotations to it, or remove the folder so that the others are split anew",
    example="an empty train/annotations.jsonl",
    concerns_rows=False,
)
def train_empty(view: SplitsView) -> Finding[Split]:
    """The training split that the data set comes with has no annotation."""
    # Rows without a split are split later, and some become the training split.
    all_split = not (view.manifest.table["split"] == "").any()
    empty = (view.table["split"] == "train") & (view.table["rows"] == 0) & all_split
    return Finding(empty, lambda _: "the training split has no annotation")


@rule(
    SplitsView,
    "warning",
    remedy="add annotations to it; else images of the training split are used for it",
    example="an empty valid/annotations.jsonl",
    concerns_rows=False,
)
def split_empty(view: SplitsView) -> Finding[Split]:
    """A validation or test split that the data set comes with has no annotation."""
    empty = (view.table["split"] != "train") & (view.table["rows"] == 0)
    return Finding(empty, lambda _: "the split has no annotation")
