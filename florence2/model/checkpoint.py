"""``Checkpoint``: a fine-tuned model as a folder of safetensors and JSON.

    checkpoint.json     its description: strategy, base and its fingerprint, metrics, history, classes
    adapter/            strategy lora: the PEFT adapter
    model/              strategies full and freeze: the whole model with its processor

A LoRA checkpoint names the exact base it belongs to and refuses any other. Nothing is pickled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from florence2.codec import TaskTable
from florence2.config import ModelConfig
from florence2.errors import ModelError
from florence2.model.base import load_exact, load_folder
from florence2.model.florence import OWN_TASKS, Florence2, tasks_in
from florence2.model.own_tasks import add_tasks
from florence2.model.quiet import quiet_transformers
from florence2.model.saving import save_folder
from florence2.storage import CheckpointFiles

__all__ = ["Checkpoint"]


@dataclass(frozen=True)
class Checkpoint:
    """A fine-tuned model on disk.

    Attributes:
        folder: folder of its files.
        strategy: of the training: ``lora``, ``full`` or ``freeze``.
        base: the model that was fine-tuned, as configured.
        base_revision: branch, tag or commit of a hub id.
        base_fingerprint: fingerprint of that model.
        epoch: the epoch of these weights, the best by validation.
        metrics: the scores of the validation in that epoch.
        history: what was logged during the training, in order; each entry holds ``step`` and ``epoch``.
        classes: the class names in the answers of the training split; None where the checkpoint has no record of them,
            as those of earlier versions, or no answer has classes.
        own_tasks: its tasks that are not Florence-2's, as ``dump_tasks`` returns them.
    """

    folder: Path
    strategy: Literal["lora", "full", "freeze"]
    base: str
    base_revision: str | None
    base_fingerprint: str
    epoch: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    history: tuple[Mapping[str, float], ...] = ()
    classes: tuple[str, ...] | None = None
    own_tasks: tuple[Mapping[str, Any], ...] = ()

    @property
    def tasks(self) -> TaskTable:
        """Return the tasks that prompts may name.

        Raises:
            ModelError: their record is damaged.
        """
        return tasks_in({OWN_TASKS: self.own_tasks})

    def compute_fingerprint(self) -> str:
        """Read all weights and return the sha256 of everything in the checkpoint on which its answers depend."""
        digest = hashlib.sha256(f"{self.strategy}\0{self.base_fingerprint}\0".encode())
        for file in sorted(self.folder.rglob("*")):
            if file.suffix in (".safetensors", ".json") and file.name != CheckpointFiles.CARD:
                digest.update(file.relative_to(self.folder).as_posix().encode())
                with file.open("rb") as stream:
                    digest.update(hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()

    def load(self) -> Florence2:
        """Load the model with its adapters merged: a plain native Florence-2 in float32 on the CPU.

        Raises:
            ModelError: the base is missing or has changed since the training, or files are missing.
        """
        florence2 = self._load_weights()
        if self.classes is not None:
            florence2.record_classes(self.classes)
        return florence2

    def _load_weights(self) -> Florence2:
        if self.strategy != "lora":
            return load_folder(str(self.folder / CheckpointFiles.MODEL))
        from peft import PeftModel
        from safetensors import SafetensorError

        base = self.load_base()
        add_tasks(base, self.tasks)
        try:
            with quiet_transformers():
                adapted = PeftModel.from_pretrained(base.model, str(self.folder / CheckpointFiles.ADAPTER))
                return Florence2(adapted.merge_and_unload(), base.processor)
        except (KeyError, OSError, RuntimeError, SafetensorError, ValueError) as exc:
            raise ModelError(f"the adapter in {self.folder} is damaged ({exc}); train again") from exc

    def load_base(self) -> Florence2:
        """Load the exact model from which the training started.

        Raises:
            ModelError: it is missing or has changed since.
        """
        return load_exact(ModelConfig(base=self.base, revision=self.base_revision), self.base_fingerprint)

    def export(self, folder: Path | str) -> Path:
        """Write the merged model and its processor for plain transformers and return the folder."""
        return save_folder(self.load(), Path(folder))

    def write_card(self) -> None:
        """Write ``checkpoint.json`` into the folder."""
        card = asdict(self) | {"history": [dict(entry) for entry in self.history]}
        del card["folder"]
        (self.folder / CheckpointFiles.CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Checkpoint:
        """Open a checkpoint folder.

        Raises:
            ModelError: it is not a checkpoint.
        """
        try:
            card: dict[str, Any] = json.loads((folder / CheckpointFiles.CARD).read_text(encoding="utf-8"))
            classes = card.get("classes")
            lists = {"history": tuple(card["history"]), "classes": None if classes is None else tuple(classes)}
            lists["own_tasks"] = tuple(card.get("own_tasks") or ())
            return cls(folder=folder, **card | lists)
        except (OSError, KeyError, TypeError, json.JSONDecodeError) as exc:
            raise ModelError(
                f"{folder} is not a checkpoint: {CheckpointFiles.CARD} is missing or damaged ({exc})"
            ) from exc
