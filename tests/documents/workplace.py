"""The folder in which the commands of the pages are run: the data, images and runs that the pages speak of."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

from tests.builders import write_image, write_scenes
from tests.documents.blocks import ROOT
from tests.documents.terminal import Terminal
from tests.waiting import wait_for

__all__ = ["STAND_INS", "Workplace", "trains_in_seconds"]

_HUB = "florence-community/Florence-2-base-ft"

STAND_INS = {
    "--dataset=builtin:cards": "--dataset=my-set",
    f"--model={_HUB}": "--model=builtin:nano",
    f"--model {_HUB}": "--model=builtin:nano",
    "sqlite:///...": "sqlite:///mlflow.db",
    "epochs=10": "epochs=2",
    "epochs 10": "epochs 2",
    '"epochs": 10': '"epochs": 2',
}
"""What replaces what a test cannot have: a hub, hours."""

_IN_SECONDS = {"--model=builtin:nano": ("--model", "--base"), "--epochs=2": ("--epochs",)}
"""What a training gets that names neither."""

_QUICK = ["--model=builtin:nano", "--preview=0", "--resamples=20", "--max-new-tokens=32"]


_IMAGES = (
    "my-jsonl/train/a.jpg",
    "my-roboflow/a.jpg",
    "my-coco/train/a.jpg",
    "my-voc/JPEGImages/a.jpg",
    "my-yolo/images/train/a.jpg",
    "my-labelme/a.jpg",
    "my-cvat/images/a.jpg",
    "my-label-studio/images/a.jpg",
    "my-csv/train/a.jpg",
    "my-imagefolder/train/a.jpg",
    "my-questions/train/images/7.png",
    "my-questions-in-words/train/a.jpg",
)
"""Images of small sets whose annotations the pages show."""


def trains_in_seconds(command: str) -> str:
    """Return a command; one that trains where base, epochs or trials are left open gets small ones."""
    started = next((name for name in ("florence2 train", "florence2 tune") if command.startswith(f"{name} ")), None)
    if started is None or "--resume" in command:
        return command
    added = [option for option, names in _IN_SECONDS.items() if not any(name in command for name in names)]
    if started == "florence2 tune" and "--trials" not in command:
        added.append("--trials=2")
    return " ".join([started, *added]) + command.removeprefix(started)


class Workplace:
    """A folder with everything that the pages name; each page gets a copy of its own."""

    def __init__(self, folder: Path, terminal: Terminal) -> None:
        self.folder, self.terminal = folder, terminal
        folder.mkdir(parents=True)
        (folder / ".venv").symlink_to(ROOT / ".venv")
        shutil.copytree(ROOT / "configs", folder / "configs")
        for file in (folder / "configs").glob("*.yaml"):
            file.write_text(file.read_text(encoding="utf-8").replace(_HUB, "builtin:nano"), encoding="utf-8")
        self._data()
        self._runs()
        self._answers()

    def copy_for(self, page: Path, name: str, *, registry: bool) -> Path:
        """Return a folder in which the commands of a page can be run.

        Args:
            page: the folder of all copies.
            name: of this one.
            registry: whether it needs registered models.
        """
        if registry and not (self.folder / "mlflow.db").exists():
            self._models()
        return shutil.copytree(self.folder, page / name, symlinks=True)

    def _data(self) -> None:
        data = write_scenes(self.folder / "my-set")
        for other in ("my/data", "data/my-set"):
            shutil.copytree(data, self.folder / other)
        (self.folder / "photos").mkdir()
        for number in range(3):
            shutil.copy(data / "test" / f"{number}.png", self.folder / "photos")
        shutil.copy(data / "test" / "0.png", self.folder / "a.png")
        for image in _IMAGES:
            write_image(self.folder / image, (640, 480))
        for number, split in enumerate(["train"] * 8 + ["valid", "test"]):
            write_image(self.folder / "my-receipts" / split / f"{number}.jpg", (480, 640))
            fields = {"company": "ACME", "date": f"{number}/12/2018", "total": f"{number}.00"}
            key = self.folder / "my-receipts" / "key" / f"{number}.json"
            key.parent.mkdir(exist_ok=True)
            key.write_text(json.dumps(fields), encoding="utf-8")

    def _runs(self) -> None:
        """Make one run that ended and two that were killed."""
        self._type("train", "--dataset=my-set", "--epochs=2", *_QUICK)
        slow = ["--dataset=my-set", "--epochs=8", "--save-minutes=0", *_QUICK]
        process = self.terminal.start(["florence2", "train", *slow], self.folder)
        wait_for(lambda: "epoch 1/8" in process.output(), lambda: None if process.running() else process.output())
        process.send(signal.SIGTERM)
        assert process.wait() == 143, process.output()
        for number in (3, 4):
            shutil.copytree(self.folder / "runs" / "2", self.folder / "runs" / str(number))
        shutil.rmtree(self.folder / "runs" / "2")

    def _answers(self) -> None:
        """Make a COCO data set and a results list for it, as any program might have."""
        self._type("convert", "my-set", "as-coco", "--to=coco", "--skip-unsupported")
        self._type("predict", "as-coco/test", "--output=found")
        shutil.copy(self.folder / "as-coco" / "test" / "_annotations.coco.json", self.folder / "instances.json")
        shutil.copy(self.folder / "found" / "coco_results.json", self.folder / "results.json")
        shutil.rmtree(self.folder / "found")

    def _models(self) -> None:
        """Register three versions: the second is champion, the first was, the third is challenger."""
        script = ROOT / "tests" / "documents" / "three_versions.py"
        self.terminal.check(f"python {script} sqlite:///{self.folder / 'mlflow.db'}", self.folder)

    def _type(self, *words: str) -> None:
        self.terminal.check(" ".join(["florence2", *words]), self.folder)
