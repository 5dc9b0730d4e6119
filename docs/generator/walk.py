"""Which files and types a reader meets on the two ways through the library, found by watching a small run.

``python -m docs.generator.walk`` prints them as JSON. It trains the smallest built-in base on four images for one step,
and decides between two versions of it. ``take_walk`` does so in a process of its own: a profiler sees every call.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

__all__ = ["Walk", "take_walk"]

_ROOT = Path(__file__).resolve().parents[2]
_LIBRARY = f"{_ROOT / 'florence2'}{os.sep}"

_WORD = "umbrella"
"""A class name that is one token of the base, by which an annotation is recognised in every form that it takes."""

_DEPTH = 3
"""So many containers within each other are searched."""

_ITEMS = 40
"""So many items of a container are searched."""

_Observer = Callable[[FrameType, list[Any]], None]


@dataclasses.dataclass(frozen=True)
class Walk:
    """What is passed.

    Attributes:
        files: from the annotation line to the loss: files with a function that takes or returns the text of the
            annotation or its token ids, in the order of the walk.
        run: the number of files with a function that runs meanwhile, whatever it takes.
        types: from the logits to the decision: types of the library whose values are made there and go from one room
            to another, in the order of the walk.
    """

    files: list[str]
    run: int
    types: list[str]


def take_walk() -> Walk:
    """Return the walk through the library as it is now; it needs no network and no GPU."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "XDG_CACHE_HOME": folder,  # what a cache holds would not be passed
            "CUDA_VISIBLE_DEVICES": "",
            "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": str(_ROOT),
        }
        command = [sys.executable, "-W", "ignore", "-m", "docs.generator.walk"]
        done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return Walk(**json.loads(done.stdout.splitlines()[-1]))


def _walk(folder: Path) -> Walk:
    from florence2.config import Configuration, DatasetConfig, ModelConfig
    from florence2.datasets import ingest
    from florence2.model import load_base
    from florence2.training import fit

    _write_dataset(folder / "data")
    base = load_base(ModelConfig(base="builtin:nano"))
    files = FilesOf(max(base.tokenizer(_WORD)["input_ids"]))
    with observed(files, until="compute_loss"):
        manifest = ingest(DatasetConfig(source=str(folder / "data")))
        training = Configuration(epochs=1, batch_size=4, loader_workers=0).training
        fit(manifest, ModelConfig(base="builtin:nano"), training, folder / "trained")
    base.model.save_pretrained(folder / "base")
    base.processor.save_pretrained(folder / "base")
    return Walk(list(files.found), len(files.run), _types_to_decision(folder / "base", manifest.select("test")))


