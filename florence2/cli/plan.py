"""The plan that ``florence2 train --dry-run`` prints: the steps of a training, its time and memory, all settings."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import yaml

from florence2.config import AUTO_RATE, Configuration, leaf_paths

if TYPE_CHECKING:
    from florence2.datasets import DatasetManifest
    from florence2.sdk import Prepared
    from florence2.training import TrainingCost

__all__ = ["FACTOR", "Plan", "as_yaml", "make_plan"]

FACTOR = 3
"""By which the time of a run may differ from the estimate, on a machine that stays as busy as it was."""

_SECONDS = 5.0
_MOST_IMAGES = 16


@dataclass(frozen=True)
class Plan:
    """What a training would do, and the time and memory that it would take.

    Attributes:
        configuration: all settings; base and recipe are chosen.
        reasons: a sentence for each choice.
        data: format, fingerprint, tasks, and rows and images of each split.
        base: name of the model to start from.
        strategy: how it trains.
        cost: of the training.
        read_seconds: time in which the data set was read and checked.
        evaluate_seconds: time of the answers for the test split, before and after, and for the validations.
        device: on which it would run.
    """

    configuration: Configuration
    reasons: tuple[str, ...]
    data: Mapping[str, Any]
    base: str
    strategy: str
    cost: TrainingCost
    read_seconds: float
    evaluate_seconds: float
    device: str

    @property
    def seconds(self) -> float:
        """Return the time of the whole run."""
        return (
            self.read_seconds
            + self.cost.search_seconds
            + self.cost.train_seconds
            + self.cost.valid_seconds
            + self.evaluate_seconds
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON can hold it."""
        return {
            "data": dict(self.data),
            "chosen": list(self.reasons),
            "base": self.base,
            "strategy": self.strategy,
            "parameters": {
                part: {"trainable": trainable, "all": total}
                for part, (trainable, total) in self.cost.parameters.items()
            },
            "learning_rate": self.cost.learning_rate,
            "learning_rate_search": asdict(self.cost.search) if self.cost.search else None,
            "steps": self.cost.steps,
            "seconds": {
                "total": round(self.seconds, 1),
                "read": round(self.read_seconds, 1),
                "search": round(self.cost.search_seconds, 1),
                "train": round(self.cost.train_seconds, 1),
                "validate": round(self.cost.valid_seconds, 1),
                "evaluate": round(self.evaluate_seconds, 1),
                "right_within_a_factor_of": FACTOR,
            },
            "memory_gib": round(self.cost.memory_gib, 2),
            "device": self.device,
            "estimated_by": self.cost.timed,
        }

    def lines(self) -> list[str]:
        """Return the plan for people."""
        training, cost, data = self.configuration.training, self.cost, self.data
        parts = [
            f"{part} {trainable:,} of {total:,}" if trainable else f"{part} none of {total:,}"
            for part, (trainable, total) in cost.parameters.items()
        ]
        splits = [f"{name} {of['rows']:,} rows, {of['images']:,} images" for name, of in data["splits"].items()]
        per_epoch = cost.steps // training.epochs
        early = "" if training.patience is None else f", fewer if {training.patience} epochs bring no improvement"
        return [
            f"data       {data['source']}: {data['format']}; {', '.join(data['tasks'])}",
            *(f"           {split}" for split in splits),
            *(f"chosen     {reason}" for reason in self.reasons),
            f"base       {self.base}",
            f"strategy   {self.strategy}, learning rate {cost.learning_rate:g}; parameters that train:",
            *(f"           {part}" for part in parts),
            *self._search_line(),
            f"steps      {cost.steps:,}: {training.epochs} epochs of {per_epoch:,}, {training.batch_size} samples "
            f"{f'x {training.gradient_accumulation} ' if training.gradient_accumulation > 1 else ''}each{early}",
            f"time       about {_clock(self.seconds)} on {self.device}: data {_clock(self.read_seconds)}, training "
            f"{_clock(cost.train_seconds)},",
            f"           validation {_clock(cost.valid_seconds)}, answers {_clock(self.evaluate_seconds)}",
            f"memory     about {cost.memory_gib:.1f} GiB at most",
            f"estimate   {cost.timed} and some answers of the base were timed here;",
            f"           the time is right within a factor of {FACTOR} while the machine is as busy as now",
        ]

    def _search_line(self) -> Iterator[str]:
        """Yield what the search for the learning rate costs."""
        if self.configuration.training.learning_rate != AUTO_RATE:
            return
        search = self.cost.search
        yield (
            f"search     at most {search.trials} trainings of {search.steps:,} steps choose the learning rate: "
            f"{search.share:.0%} of the training, {_clock(self.cost.search_seconds)}"
            if search
            else "search     the training is too short to search for the learning rate: the default is used"
        )


