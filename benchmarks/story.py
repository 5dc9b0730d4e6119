"""The life of a model on built-in data, step by step: ``make story``.

    python -m benchmarks.story

A first model becomes champion; a second night without news trains nothing; more data makes a better model, which is
promoted; data with wrong labels makes a worse one, which is kept back; and a rollback takes the promotion back. It runs
in a copy of the project with stores of its own, and ends with status 1 if a step had another result.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from florence2.builtin.cards import CARD_CLASSES
from florence2.codec.grammar import format_spans, scan_boxes
from florence2.datasets.location import locate
from tests.integration.forked import run_process
from tests.integration.project import Project

__all__ = ["mislabel", "write_cards"]

_NAME = "story"


def write_cards(target: Path, images: int, change: Callable[[dict[str, str]], dict[str, str]] = dict) -> None:
    """Write the built-in cards with only the first images of the training split.

    Args:
        target: folder; what is in it is replaced.
        images: training images; validation and test are whole.
        change: what becomes of each annotation of training and validation.
    """
    shutil.rmtree(target, ignore_errors=True)
    source = locate("builtin:cards")
    shutil.copytree(source / "test", target / "test")
    for split in ("train", "valid"):
        (target / split).mkdir()
        lines = [json.loads(line) for line in (source / split / "annotations.jsonl").read_text().splitlines()]
        names = list(dict.fromkeys(line["image"] for line in lines))
        kept = set(names[:images] if split == "train" else names)
        for name in kept:
            shutil.copy(source / split / name, target / split / name)
        text = "".join(json.dumps(change(line)) + "\n" for line in lines if line["image"] in kept)
        (target / split / "annotations.jsonl").write_text(text)


def mislabel(line: dict[str, str]) -> dict[str, str]:
    """Call each card by the name of the next one; every answer is still valid in form."""
    if line["prefix"] != "<OD>":
        return line
    after = dict(zip(CARD_CLASSES, (*CARD_CLASSES[1:], CARD_CLASSES[0]), strict=True))
    spans, _ = scan_boxes(line["suffix"])
    return line | {"suffix": format_spans([(after[span.class_name], span.bins) for span in spans])}


@dataclass
class Story:
    """The project in which it runs, and the steps with another result than expected.

    Attributes:
        project: with stores of its own.
        epochs: of each training.
        surprises: a line for each.
    """

    project: Project
    epochs: int
    surprises: list[str] = field(default_factory=list)

    @property
    def data(self) -> Path:
        """Folder of the data set."""
        return self.project.root / "cards"

    def retrain(self, title: str, verdict: str, champion: str) -> None:
        """Do what ``make retrain`` does, print its summary, and note it if verdict or champion is not this."""
        sections: dict[str, Any] = {
            "dataset": {"source": str(self.data)},
            "training": {"epochs": self.epochs, "batch_size": 8, "preview": 0},
            "evaluation": {"eval_batch_size": 64, "max_new_tokens": 64, "examples": 2},
            "registration": {"model_name": _NAME},
        }
        policy = {"primary": "map50", "class_regression": 0.1, "valid_answers": 0.9}
        files = [
            self.project.write_config("retrain", sections),
            self.project.write_config("promote", sections | {"promotion": policy}),
        ]
        started = time.monotonic()
        done = self.project.execute([sys.executable, "-m", "pipelines.retrain", *map(str, files)])
        page = done.stdout[done.stdout.rfind("# Retraining") :] if "# Retraining" in done.stdout else done.stderr
        self._report(title, page, time.monotonic() - started)
        if f"# Retraining: {verdict}" not in page:
            self.surprises.append(f"{title}: expected {verdict!r}, exit status {done.returncode}")
        self._check_champion(title, champion)

    def rollback(self, title: str, champion: str) -> None:
        """Take the last promotion back on the command line."""
        started = time.monotonic()
        back, listed = self._registry("rollback", "--reason=customers complain"), self._registry("list")
        self._report(title, back + "\n" + listed, time.monotonic() - started)
        self._check_champion(title, champion)

    def _check_champion(self, title: str, version: str) -> None:
        found = self._registry("show", "champion", "--json")
        if not found.startswith("{") or json.loads(found)["version"] != version:
            self.surprises.append(f"{title}: champion is not version {version}: {found[:200]}")

    def _registry(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "florence2.cli", "registry", *arguments, "--name", _NAME]
        done = self.project.execute(command)
        return done.stdout or done.stderr

    def _report(self, title: str, text: str, seconds: float) -> None:
        print(f"\n{'=' * 100}\n{title} ({seconds:.0f} s)\n{'=' * 100}\n{text}", flush=True)


def main() -> int:
    """Run the story; returns the exit status."""
    parser = argparse.ArgumentParser(description="The life of a model on built-in data.")
    parser.add_argument("--epochs", type=int, default=6, help="of each training")
    parser.add_argument("--few", type=int, default=200, help="training images of the first model")
    parser.add_argument("--many", type=int, default=400, help="training images of the others")
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="florence2-story-") as folder:
        # Each command starts as a process of its own, for its seconds are reported.
        story = Story(Project(Project.copy_to(Path(folder)).root, run_process), options.epochs)
        write_cards(story.data, options.few)
        story.retrain(f"1. A first model, of {options.few} images", "promoted", champion="1")
        story.retrain("2. The next night: nothing changed", "nothing changed", champion="1")
        write_cards(story.data, options.many)
        story.retrain(f"3. More data: {options.many} images", "promoted", champion="2")
        write_cards(story.data, options.many, mislabel)
        story.retrain("4. Poisoned data: every card under a wrong name", "held", champion="2")
        story.rollback("5. Back to version 1, by one command", champion="1")
    print(f"\n{time.monotonic() - started:.0f} s in all")
    for surprise in story.surprises:
        print(f"NOT AS EXPECTED: {surprise}")
    return 1 if story.surprises else 0


if __name__ == "__main__":
    sys.exit(main())
