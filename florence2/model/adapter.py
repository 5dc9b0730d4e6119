"""A PEFT adapter on disk, of this package or of another program: its settings, its base, its weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from florence2.config import ModelConfig
from florence2.errors import ModelError
from florence2.model.microsoft.weights import read_tensors

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ADAPTER_FILES", "Adapter", "is_adapter"]

_CONFIG = "adapter_config.json"
_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")

ADAPTER_FILES = (_CONFIG, *_WEIGHTS)
"""Names of the files of an adapter."""


@dataclass(frozen=True)
class Adapter:
    """An adapter on disk.

    Attributes:
        folder: folder of its files.
        settings: content of adapter_config.json.
    """

    folder: Path
    settings: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Adapter:
        """Read the settings of an adapter.

        Raises:
            ModelError: they cannot be read, or it is no LoRA.
        """
        file = folder / _CONFIG
        try:
            settings = dict(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as exc:
            raise ModelError(f"{file}: cannot be read ({exc}); save the adapter again") from exc
        if settings.get("peft_type") != "LORA":
            raise ModelError(
                f"{file}: peft_type is {settings.get('peft_type')}, and only LORA and its variants are merged here; "
                "merge it where it was trained, and save the whole model"
            )
        return cls(folder, settings)

    @property
    def base(self) -> ModelConfig:
        """Return the base that it names.

        Raises:
            ModelError: it names none.
        """
        name = self.settings.get("base_model_name_or_path")
        if not name:
            raise ModelError(
                f"{self.folder / _CONFIG}: names no base; give it by "
                f"`florence2 import {self.folder} FOLDER --base BASE`"
            )
        return ModelConfig(base=name, revision=self.settings.get("revision"))

    def weights(self) -> dict[str, Tensor]:
        """Return its weights in float32, by the names of peft.

        Raises:
            ModelError: they are missing or damaged.
        """
        for name in _WEIGHTS:
            if (self.folder / name).is_file():
                return {key: tensor.float() for key, tensor in read_tensors(self.folder / name)}
        raise ModelError(f"{self.folder}: has an {_CONFIG} and no {_WEIGHTS[0]}; copy the whole adapter")


def is_adapter(folder: Path) -> bool:
    """Return whether a folder holds an adapter and no whole model."""
    whole = {file.name for pattern in ("*.safetensors", "*.bin") for file in folder.glob(pattern)} - {*_WEIGHTS}
    return (folder / _CONFIG).is_file() and not ((folder / "config.json").is_file() and whole)
