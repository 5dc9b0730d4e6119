"""``train``: from settings to a fine-tuned, evaluated model in a numbered folder."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from florence2.config import AUTO_RATE, Configuration
from florence2.datasets import DatasetManifest
from florence2.errors import ConfigurationError
from florence2.evaluation import (
    EpochEvaluator,
    EvaluationReport,
    TrainingFacts,
    evaluate_baseline,
    evaluate_split,
    public_name,
)
from florence2.model import Checkpoint
from florence2.reports import compare_models, draw_learning_rates, draw_training_plots
from florence2.sdk.model import Model
from florence2.sdk.models import load
from florence2.sdk.preparation import check_output, prepare, settings_of
from florence2.sdk.progress import shown_progress
from florence2.sdk.run_folder.folders import (
    create_numbered_folder,
    has_trained,
    remove_unstarted,
    resumed_configuration,
    save_settings,
    unfinished_run,
)
from florence2.sdk.run_folder.record import RunRecord, save_metrics
from florence2.storage import RunFiles
from florence2.training import EpochRecord, MetricSink, Monitoring, RateChoice, RunStorage, TrainingHistory

__all__ = ["TrainingResult", "train"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingResult:
    """The result of a training.

    Attributes:
        folder: of this run; ``florence2.storage.run_layout`` lists its files.
        checkpoint: the best epoch by validation: ``result.checkpoint.folder`` is its path.
        latest: the last epoch.
        report: base and fine-tuned model on the test split.
        history: the losses, the learning rate and the scores of each epoch.
    """

    folder: Path
    checkpoint: Checkpoint
    latest: Checkpoint
    report: EvaluationReport
    history: TrainingHistory

    @property
    def best(self) -> EpochRecord:
        """Return the epoch that was kept, with its scores on the validation split."""
        return self.history.best

    @property
    def metrics(self) -> Mapping[str, float]:
        """Return the scores of the fine-tuned model on the test split, by name."""
        return self.report.after.metrics

    @property
    def base_metrics(self) -> Mapping[str, float]:
        """Return the scores of the base on the same test split, by name."""
        return self.report.before.metrics

    @property
    def baseline_metrics(self) -> Mapping[str, float]:
        """Return the scores of the best answers without seeing the image on the same test split, by name."""
        baseline = self.report.after.baseline
        return {} if baseline is None else baseline.metrics

    def load(self, device: str = "auto") -> Model:
        """Load the fine-tuned model; see ``florence2.load``."""
        return load(self.folder, device=device)


def train(
    configuration: Configuration | Mapping[str, Any] | None = None,
    output: Path | str = "runs",
    *,
    resume: bool | Path | str = False,
    sink: MetricSink | None = None,
) -> TrainingResult:
    """Fine-tune on the train split, keep the epoch that is best on valid, and evaluate base and result on test.

    The logger ``florence2`` reports progress, a line for each epoch; where no logging is configured, the lines are
    shown on standard error. Ctrl-C, the stop button of a notebook and SIGTERM finish the step, save the run, and report
    the command that resumes it. Where ``metrics`` are named, their scores are computed after each epoch, too, which
    takes the time to answer the validation split.

    Args:
        configuration: the settings, or a mapping with their keys; None: the built-in base on the built-in data.
        output: folder in which a numbered folder is created for this run: ``runs/1``.
        resume: continue a run that was killed or stopped: True for the last one in ``output``, or its folder. The
            result is the same as without the interruption. Only ``training.engine``, ``preview`` and ``evaluation`` may
            differ from the settings of that run.
        sink: called with new numbers by name and the optimizer step; the numbers of step 0 are those of the base.

    Returns:
        The folder of the run, its checkpoints, its scores and its history.

    Raises:
        ConfigurationError: a setting is unknown or invalid, or there is no run to resume.
        DatasetError: the data set cannot be read or breaks the rules.
        ModelError: the base cannot be loaded.
        TrainingError: the training failed, or the run to resume has other data or another base.
        KeyboardInterrupt: Ctrl-C; the run can be resumed.

    Example:
        >>> import florence2
        >>> result = florence2.train({"dataset": "my/cards", "epochs": 10, "batch_size": 8})  # doctest: +SKIP
        >>> result.metrics["map50"], result.best.epoch, result.checkpoint.folder  # doctest: +SKIP
        (0.91, 8, PosixPath('runs/1/checkpoints/best'))
    """
    given = settings_of(configuration)
    with shown_progress():
        if resume is False:
            check_output(output)
            config, splits, evaluator = _prepare(given)
            folder = create_numbered_folder(Path(output))  # last: a mistake in settings or data leaves no folder
            save_settings(config, folder)
        else:
            folder = unfinished_run(Path(output)) if resume is True else Path(resume)
            config = resumed_configuration(folder, given)
            config, splits, evaluator = _prepare(config)
        try:
            return _run(folder, splits, evaluator, config, sink)
        except (KeyboardInterrupt, SystemExit):
            _log_how_to_resume(folder)
            raise
        except Exception:
            if (
                (folder / RunFiles.STATE).is_dir()
                or (folder / RunFiles.LEARNING_RATES).is_file()
                or has_trained(folder)
            ):
                _log_how_to_resume(folder)
            elif resume is False:
                remove_unstarted(folder)  # settings that contradict each other leave no folder, either
            raise


def _prepare(given: Configuration) -> tuple[Configuration, DatasetManifest, EpochEvaluator]:
    """Return all settings, the splits and the evaluator of the validation split.

    Mistakes are reported before the training starts.
    """
    _check_metrics(given)
    prepared = prepare(given)
    config, splits = prepared.config, prepared.splits
    measures = bool(config.evaluation.metrics)
    evaluator = EpochEvaluator.of(splits.select("valid"), config.training, config.evaluation, measures=measures)
    return config, splits, evaluator


def _run(
    folder: Path, splits: DatasetManifest, evaluator: EpochEvaluator, config: Configuration, sink: MetricSink | None
) -> TrainingResult:
    from florence2.training import fit  # expensive: after the checks of settings and data

    config, rates = _with_learning_rate(config, folder, splits)
    record = RunRecord(folder, sink)
    if has_trained(folder):  # only the evaluation was interrupted
        checkpoint = Checkpoint.read(folder / RunFiles.BEST_CHECKPOINT)
    else:
        logger.info("the run is kept in %s", folder)
        checkpoint = fit(
            splits,
            config.model,
            config.training,
            folder / RunFiles.BEST_CHECKPOINT,
            storage=RunStorage(
                folder / RunFiles.STATE, identity=evaluator.identity, latest=folder / RunFiles.LATEST_CHECKPOINT
            ),
            monitoring=Monitoring(sink=record, preview=_PreviewFolder(folder), evaluator=evaluator, evaluate_base=True),
        )
    history = record.history(checkpoint.history, round(checkpoint.epoch))
    draw_training_plots(history, folder / RunFiles.PLOTS)
    draw_learning_rates(rates, folder / RunFiles.PLOTS)
    logger.info("base and fine-tuned model answer the test split")
    train, test = splits.select("train"), splits.select("test")
    before = evaluate_split(checkpoint.load_base(), checkpoint.base, test, config.evaluation)
    tuned = checkpoint.load()  # after the base: one model at a time is in memory
    after = evaluate_split(tuned, "fine-tuned", test, config.evaluation)
    baseline = evaluate_baseline(train, test, config.evaluation)
    measured = TrainingFacts.of(train, history, checkpoint.base, tuned.input_wh)
    facts = {"base": public_name(config.model.base), "strategy": checkpoint.strategy, "data": splits.fingerprint[:12]}
    facts |= rates.facts
    report = compare_models(before, after, facts, config.evaluation, baseline, measured)
    save_settings(config, folder)  # a resumed run may have other settings of the evaluation
    save_metrics(report, history, folder)
    report.save(folder / RunFiles.REPORT)
    return TrainingResult(folder, checkpoint, Checkpoint.read(folder / RunFiles.LATEST_CHECKPOINT), report, history)


def _with_learning_rate(
    config: Configuration, folder: Path, splits: DatasetManifest
) -> tuple[Configuration, RateChoice]:
    """Return the settings with a number for ``auto``, which the folder of the run then holds, and how it was chosen."""
    from florence2.training import choose_learning_rate, read_rate_choice

    file = folder / RunFiles.LEARNING_RATES
    if config.training.learning_rate != AUTO_RATE:
        return config, read_rate_choice(file)  # of a run that is resumed
    chosen = choose_learning_rate(splits, config.model, config.training, file)
    logger.info("learning rate %s", chosen.reason)
    training = config.training.model_copy(update={"learning_rate": chosen.learning_rate})
    config = config.model_copy(update={"training": training})
    save_settings(config, folder)
    return config, chosen


def _check_metrics(config: Configuration) -> None:
    """Raise for metrics that other processes cannot import.

    Raises:
        ConfigurationError: a metric is defined in the script, and several processes train.
    """
    of_the_script = [name for name in config.evaluation.metrics if name.startswith("__main__:")]
    if not of_the_script:
        return
    from florence2.training import process_count

    if process_count(config.training) > 1:
        raise ConfigurationError(
            f"metric {of_the_script[0]!r}: several processes train, and each must import it; define it in a module "
            "of its own, or set training.engine.processes to 1"
        )


def _log_how_to_resume(folder: Path) -> None:
    what = "the evaluation is not finished" if has_trained(folder) else "the training is not finished"
    command = shlex.join(["florence2", "train", "--resume", str(folder)])
    logger.warning("%s; resume it by: %s (in Python: train(resume=%r))", what, command, str(folder))


@dataclass(frozen=True)
class _PreviewFolder:
    """Keeps the images of each validation in the folder of a run."""

    run: Path

    def __call__(self, image: Image.Image, step: int) -> None:
        folder = self.run / RunFiles.PREVIEWS
        folder.mkdir(exist_ok=True)
        image.save(folder / f"step-{step:06d}.png")
