"""What a built-in base is worth: the same fine-tune from it and from random weights, and how fast it answers first.

    python -m benchmarks.base_transfer --epochs 10
    python -m benchmarks.base_transfer --base builtin:small --data od_bccd/florence2 --epochs 20 --strategy full \
        --set learning_rate=5e-4 --set box_order=left_to_right

Each seed trains twice on the same samples for the same number of epochs: from the base with the strategy given, and
every weight from the random start of pretraining. A line of JSON gives the seconds of the fit alone, validation
included, and the scores of the test split; of questions also those that are not answered by yes or no, and what the
most frequent answer of each question, known from training, would be worth. Zero-shot scores come from
``pretraining.evaluate`` and ``pretraining.world.evaluate``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from florence2.config import Configuration
from florence2.datasets.ingestion import ingest
from florence2.datasets.manifest import DatasetManifest
from florence2.datasets.splits.assignment import split_dataset
from florence2.model.base import BUILTIN_MODELS

if TYPE_CHECKING:
    from florence2.evaluation.evaluate import SplitEvaluation

__all__ = ["first_answer_seconds", "main", "transfer"]

_FIRST_ANSWER = """
import time
import torch
from PIL import Image
from florence2.config import ModelConfig
from florence2.inference import generation
from florence2.inference.image_files import predict_images
from florence2.model.base import load_base
import florence2.sdk
import transformers.models.florence2.modeling_florence2, transformers.models.bart.modeling_bart
import transformers.models.florence2.processing_florence2
torch.set_num_threads(1)
from pathlib import Path
from florence2.config import EvaluationConfig
Image.new("RGB", (640, 480), "red").save({file!r})
started = time.perf_counter()
florence2 = load_base(ModelConfig(base={base!r}))
predict_images(florence2, [Path({file!r})], "<OD>", EvaluationConfig())
print(time.perf_counter() - started)
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command: one JSON line for each seed and start, then one for the first answer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="builtin:cards")
    parser.add_argument("--task", default="<OD>", help="the samples for training and test")
    parser.add_argument("--base", default="builtin:nano", choices=sorted(BUILTIN_MODELS))
    parser.add_argument("--strategy", default="lora", help="of the fine-tune from the base")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of both fine-tunes")
    options = parser.parse_args(arguments)
    more = {key: yaml.safe_load(value) for key, _, value in (each.partition("=") for each in options.set)}
    if own := more.keys() & {"base", "strategy", "epochs", "seed", "preview", "dataset"}:
        parser.error(f"--set {', '.join(sorted(own))}: give it as an option, or leave it to the benchmark")
    data = _rows(options.data, options.task)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seeds):
            starts = {
                "base": (options.base, options.strategy),
                "random weights": (_random(options.base, seed, folder), "full"),
            }
            for start, (base, strategy) in starts.items():
                settings = {"strategy": strategy, "epochs": options.epochs, "seed": seed, **more}
                found = transfer(data, Configuration(dataset=options.data, base=base, preview=0, **settings))
                about = {"data": Path(options.data).as_posix(), "task": options.task, "base": options.base}
                print(json.dumps({**about, "start": start, **settings, **found}), flush=True)
    seconds = first_answer_seconds(options.base)
    print(json.dumps({"base": options.base, "load and first answer, one core, seconds": round(seconds, 2)}))


def transfer(data: DatasetManifest, config: Configuration) -> dict[str, float]:
    """Fine-tune and test.

    Args:
        data: with its splits.
        config: what to start from, and how.

    Returns:
        ``seconds`` of the fit, and the scores of the test split by name.
    """
    from florence2.evaluation.epoch_evaluator import EpochEvaluator
    from florence2.evaluation.evaluate import evaluate_split
    from florence2.training.fitting import fit
    from florence2.training.monitoring import Monitoring

    evaluator = EpochEvaluator.of(data.select("valid"), config.training, config.evaluation)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        checkpoint = fit(
            data, config.model, config.training, Path(folder, "checkpoint"), monitoring=Monitoring(evaluator=evaluator)
        )
        seconds = time.perf_counter() - started
        answers = evaluate_split(checkpoint.load(), "tested", data.select("test"), config.evaluation)
    scores = answers.evaluation.metrics
    kept = {name: value for name, value in scores.items() if name in ("map50", "map") or name.endswith("accuracy")}
    if any(sample.prefix.startswith("<VQA>") for sample in answers.samples):
        kept |= _questions(data, answers)
    return {"rows": len(data.select("train")), "seconds": round(seconds, 1)} | {
        name: round(value, 3) for name, value in kept.items()
    }


def _questions(data: DatasetManifest, evaluated: SplitEvaluation) -> dict[str, float]:
    """Return the share of right open answers, and what the most frequent answer to each question is worth."""
    pairs = [(sample.target, sample.text) for sample in evaluated.samples]
    open_ones = [right == answer for right, answer in pairs if right not in ("yes", "no")]
    known: defaultdict[str, Counter[str]] = defaultdict(Counter)
    train = data.select("train").table
    for prefix, suffix in zip(train["prefix"], train["suffix"], strict=True):
        known[prefix][suffix] += 1
    guesses = [
        sample.prefix in known and known[sample.prefix].most_common(1)[0][0] == sample.target
        for sample in evaluated.samples
    ]
    found = {"majority by question": sum(guesses) / len(guesses)}
    return found | ({"open answers": sum(open_ones) / len(open_ones)} if open_ones else {})


def first_answer_seconds(base: str) -> float:
    """Return the least time of three fresh processes from imports done to the first answer, on one core."""
    with tempfile.TemporaryDirectory() as folder:
        script = _FIRST_ANSWER.format(base=base, file=str(Path(folder, "red.png")))
        command = [sys.executable, "-c", script]
        return min(float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(3))


def _rows(source: str, task: str) -> DatasetManifest:
    config = Configuration(dataset=source)
    splits = split_dataset(ingest(config.dataset), config.split)
    return splits.drop(splits.table.index[splits.table["task"] != task].tolist())


def _random(base: str, seed: int, folder: str) -> str:
    """Write a base of the same size that was never trained."""
    from pretraining.model import build_model, export_model
    from pretraining.sizes import SIZES
    from pretraining.vocabulary import build_processor

    size = SIZES[base.removeprefix("builtin:")]
    processor: Any = build_processor(size.side, size.image_tokens, size.words)
    path = Path(folder, f"random-{seed}")
    export_model(build_model(size, processor, seed), processor, path)
    return str(path)


if __name__ == "__main__":
    main()
