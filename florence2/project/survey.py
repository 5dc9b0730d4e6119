"""``survey``: what a good engineer would look at in a data set before choosing how to train on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from florence2.adapters import validate
from florence2.config import DatasetConfig, ModelConfig, Outcome, SplitConfig, TrainingConfig, ValidationConfig
from florence2.datasets import (
    DatasetManifest,
    DatasetStatistics,
    compute_statistics,
    known_rules,
    locate,
    raise_for_errors,
    read_dataset,
    recognise,
    split_dataset,
)
from florence2.errors import ModelError
from florence2.model import AnswerLength, answer_length, resolve

__all__ = ["FEW_IMAGES", "Defect", "Survey", "survey"]

FEW_IMAGES = 200
"""Below this, a tenth of the images is too few to measure anything by."""
_LARGER_SHARE = 0.2
_TRIAL = ModelConfig()


@dataclass(frozen=True)
class Defect:
    """A rule that rows of the data set break.

    Attributes:
        code: of the rule.
        count: how often.
        sentence: what is wrong.
        outcome: what is to become of it.
    """

    code: str
    count: int
    sentence: str
    outcome: Outcome


@dataclass(frozen=True)
class Survey:
    """What was found in a data set.

    Attributes:
        layout: its format, one of ``FORMATS``.
        statistics: of all that can be read.
        given: the splits that it comes with.
        defects: rules that are broken and would stop a training, with a way to go on.
        warnings: how often other rules are broken, by their code.
        split: the shares of the splits that are not given.
        rows: the valid rows, in the splits that a training would make.
        longest: tokens of the longest answer.
        exact: whether they were counted by the tokenizer of the base.
    """

    layout: str
    statistics: DatasetStatistics
    given: tuple[str, ...]
    defects: tuple[Defect, ...]
    warnings: dict[str, int]
    split: SplitConfig
    rows: DatasetManifest
    longest: int
    exact: bool

    def count(self, split: str) -> tuple[int, int]:
        """Return the rows and the images of a split."""
        table = self.rows.table[self.rows.table["split"] == split]
        return len(table), int(table["image"].nunique())

    @property
    def missing(self) -> tuple[str, ...]:
        """The held-out splits that it does not come with."""
        return tuple(name for name in ("valid", "test") if name not in self.given)


def survey(config: DatasetConfig, base: str) -> Survey:
    """Read, check and split a data set, and say what there is.

    Args:
        config: where it lies and how it is written.
        base: the model to start from; of one of the hub no more than its tokenizer is fetched.

    Raises:
        DatasetError: it cannot be read as a whole, or is too small to be split.
        ModelError: nothing can have the name of that base.
    """
    folder, layout = recognise(locate(config.source, verify=config.verify), config.format)
    manifest = read_dataset(folder, layout, verify=config.verify)
    length, exact = _length(base)
    defects, warnings = _defects(manifest, length)
    rules = {defect.code: defect.outcome for defect in defects}
    rows, report = validate(
        manifest,
        ValidationConfig(rules=rules),
        count_tokens=length.count,
        max_target_tokens=length.limit,
    )
    raise_for_errors(rows, report)
    few = rows.table["image"].nunique() < FEW_IMAGES
    split = SplitConfig(valid_fraction=_LARGER_SHARE, test_fraction=_LARGER_SHARE) if few else SplitConfig()
    return Survey(
        layout,
        compute_statistics(manifest),
        tuple(name for name in rows.splits),
        defects,
        warnings,
        split,
        split_dataset(rows, split),
        max(length.count(rows.table["suffix"].tolist())),
        exact,
    )


def _length(base: str) -> tuple[AnswerLength, bool]:
    """Return how long answers are for the base, or, where it is not at hand, for the built-in one."""
    longest = TrainingConfig().max_target_tokens
    model = ModelConfig(base=base)
    if Path(resolve(model)).is_dir():
        return answer_length(model, longest), True
    try:
        return answer_length(model, longest), True
    except ModelError:
        return answer_length(_TRIAL, longest), False


def _defects(manifest: DatasetManifest, length: AnswerLength) -> tuple[tuple[Defect, ...], dict[str, int]]:
    """Decide about every rule that is broken, as carefully as it can be done: mend, else leave out."""
    _, report = validate(manifest, ValidationConfig(), count_tokens=length.count, max_target_tokens=length.limit)
    defects, warnings = [], {}
    for rule in known_rules():
        if count := report.counts.get(rule.code, 0):
            if rule.severity == "warning":
                warnings[rule.code] = count
            elif rule.severity == "error" and rule.concerns_rows:
                outcome: Outcome = "repair" if rule.repair is not None else "quarantine"
                defects.append(Defect(rule.code, count, rule.sentence, outcome))
    return tuple(defects), warnings
