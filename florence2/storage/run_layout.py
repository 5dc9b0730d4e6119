"""The names of all files and folders that a run, its checkpoints and its reports consist of.

runs/1/configuration.yaml   every setting, resolved; what ``florence2 train --config`` and ZenML's ``-c`` take
       command.txt          the command that repeats the run
       learning_rates.json  losses of the short trainings, where the learning rate was searched for
       history.jsonl        losses and scores, a line for each log, while it trains
       metrics.json         scores of base and fine-tuned model, the best epoch, the history
       plots/               each score by epoch
       validation/          images with the model's answers, for each validation
       checkpoints/best     the best epoch by validation; of an interrupted run the best so far
       checkpoints/latest   the last epoch that was finished
       report/              base and fine-tuned model on the test split
       state/               saves from which an interrupted run continues; removed at its end

state/identity.json         hashes of data, base and settings; a run of anything else is refused
      lock                  held while a process trains here
      checkpoint-120/       a save of the trainer after 120 steps; complete once it holds ``complete.json``
      finished.json         the training has ended: its history and its best step

checkpoint/checkpoint.json  strategy, base and its fingerprint, metrics, history, classes
           adapter/         strategy lora: the PEFT adapter
           model/           strategies full and freeze: the whole model with its processor

answers/predictions.jsonl   the answers to one prompt about images, a line each
        predictions.json    root, prompt and counts; complete once it is there
        coco_results.json   the boxes as COCO results
        coco_dataset.json   the images and categories that the ids of these results mean
        drawn/              images with what was found in them
"""

from __future__ import annotations

from typing import Final

__all__ = ["AnswerFiles", "CheckpointFiles", "ReportFiles", "RunFiles", "StateFiles", "TuningFiles"]


class RunFiles:
    """Names in the folder of a run."""

    CONFIGURATION: Final = "configuration.yaml"
    COMMAND: Final = "command.txt"
    LEARNING_RATES: Final = "learning_rates.json"
    HISTORY: Final = "history.jsonl"
    METRICS: Final = "metrics.json"
    PLOTS: Final = "plots"
    PREVIEWS: Final = "validation"
    BEST_CHECKPOINT: Final = "checkpoints/best"
    LATEST_CHECKPOINT: Final = "checkpoints/latest"
    REPORT: Final = "report"
    STATE: Final = "state"


class StateFiles:
    """Names in the folder from which an interrupted run continues, and in the saves there."""

    IDENTITY: Final = "identity.json"
    LOCK: Final = "lock"
    FINISHED: Final = "finished.json"
    SAVE_PREFIX: Final = "checkpoint-"
    SAVE_COMPLETE: Final = "complete.json"
    SAVE_WINDOW: Final = "window.json"


class CheckpointFiles:
    """Names in the folder of a checkpoint."""

    CARD: Final = "checkpoint.json"
    ADAPTER: Final = "adapter"
    MODEL: Final = "model"


class ReportFiles:
    """Names in the folder of a report: of a fine-tune, or of the evaluation of one model."""

    DATA: Final = "report.json"
    PAGE: Final = "report.html"
    METRICS: Final = "metrics.json"
    PREDICTIONS: Final = "predictions.jsonl"


class AnswerFiles:
    """Names in the folder of the answers to one prompt about images."""

    LINES: Final = "predictions.jsonl"
    HEADER: Final = "predictions.json"
    RESULTS: Final = "coco_results.json"
    DATASET: Final = "coco_dataset.json"
    DRAWN: Final = "drawn"


class TuningFiles:
    """Names in the folder of a search for settings."""

    PLAN: Final = "plan.json"
    TRIALS: Final = "trials"
    RUNNING: Final = "running"
    RECIPE: Final = "recipe.yaml"
    PAGE: Final = "tuning.html"