def _write_dataset(folder: Path) -> None:
    import numpy as np
    from PIL import Image

    for seed, split in enumerate(("train", "valid", "test")):
        (folder / split).mkdir(parents=True)
        lines = []
        for number in range(4):
            pixels = np.random.default_rng([seed, number]).integers(0, 256, (64, 64, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / split / f"{number}.png")
            suffix = f"{_WORD}<loc_100><loc_200><loc_300><loc_400>"
            lines.append(json.dumps({"image": f"{number}.png", "prefix": "<OD>", "suffix": suffix}) + "\n")
        (folder / split / "annotations.jsonl").write_text("".join(lines), encoding="utf-8")


def _types_to_decision(weights: Path, test: Any) -> list[str]:
    """Evaluate a model, decide whether it becomes champion in its own stead, and return what was made for it."""
    from florence2.config import EvaluationConfig, PromotionConfig
    from florence2.datasets import ValidationReport
    from florence2.evaluation import evaluate_weights
    from florence2.promotion import Candidate, Candidates, ServingCheck, decide, gather_evidence

    policy = PromotionConfig()
    champion, challenger = (
        Candidate(name="n", version=v, uri="", tracking_uri="", content=v, test_fingerprint=test.fingerprint)
        for v in ("1", "2")
    )
    candidates = Candidates(champion=champion, challenger=challenger)
    served = ServingCheck(load_seconds=1, seconds_per_image=1, memory_gib=1)
    checked = ValidationReport(len(test), 0, {}, {}, (), (), "")
    types = _TypesBetweenRooms(inputs=(policy, candidates, served, checked))
    with observed(types):
        evaluated = evaluate_weights(weights, "n", test, EvaluationConfig(max_new_tokens=16, resamples=20))
        both = {version.version: (served, evaluated) for version in (champion, challenger)}
        floors = {"base": evaluated, "baseline": evaluated}
        decide(policy, gather_evidence(policy, candidates, both, test, checked, frozenset(), **floors))
    return [kind.__name__ for kind in types.found]


@contextlib.contextmanager
def observed(observer: _Observer, until: str = "") -> Iterator[None]:
    """Show an observer the arguments and the result of each function of the library; modules are not functions.

    Args:
        observer: called with the frame of the function and with its arguments, or with its result alone.
        until: name of a function, of any library, with whose return it ends.
    """

    def profile(frame: FrameType, event: str, result: Any) -> None:
        code = frame.f_code
        if event == "return" and code.co_name == until:
            sys.setprofile(None)
        elif event in ("call", "return") and code.co_filename.startswith(_LIBRARY) and code.co_name != "<module>":
            names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
            arguments = [frame.f_locals.get(name) for name in names if name not in ("self", "cls")]
            sys.setprofile(None)
            observer(frame, arguments if event == "call" else [result])
            sys.setprofile(profile)

    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(None)


class FilesOf:
    """Collects the files whose functions take or return an annotation."""

    def __init__(self, token_id: int) -> None:
        self.found: dict[str, None] = {}
        self.run: set[str] = set()
        self._token_id = token_id

    def __call__(self, frame: FrameType, values: list[Any]) -> None:
        name = Path(frame.f_code.co_filename).relative_to(_LIBRARY).as_posix()
        self.run.add(name)
        if name not in self.found and any(map(self.holds, values)):
            self.found[name] = None

    def holds(self, value: Any, depth: int = 0) -> bool:
        """Return whether a value is, or holds within a few containers, the text of the annotation or its token ids."""
        if isinstance(value, str | bytes):
            return _WORD in (value if isinstance(value, str) else value.decode(errors="replace"))
        if isinstance(value, int):
            return depth > 0 and value == self._token_id
        return depth <= _DEPTH and any(self.holds(item, depth + 1) for item in _items(value))


def _items(value: Any) -> list[Any]:
    """Return the items of a container: of a table, an array, a mapping, a sequence or a dataclass."""
    import numpy as np
    import pandas as pd
    import torch

    if isinstance(value, torch.Tensor):
        return [] if value.is_floating_point() else value.flatten().tolist()
    if isinstance(value, np.ndarray):
        return value.ravel()[:_ITEMS].tolist() if value.dtype.kind in "OUi" else []
    if isinstance(value, pd.DataFrame):
        return [value[name] for name in value.columns]
    if isinstance(value, pd.Series):
        return value.iloc[:_ITEMS].tolist()
    if isinstance(value, dict):
        return [*list(value)[:_ITEMS], *list(value.values())[:_ITEMS]]
    if isinstance(value, list | tuple):
        return list(value[:_ITEMS])
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name, None) for field in dataclasses.fields(value)]
    return []


class _TypesBetweenRooms:
    """Collects the types whose values are first seen when answers are generated, and go from one room to another."""

    def __init__(self, inputs: tuple[object, ...]) -> None:
        self.found: dict[type, None] = {}
        self._before = {type(value) for value in inputs}
        self._generated = False

    def __call__(self, frame: FrameType, values: list[Any]) -> None:
        types = {kind for value in values for kind in _types_in(value)}
        if not self._generated:
            self._before |= types
            self._generated = frame.f_code.co_name == "generate"
        elif _room(frame) != _room(frame.f_back):
            self.found |= dict.fromkeys(sorted(types - self._before - set(self.found), key=lambda kind: kind.__name__))


def _types_in(value: Any, depth: int = 0) -> Iterator[type]:
    """Yield the types of the library's values in a value, but not of what they are made of themselves."""
    kind = type(value)
    if kind.__module__.startswith("florence2.") and (dataclasses.is_dataclass(kind) or hasattr(kind, "model_fields")):
        yield kind
    elif depth < _DEPTH and isinstance(value, dict | list | tuple):
        for item in _items(value):
            yield from _types_in(item, depth + 1)


def _room(frame: FrameType | None) -> str:
    """Return the room of the innermost function of the library that a frame is in; empty for none."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(_LIBRARY):
            return Path(frame.f_code.co_filename).relative_to(_LIBRARY).parts[0]
        frame = frame.f_back
    return ""


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as _folder:
        print(json.dumps(dataclasses.asdict(_walk(Path(_folder)))))
