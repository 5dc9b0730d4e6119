"""What ``learning_rate: auto`` gives: its score against seven fixed rates, and its cost against the training.

    python -m benchmarks.learning_rate run --data builtin:cards --base builtin:nano --strategy full --seeds 3
    python -m benchmarks.learning_rate table
    python -m benchmarks.learning_rate short --data builtin:cards --base builtin:nano --strategy lora

A cell is a data set, a base, a strategy and a seed. In each cell seven trainings differ in nothing but the rate: the
default of base and strategy times 1/8, 1/4, 1/2, 1, 2, 4, 8. Then the search chooses one of these rates, and the score
of ``auto`` is that of the training with the rate, since equal inputs give equal weights on the CPU. All other settings
are those of the recipe for the data and the base; ``--epochs`` and ``--rows`` shorten the training. A study that was
interrupted continues: trainings whose results are in the file are not repeated.

``short`` prints by how much the best rate of a short training is higher than that of a long one: for each rate the
validation loss after a short training, and loss and scores of 100 test samples after a whole one, at its last step.
``choose`` prints what the search chooses, also from a default that is wrong by ``--wrong-by``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from florence2.config import Configuration, EvaluationConfig, ModelConfig, TrainingConfig
from florence2.datasets import DatasetManifest, ingest, split_dataset
from florence2.recipes import choose_recipe

if TYPE_CHECKING:
    from florence2.training.rate_choice import RateChoice
    from florence2.training.short_training import ShortTrainings

__all__ = ["FACTORS", "main", "render"]

FACTORS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""The fixed rates, as parts of the default."""


