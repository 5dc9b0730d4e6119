"""``survey``: reads a data set and collects the facts from which the settings of a training are chosen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from florence2.adapters import validate
from florence2.codec import TASKS, TaskTable
from florence2.config import DatasetConfig, ModelConfig, Outcome, SplitConfig, TrainingConfig, ValidationConfig
from florence2.datasets import (
    DatasetManifest,
    DatasetStatistics,
    compute_statistics,
    known_rules,
    locate,
    named_by_source,
    raise_for_errors,
    read_dataset,
    recognise,
    split_dataset,
    with_known_tasks,
)
from florence2.errors import ModelError
from florence2.model import AnswerLength, answer_length, resolve
from florence2.recipes import BaseChoice, choose_base

__all__ = ["FEW_IMAGES", "Defect", "Survey", "survey"]

FEW_IMAGES = 200
"""With fewer images, a tenth of them is too few for a reliable score."""
_LARGER_SHARE = 0.2
_TRIAL = ModelConfig(base="builtin:small")


@dataclass(frozen=True)
class Defect:
    """A rule that samples of the data set break.

    Attributes:
        code: of the rule.
        count: how often it is broken.
        sentence: what is wrong.
        outcome: what the training will do with such samples.
    """

    code: str
    count: int
    sentence: str
    outcome: Outcome


@dataclass(frozen=True)
class Survey:
    """What was found in a data set.

    Attributes:
        base: the model to start from.
        layout: its format, one of ``FORMATS``.
        statistics: of all samples that can be read.
        given: the splits that the data set has.
        defects: broken rules that would stop a training, with an outcome that lets it continue.
        warnings: how often other rules are broken, by their code.
        split: the shares of the splits that the data set does not have.
        manifest: the valid samples, in the splits that a training would use.
        longest: tokens of the longest answer.
        exact: whether the tokenizer of the base counted them.
    """

    base: BaseChoice
    layout: str
    statistics: DatasetStatistics
    given: tuple[str, ...]
    defects: tuple[Defect, ...]
    warnings: dict[str, int]
    split: SplitConfig
    manifest: DatasetManifest
    longest: int
    exact: bool

    def count(self, split: str) -> tuple[int, int]:
        """Return the number of samples and of images of a split."""
        table = self.manifest.table[self.manifest.table["split"] == split]
        return len(table), int(table["image"].nunique())

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the held-out splits that the data set does not have."""
        return tuple(name for name in ("valid", "test") if name not in self.given)


def survey(config: DatasetConfig, model: ModelConfig, tasks: TaskTable = TASKS) -> Survey:
    """Read, validate and split a data set, and return the facts.

    Args:
        config: the source and the format of the data set.
        model: the base; of a model on the hub only the tokenizer is fetched.
        tasks: of which each prefix names one.

    Raises:
        DatasetError: the data set cannot be read as a whole, or is too small to be split.
        ModelError: the base cannot be the name of a model.
    """
    folder = locate(config.source, verify=config.verify)
    with named_by_source(config.source, folder):
        path, layout = recognise(folder, config.format)
        manifest = with_known_tasks(read_dataset(path, layout, verify=config.verify), tasks)
    base = choose_base(model, config.source)
    length, exact = _length(base.model)
    defects, warnings = _defects(manifest, length)
    rules = {defect.code: defect.outcome for defect in defects}
    valid, report = validate(
        manifest,
        ValidationConfig(rules=rules),
        count_tokens=length.count,
        max_target_tokens=length.limit,
    )
    raise_for_errors(valid, report)
    few = valid.table["image"].nunique() < FEW_IMAGES
    split = SplitConfig(valid_fraction=_LARGER_SHARE, test_fraction=_LARGER_SHARE) if few else SplitConfig()
    return Survey(
        base,
        layout,
        compute_statistics(manifest),
        tuple(name for name in valid.splits),
        defects,
        warnings,
        split,
        split_dataset(valid, split),
        max(length.count(valid.table["suffix"].tolist())),
        exact,
    )


def _length(model: ModelConfig) -> tuple[AnswerLength, bool]:
    """Return the length of answers for the base, or for the built-in one where the base cannot be loaded."""
    longest = TrainingConfig().max_target_tokens
    if Path(resolve(model)).is_dir():
        return answer_length(model, longest), True
    try:
        return answer_length(model, longest), True
    except ModelError:
        return answer_length(_TRIAL, longest), False


def _defects(manifest: DatasetManifest, length: AnswerLength) -> tuple[tuple[Defect, ...], dict[str, int]]:
    """Choose an outcome for every broken rule: repair if there is a safe repair, else quarantine."""
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
