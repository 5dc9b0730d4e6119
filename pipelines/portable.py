"""Settings that mean the same on every machine: local files that they name are packed into a remote artifact store.

With a local artifact store nothing is packed and every setting stays as it is.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from florence2.config import DatasetConfig, ImagesConfig, ModelConfig, SplitConfig, TrainingConfig
from florence2.datasets import folder_around, is_local, load_frozen_test, locate
from florence2.errors import DatasetError, ModelError
from florence2.model import Adapter, base_files, base_fingerprint, checkpoint_named, is_adapter, resolve
from florence2.recipes import own_recipe
from florence2.storage import fingerprint_folder, is_packed, pack, packed_fingerprint, redact, version_of
from steps.artifact_store import fetch_packed, file_system, remote_folder

__all__ = [
    "content_of",
    "portable_dataset",
    "portable_images",
    "portable_model",
    "portable_named",
    "portable_recipe",
    "portable_split",
]


def portable_dataset(dataset: DatasetConfig) -> DatasetConfig:
    """Return settings whose sources steps can read on any machine.

    Raises:
        DatasetError: a source cannot be read, or the store cannot be written.
    """
    update: dict[str, object] = {"source": _portable(dataset.source, verify=dataset.verify)}
    if dataset.reference is not None:
        update["reference"] = _portable(dataset.reference)
    if is_packed(str(update["source"])):
        update["verify"] = False  # it was verified here; what is fetched is always checked
    return dataset.model_copy(update=update)


def portable_images(images: ImagesConfig) -> ImagesConfig:
    """Return settings whose folder steps can read on any machine; raises as ``portable_dataset``."""
    return images.model_copy(update={"folder": _portable(images.folder)})


def portable_split(split: SplitConfig) -> SplitConfig:
    """Return settings whose frozen test steps can read on any machine; raises as ``portable_dataset``."""
    store, file = remote_folder(), split.frozen_test
    fetch_packed(file)
    if file is None or store is None or is_packed(file):
        return split
    load_frozen_test(Path(file))  # its errors are raised before it is uploaded
    with tempfile.TemporaryDirectory() as folder:
        # Under one name, so that the same content has the same address.
        shutil.copyfile(file, Path(folder, "frozen_test.json"))
        address = pack(Path(folder), store, files=file_system(f"{store}/"))
    return split.model_copy(update={"frozen_test": address})


def portable_model(model: ModelConfig) -> ModelConfig:
    """Return settings whose base steps can load on any machine; a hub id is pinned to its commit.

    Raises:
        ModelError: there is no such base.
        DatasetError: the store cannot be written.
    """
    store = remote_folder()
    if store is None or model.base.startswith("builtin:"):
        return model
    fetch_packed(model.base)
    if is_packed(model.base):
        return model
    folder = _folder_of(model)
    if folder is None:
        return model.model_copy(update={"revision": base_fingerprint(model)})
    if is_adapter(folder) and _folder_of(base := Adapter.read(folder).base) is not None:
        raise ModelError(
            f"{model.base}: is an adapter of {base.base}, a folder that the machines of this stack do not have; give "
            f"the whole model, as `florence2 import {model.base} FOLDER` writes it"
        )
    names = [file.name for file in base_files(folder)]
    return model.model_copy(update={"base": pack(folder, store, names=names, files=file_system(f"{store}/"))})


def portable_recipe(training: TrainingConfig) -> tuple[TrainingConfig, str]:
    """Return settings that name no file of this machine, and the user's recipe as JSON; empty where he has none.

    Raises:
        ConfigurationError: there is no such recipe, or a key or value in its file is wrong.
    """
    own = own_recipe(training.recipe)
    return (training, "") if own is None else (training.model_copy(update={"recipe": own.name}), own.model_dump_json())


def portable_named(model: ModelConfig) -> ModelConfig:
    """Return settings of a model that may be a checkpoint or a run as well.

    Raises:
        ModelError: there is no such model, or it is an adapter of a base in a folder of this machine.
        DatasetError: the store cannot be written.
    """
    store = remote_folder()
    if store is None:
        return model
    fetch_packed(model.base)
    checkpoint = checkpoint_named(model.base)
    if checkpoint is None:
        return portable_model(model)
    base = ModelConfig(base=checkpoint.base, revision=checkpoint.base_revision)
    if checkpoint.strategy == "lora" and _folder_of(base) is not None:
        raise ModelError(
            f"{model.base}: is an adapter of {checkpoint.base}, a folder that the machines of this stack do not have; "
            "give the whole model, as `florence2 export` writes it"
        )
    if is_packed(model.base):
        return model
    return model.model_copy(update={"base": pack(checkpoint.folder, store, files=file_system(f"{store}/"))})


def content_of(source: str, *, verify: bool = False) -> str:
    """Return a text that changes when the content of a source does.

    A URI that steps on other machines will read is not fetched to this one: the versions that its server reports count.

    Args:
        source: of a data set or of images, as the steps get it.
        verify: read every file again.

    Raises:
        DatasetError: it cannot be read.
    """
    if is_packed(source):
        return packed_fingerprint(source)
    if remote_folder() is not None and not source.startswith("builtin:") and not verify:
        version = version_of(source)
        if version is not None:
            return hashlib.sha256(version.encode()).hexdigest()
    path = locate(source, verify=verify)
    if not path.is_file():
        return fingerprint_folder(path, verify=verify)
    folder = folder_around(path)
    content = fingerprint_folder(folder, verify=verify)
    return hashlib.sha256(f"{content}:{path.relative_to(folder).as_posix()}".encode()).hexdigest()


def _folder_of(model: ModelConfig) -> Path | None:
    """Return the folder of a base that is on this machine alone; None for any other."""
    if model.base.startswith("builtin:") or is_packed(model.base):
        return None
    folder = Path(resolve(model))
    return folder if folder.is_dir() else None


def _portable(source: str, *, verify: bool = False) -> str:
    """Pack what is on this machine; also the content of an address with a secret, which no run may store."""
    store = remote_folder()
    if store is None or not (is_local(source) or redact(source) != source):
        return source
    path = locate(source, verify=verify)
    if path.is_file():
        raise DatasetError(
            f"{path}: the machines of this stack get whole folders; give the folder of the data set, "
            f"{folder_around(path)}, with no other annotations in it"
        )
    return pack(path, store, files=file_system(f"{store}/"), verify=verify)