@dataclass(frozen=True)
class _Cell:
    data: str
    base: str
    strategy: str
    seed: int
    epochs: int | None
    rows: int | None

    @property
    def key(self) -> dict[str, Any]:
        return {
            "data": _name(self.data),
            "base": self.base,
            "strategy": self.strategy,
            "seed": self.seed,
            "epochs": self.epochs,
            "rows": self.rows,
        }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a study, or show the table of its results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", choices=["run", "table", "short", "choose"])
    parser.add_argument("--results", type=Path, default=Path("learning_rates.jsonl"))
    parser.add_argument("--data", action="append", default=[], help="data set; once for each")
    parser.add_argument("--base", action="append", default=[], help="base; once for each")
    parser.add_argument("--strategy", action="append", default=[], choices=["lora", "full", "freeze"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, help="of each training; default: by the recipe")
    parser.add_argument("--rows", type=int, help="samples of the training and of the test split that are used")
    parser.add_argument("--factor", action="append", type=float, help="of short: only these rates; default: all seven")
    parser.add_argument("--wrong-by", type=float, default=1.0, help="of choose: factor of the default")
    options = parser.parse_args(arguments)
    cells = [
        _Cell(data, base, strategy, seed, options.epochs, options.rows)
        for seed in range(options.seeds)
        for data in options.data
        for base in options.base
        for strategy in options.strategy
    ]
    if options.do == "short":
        for cell in cells:
            _compare_lengths(cell, options.factor or FACTORS)
        return
    if options.do == "choose":
        for cell in cells:
            print(json.dumps({**cell.key, **_chosen(cell, options.wrong_by).model_dump()}), flush=True)
        return
    if options.do == "run":
        for cell in cells:
            _run(cell, options.results)
    print(render(_read(options.results)))


def render(results: Sequence[Mapping[str, Any]]) -> str:
    """Return a table in Markdown with a row for each cell that is complete, and their mean.

    Args:
        results: lines of the file: a ``factor`` with its score, or ``auto`` with the factor that it chose.
    """
    lines = [
        "| data | base | strategy | seed | score | default | best of seven | auto | share of the best | cost |",
        "|---" * 10 + "|",
    ]
    shares, costs = [], []
    for key, found in _by_cell(results).items():
        scores = {line["factor"]: line["value"] for line in found if not line["auto"]}
        chosen = next((line for line in found if line["auto"]), None)
        if chosen is None or not scores.keys() >= set(FACTORS):
            continue
        best = max(scores, key=lambda factor: scores[factor])
        share = scores[chosen["factor"]] / scores[best] if scores[best] else 1.0
        cost = chosen["seconds"] / statistics.median(line["seconds"] for line in found if not line["auto"])
        shares.append(share)
        costs.append(cost)
        lines.append(
            f"| {' | '.join(map(str, key[:4]))} | {found[0]['score']} | {scores[1.0]:.3f} "
            f"| {scores[best]:.3f} (x {best:g}) | {scores[chosen['factor']]:.3f} (x {chosen['factor']:g}) "
            f"| {share:.2f} | {cost:.2f} |"
        )
    if shares:
        lines.append(
            f"| mean of {len(shares)} | | | | | | | | {statistics.fmean(shares):.2f}, lowest {min(shares):.2f} "
            f"| {statistics.fmean(costs):.2f} |"
        )
    return "\n".join(lines)


def _by_cell(results: Iterable[Mapping[str, Any]]) -> dict[tuple[Any, ...], list[Mapping[str, Any]]]:
    cells: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for line in results:
        key = tuple(line[name] for name in ("data", "base", "strategy", "seed", "epochs", "rows"))
        cells.setdefault(key, []).append(line)
    return cells


def _run(cell: _Cell, results: Path) -> None:
    """Complete a cell: append a line for each training and for the search."""
    from florence2.model import load_base
    from florence2.training.strategies import default_learning_rate

    key = cell.key
    done = {(line["auto"], line["factor"]) for line in _read(results) if all(line[k] == key[k] for k in key)}
    model, splits, training, evaluation = _settings(cell)
    default = default_learning_rate(cell.strategy, load_base(model))
    if True not in {auto for auto, _ in done}:
        started = time.perf_counter()
        chosen = _chosen(cell, 1.0)
        seconds = time.perf_counter() - started
        factor = (chosen.learning_rate or default) / default
        _write(results, {**key, "auto": True, "factor": factor, "seconds": seconds, "choice": chosen.model_dump()})
    for factor in FACTORS:
        if (False, factor) not in done:
            rate = training.model_copy(update={"learning_rate": default * factor})
            _write(results, {**key, "auto": False, "factor": factor, **_trained(splits, model, rate, evaluation)})


def _trained(
    splits: DatasetManifest, model: ModelConfig, training: TrainingConfig, evaluation: EvaluationConfig
) -> dict[str, Any]:
    """Train and evaluate once; a training that diverges has the score 0."""
    from florence2.errors import TrainingError
    from florence2.evaluation import EpochEvaluator, evaluate_split
    from florence2.evaluation.scores import in_order
    from florence2.training.fitting import fit
    from florence2.training.monitoring import Monitoring

    evaluator = EpochEvaluator.of(splits.select("valid"), training, evaluation)
    test = splits.select("test")
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        try:
            checkpoint = fit(splits, model, training, Path(folder, "c"), monitoring=Monitoring(evaluator=evaluator))
        except TrainingError as exc:
            return {"score": "", "value": 0.0, "seconds": time.perf_counter() - started, "error": str(exc)}
        seconds = time.perf_counter() - started
        scores = evaluate_split(checkpoint.load(), "tuned", test, evaluation).evaluation.metrics
    first = in_order(scores)[0]
    loss = checkpoint.metrics["eval_loss"]
    return {"score": first, "value": scores[first], "seconds": seconds, "loss": loss, "scores": dict(scores)}


def _chosen(cell: _Cell, wrong_by: float) -> RateChoice:
    """Search for the rate of a cell, from a default that is multiplied by a factor."""
    from florence2.model import LEARNING_RATES
    from florence2.training.rate_search import choose_learning_rate

    model, splits, training, _ = _settings(cell)
    rates = {name: tuple(wrong_by * rate for rate in pair) for name, pair in LEARNING_RATES.items()}
    searching = training.model_copy(update={"learning_rate": "auto"})
    with tempfile.TemporaryDirectory() as folder, patch("florence2.training.strategies.LEARNING_RATES", rates):
        return choose_learning_rate(splits, model, searching, Path(folder, "rates.json"))


def _compare_lengths(cell: _Cell, factors: Sequence[float]) -> None:
    """Print a line for each rate: what a short training gives, and what a whole one gives."""
    from florence2.evaluation import evaluate_split
    from florence2.training.arguments import optimizer_steps, samples_of_step
    from florence2.training.rate_search import plan_rate_search, some_of

    model, splits, training, evaluation = _settings(cell)
    train, valid, test = (splits.select(name) for name in ("train", "valid", "test"))
    plan, steps = plan_rate_search(len(train), len(valid), training), optimizer_steps(len(train), training)
    if plan is None:
        print(f"{cell.key}: a training of {steps} steps is too short")
        return
    print(json.dumps({**cell.key, "steps": plan.steps, "steps of the whole": steps}), flush=True)
    few = some_of(train, plan.steps * samples_of_step(training), cell.seed)
    with tempfile.TemporaryDirectory() as folder:
        short = _trainings(few, some_of(valid, plan.validated, cell.seed), model, training, Path(folder))
        whole = _trainings(train, some_of(valid, 60, 1), model, training, Path(folder))
        for factor in factors:
            rate = factor * short.default_rate
            line = {"factor": factor, "short": short.loss_of(rate, plan.steps), "whole": whole.loss_of(rate, steps)}
            evaluated = evaluate_split(whole.florence2, "whole", some_of(test, 100, 0), evaluation)
            print(json.dumps(line | dict(evaluated.evaluation.metrics)), flush=True)


def _trainings(
    train: DatasetManifest, valid: DatasetManifest, model: ModelConfig, training: TrainingConfig, folder: Path
) -> ShortTrainings:
    from florence2.model import base_fingerprint
    from florence2.training.job import Job
    from florence2.training.monitoring import Monitoring
    from florence2.training.run_state import RunStorage
    from florence2.training.short_training import ShortTrainings

    job = Job(
        train=train,
        valid=valid,
        model=model,
        fingerprint=base_fingerprint(model),
        training=training.model_copy(update={"patience": None}),
        storage=RunStorage(folder),
        monitoring=Monitoring(),
        processes=1,
    )
    return ShortTrainings(job, training.batch_size)


def _settings(cell: _Cell) -> tuple[ModelConfig, DatasetManifest, TrainingConfig, EvaluationConfig]:
    """Return the base, the splits and the settings of the recipe."""
    settings: dict[str, Any] = {"strategy": cell.strategy}
    if cell.epochs is not None:
        settings["epochs"] = cell.epochs
    config = Configuration(
        dataset=cell.data,
        base=cell.base,
        seed=cell.seed,
        preview=0,
        resamples=0,
        eval_batch_size=32,
        **settings,
    )
    splits = split_dataset(ingest(config.dataset), config.split)
    table = splits.table
    left_out: list[int] = []
    for split, most in (("train", cell.rows), ("valid", cell.rows and cell.rows // 3), ("test", cell.rows)):
        own = table.index[table["split"] == split]
        count = min(len(own), most or len(own))
        left_out += own.difference(own[[index * len(own) // count for index in range(count)]]).tolist()
    splits = splits.drop(left_out)
    chosen = choose_recipe(splits, config.model, config.training, config.evaluation)
    return config.model, splits, chosen.training, chosen.evaluation


def _name(source: str) -> str:
    path = Path(source)
    return source if source.startswith("builtin:") else path.parent.name if path.name == "florence2" else path.name


def _write(file: Path, line: Mapping[str, Any]) -> None:
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(line) + "\n")
    print(json.dumps({name: value for name, value in line.items() if name not in ("choice", "scores")}), flush=True)


def _read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _lines(file)]


def _lines(file: Path) -> Iterator[str]:
    if file.is_file():
        yield from file.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    main()