def make_plan(config: Configuration) -> Plan:
    """Read, check and split the data set, and time some steps of a training on it; only caches are written.

    Raises:
        DatasetError: the data set cannot be read or breaks the rules.
        ModelError: the base cannot be loaded.
        ConfigurationError: settings contradict each other.
    """
    started = time.perf_counter()
    prepared = _prepared(config)
    config, splits = prepared.config, prepared.splits
    read_seconds = time.perf_counter() - started
    from florence2.config import core_count
    from florence2.model import best_device
    from florence2.training import probe_training

    train, valid, test = (splits.select(name) for name in ("train", "valid", "test"))
    cost = probe_training(train, valid, config.model, config.training)
    # The base is validated as well. Without a metric only the images of the preview are answered.
    measures = config.training.best_by != "loss" or bool(config.evaluation.metrics)
    shown = len(valid) if measures else min(config.training.preview, len(valid))
    answers = 2 * len(test) + (config.training.epochs + 1) * shown
    cores = core_count()
    return Plan(
        configuration=config,
        reasons=prepared.reasons,
        data=_described(config, splits),
        base=config.model.base,
        strategy=config.training.strategy,
        cost=cost,
        read_seconds=read_seconds,
        evaluate_seconds=answers * _seconds_per_answer(test, config),
        device="the GPU" if best_device() == "cuda" else f"{cores} CPU core{'s' * (cores > 1)}",
    )


def _prepared(given: Configuration) -> Prepared:
    from florence2.evaluation import EpochEvaluator
    from florence2.sdk import prepare

    prepared = prepare(given)
    config = prepared.config
    EpochEvaluator.of(prepared.splits.select("valid"), config.training, config.evaluation)  # raises for a wrong best_by
    return prepared


def _described(config: Configuration, splits: DatasetManifest) -> dict[str, Any]:
    from florence2.datasets import SPLITS, locate, recognise
    from florence2.storage import redact

    parts = {name: splits.select(name).table for name in SPLITS}
    return {
        "source": redact(config.dataset.source),
        "format": recognise(locate(config.dataset.source), config.dataset.format)[1],
        "fingerprint": splits.fingerprint,
        "tasks": sorted(splits.table["task"].unique()),
        "splits": {name: {"rows": len(table), "images": table["image"].nunique()} for name, table in parts.items()},
    }


def _seconds_per_answer(test: DatasetManifest, config: Configuration) -> float:
    """Return the time per answer of the base in a batch; of a single answer where a batch would take too long."""
    from florence2.inference import predict
    from florence2.model import load_base, samples_of

    florence2, samples = load_base(config.model), samples_of(test)
    # An untrained model may generate without end; a trained one generates answers as long as its annotations.
    longest = max(florence2.count_answer_tokens([sample.suffix for sample in samples]))
    settings = config.evaluation.model_copy(update={"max_new_tokens": min(config.evaluation.max_new_tokens, longest)})
    seconds, count = 0.0, 1
    for count in (1, min(_MOST_IMAGES, config.evaluation.eval_batch_size, len(samples))):
        if seconds * count > _SECONDS:
            return seconds
        started = time.perf_counter()
        list(predict(florence2, samples[:count], settings))
        seconds = time.perf_counter() - started
    return seconds / count


def as_yaml(config: Configuration) -> str:
    """Return all settings as the text of a file for ``--config``; those that are not the default are marked.

    The file, when read, gives the same configuration.
    """
    values, defaults = config.model_dump(mode="json"), Configuration().model_dump(mode="json")
    changed = {
        path: _at(defaults, path) for _, path in leaf_paths(Configuration) if _at(values, path) != _at(defaults, path)
    }
    lines = ["parameters:"]
    _write(values, (), changed, lines)
    return "\n".join(lines) + "\n"


def _write(
    values: Mapping[str, Any], above: tuple[str, ...], changed: Mapping[tuple[str, ...], Any], lines: list[str]
) -> None:
    indent = "  " * (len(above) + 1)
    sections = {path[: len(above) + 1] for _, path in leaf_paths(Configuration) if len(path) > len(above) + 1}
    for name, value in values.items():
        path = (*above, name)
        if path in sections:
            lines.append(f"{indent}{name}:")
            _write(value, path, changed, lines)
        else:
            note = f"    # default: {_inline(changed[path])}" if path in changed else ""
            lines.append(f"{indent}{name}: {_inline(value)}{note}")


def _inline(value: Any) -> str:
    """Return a value as YAML in one line."""

    def dumped(**style: Any) -> str:
        text: str = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True, **style)
        return text.removesuffix("...\n").rstrip("\n")  # strip() would take a value's own no-break spaces, too

    plain = dumped()
    return plain if len(plain.splitlines()) == 1 else dumped(default_style='"')  # which escapes line breaks


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        values = values[name]
    return values


def _clock(seconds: float) -> str:
    """Return a time in its best unit: 40 s, 3 min, 2.5 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
