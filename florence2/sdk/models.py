"""Models by name: ``load`` one for many prompts, or ``evaluate`` and ``predict`` in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from florence2.adapters import model_source
from florence2.config import Configuration, ModelConfig
from florence2.datasets import ingest, read_coco_ids
from florence2.errors import ConfigurationError
from florence2.evaluation import ModelEvaluation
from florence2.inference import ImagePredictions, find_images, images_like, predict_images
from florence2.model import best_device
from florence2.printable import first_line
from florence2.sdk.model import Model, check_evaluation, prepare_network
from florence2.sdk.preparation import check_output, settings_of, tasks_of
from florence2.sdk.progress import shown_progress

__all__ = ["evaluate", "load", "predict"]


def load(model: str | Path, revision: str | None = None, device: str = "auto") -> Model:
    """Load a model that answers prompts.

    Args:
        model: the folder of a run (its best epoch), of a checkpoint or of a saved model; ``builtin:nano``; a hub id
            such as ``florence-community/Florence-2-base-ft``; or ``models:/NAME@ALIAS`` or ``models:/NAME/3`` of the
            MLflow store of ``MLFLOW_TRACKING_URI``, else of the local stack.
        revision: branch, tag or commit of a hub id.
        device: ``auto``: the GPU if there is one; or as torch names it: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.

    Returns:
        The model in float32, adapters merged.

    Raises:
        ConfigurationError: this machine has no such device.
        ModelError: there is no such model, it is damaged, or the run has no finished epoch yet.
        RegistryError: there is no such registered model, or no store.

    Example:
        >>> import florence2
        >>> florence2.load("builtin:nano", device="cpu")
        Model('builtin:nano', device='cpu')
    """
    if device != "auto":
        _check_device(device)
    florence2 = model_source(ModelConfig(base=str(model), revision=revision)).load()
    florence2 = replace(florence2, device=best_device() if device == "auto" else device)
    prepare_network(florence2)
    return Model(florence2, str(model))


def evaluate(
    model: Path | str,
    configuration: Configuration | Mapping[str, Any],
    split: str = "test",
    output: Path | str | None = None,
) -> ModelEvaluation:
    """Evaluate a model on one split of a data set.

    Args:
        model: as ``load`` takes it.
        configuration: names the data set, the metrics and the settings of generation; of its section ``model`` only
            the revision is used.
        split: ``train``, ``valid`` or ``test``.
        output: folder for ``metrics.json``, ``predictions.jsonl`` and ``report.html``; created if it is missing.

    Returns:
        The scores by name, in 0..1 unless the metric says otherwise, with their intervals, the scores of each class,
        and the worst samples.

    Raises:
        ConfigurationError: there is no such split, or the output cannot be written.
        ModelError: there is no such model.
        DatasetError: the data set cannot be read or breaks the rules, or the split is empty.

    Example:
        >>> import florence2
        >>> evaluation = florence2.evaluate("runs/1", {"dataset": "my/cards"}, "valid")  # doctest: +SKIP
        >>> evaluation.metrics["map50"], evaluation.intervals["map50"]  # doctest: +SKIP
        (0.91, Interval(low=0.87, high=0.94, level=0.95))
    """
    config = settings_of(configuration)
    check_evaluation(config, split, output)
    source = model_source(ModelConfig(base=str(model), revision=config.model.revision))
    with shown_progress():
        tasks = tasks_of(config, source.tasks())
        manifest = ingest(config.dataset, tasks)  # before the model: reading the data set is cheaper
        return load(model, config.model.revision).evaluate_manifest(config, manifest, split, output)


def predict(
    model: str | Path,
    images: str | Path | Sequence[str | Path],
    prefix: str = "<OD>",
    configuration: Configuration | Mapping[str, Any] | None = None,
    output: Path | str | None = None,
    like: Path | str | None = None,
) -> ImagePredictions:
    """Answer a prompt about image files; see ``load`` for images in memory and for more than one prompt.

    Args:
        model: as ``load`` takes it.
        images: files, folders or patterns, one or several.
        prefix: the prompt, such as ``<OD>`` or ``<VQA>How many cards are there?``.
        configuration: settings of generation, the revision of a hub id, and tasks that a model of another program does
            not name itself.
        output: folder for the answers and the drawn images.
        like: a COCO data set whose ids of images and categories the COCO results in ``output`` take; images are matched
            by file name, classes by name. ``coco().notes`` of the result says what it lacks.

    Returns:
        An answer for each image; for an image that cannot be decoded the reason.

    Raises:
        AnswerError: the prefix is not a task token with what belongs to it.
        ConfigurationError: a setting is invalid, or no image was given.
        DatasetError: none of the images can be decoded, or ``like`` cannot be read or has none of them.
        ModelError: there is no such model.

    Example:
        >>> import florence2
        >>> found = florence2.predict("runs/1", "photos/*.jpg", "<OD>", output="answers")  # doctest: +SKIP
        >>> found.counts()["boxes"]  # doctest: +SKIP
        42
    """
    config = settings_of(configuration)
    check_output(output)
    source = model_source(ModelConfig(base=str(model), revision=config.model.revision))
    tasks = tasks_of(config, source.tasks())
    tasks.split_prefix(prefix)
    found = find_images([str(path) for path in ([images] if isinstance(images, str | Path) else images)])
    ids = None if like is None else read_coco_ids(Path(like))
    if ids is not None:
        images_like(ids, found)  # raises where it fits none of them, before the model works
    florence2 = source.load()
    florence2.record_tasks(tasks)  # a model of another program has no record of its tasks
    predictions = replace(predict_images(florence2, found, prefix, config.evaluation), like=ids)
    if output is not None:
        predictions.save(Path(output))
    return predictions


def _check_device(name: str) -> None:
    """Raise for a device that this machine does not have.

    Raises:
        ConfigurationError: there is no device of that name.
    """
    import torch

    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as exc:
        raise ConfigurationError(
            f"device {name!r}: this machine has none ({first_line(exc)}); give 'auto' or 'cpu'"
        ) from exc
