"""``transformers.Trainer`` with complete saves, a halt at the first NaN or infinity, and scores of the tasks."""

from __future__ import annotations

import json
import math
import random
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from transformers import EvalPrediction, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME

from florence2.errors import ConfigurationError, DivergedError, TrainingError
from florence2.model import IGNORED, Florence2, PixelTransform
from florence2.storage import StateFiles
from florence2.training.batches import TrainingSamples
from florence2.training.callbacks import Floors, Patience
from florence2.training.monitoring import Monitoring
from florence2.training.objective import AnswerLoss
from florence2.training.run_state import RunState, is_full
from florence2.training.sampling import EpochOrder
from florence2.training.stopping import StopRequest

__all__ = ["FineTuner"]


class FineTuner(Trainer):
    """Trains, saves completely or not at all, and stops before a NaN or infinity reaches the weights.

    Args:
        args: of the trainer.
        florence2: the model to train.
        train: the samples to train on.
        valid: the samples to validate on.
        order: order of the training samples.
        loss: loss that replaces the model's own; None: that of the model.
        state: folder of the saves.
        save_minutes: least time between two saves, except those of a best epoch.
        stop: checked after each step.
        patience: number of epochs without a new best one that ends the training; None: any number.
        monitoring: evaluates epochs by more than the loss, and receives previews.
        options: passed to ``Trainer``: the collator, callbacks.
    """

    def __init__(
        self,
        *,
        args: TrainingArguments,
        florence2: Florence2,
        train: TrainingSamples,
        valid: TrainingSamples,
        order: EpochOrder,
        loss: AnswerLoss | None,
        state: RunState,
        save_minutes: float,
        stop: StopRequest,
        patience: int | None,
        monitoring: Monitoring,
        **options: Any,
    ) -> None:
        super().__init__(
            model=florence2.model,
            args=args,
            train_dataset=train,
            eval_dataset=valid,
            compute_loss_func=loss,
            compute_metrics=_loss_per_token,
            **options,
        )
        self.order, self.stop = order, stop
        self._samples, self._run, self._monitoring = train, state, monitoring
        self._processor, self._transform = florence2.processor, PixelTransform.of(florence2.processor)
        self._save_seconds = 60 * save_minutes
        self._saved_at = time.monotonic()
        self._agreed: signal.Signals | None = None
        self._batch: Sequence[int] = ()
        self._window: tuple[float, int] | None = None
        self._endings: list[Patience | Floors] = [Patience(patience)] if patience else []
        self._endings += [Floors(monitoring.floors)] if monitoring.floors else []
        self.add_callback(_SaveAndStopCallback(self))
        for ending in self._endings:
            self.add_callback(ending)

    def train_from(self, save: Path | None) -> None:
        """Train to the end, from a save on.

        Args:
            save: the last save; None: train from the beginning.
        """
        if save is not None:
            state = TrainerState.load_from_json(str(save / TRAINER_STATE_NAME))
            if any(ending.is_over(self.args, state) for ending in self._endings):
                self.state = state  # it was killed after its last validation and must not train another step
                return
        self.train(resume_from_checkpoint=str(save) if save else None)

    # --- batches ---------------------------------------------------------------------------------------------------

    def _get_train_sampler(self, train_dataset: Any = None) -> EpochOrder:  # noqa: ARG002
        return self.order

    def _prepare_inputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Remove what is not for the model, and normalise pixels on the device of the model."""
        prepared = dict(super()._prepare_inputs({name: value for name, value in inputs.items() if name != "rows"}))
        self._batch = inputs["rows"].tolist()
        images = prepared["pixel_values"]
        if images.dtype == torch.uint8:
            prepared["pixel_values"] = self._transform.normalise(images)
        if self.compute_loss_func is not None:
            # The trainer removes the labels, from which the model would make its decoder's input.
            prepared["decoder_input_ids"] = self._shifted(prepared["labels"])
        return prepared

    def _shifted(self, labels: torch.Tensor) -> torch.Tensor:
        from transformers.models.florence2.modeling_florence2 import shift_tokens_right

        text: Any = self.accelerator.unwrap_model(self.model).config.text_config
        shifted: torch.Tensor = shift_tokens_right(labels, text.pad_token_id, text.decoder_start_token_id)
        return shifted

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:  # noqa: ARG002
        """Return 0: to count them, which has no use here, the trainer would visit all parameters in every step."""
        return 0

    # --- NaN and infinity ------------------------------------------------------------------------------------------

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> torch.Tensor:
        """Train on one batch.

        Raises:
            DivergedError: the loss is NaN or infinite.
        """
        if self._window is not None:
            loss, self._globalstep_last_logged = self._window
            self._tr_loss += loss
            self._window = None
        loss_of_step = super().training_step(model, inputs, num_items_in_batch)
        self._halt_unless_finite("loss", loss_of_step)
        return loss_of_step

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        norm = super()._get_grad_norm(model, grad_norm)  # type: ignore[no-untyped-call]
        self._halt_unless_finite("gradient", norm)
        return norm

    def _halt_unless_finite(self, what: str, value: Any) -> None:
        if not math.isfinite(float(value)):
            rate = self.args.learning_rate
            raise DivergedError(
                f"the {what} is NaN or infinite after {self.state.global_step} steps, in the batch of "
                f"{', '.join(self._samples.locations(self._batch))}; "
                f"lower training.learning_rate ({rate:g}), or check these samples"
            )

    # --- the validation --------------------------------------------------------------------------------------------

    def prediction_step(
        self,
        model: Any,
        inputs: dict[str, Any],
        prediction_loss_only: bool,  # noqa: ARG002
        ignore_keys: list[str] | None = None,  # noqa: ARG002
    ) -> tuple[None, torch.Tensor, torch.Tensor]:
        """Return the cross-entropy (n,) of each answer, summed over its tokens, and their number (n,).

        Not the loss of the batch: a mean of such means would depend on the size and the composition of batches.
        """
        prepared = self._prepare_inputs(inputs)
        labels = prepared.pop("labels")
        prepared.setdefault("decoder_input_ids", self._shifted(labels))
        with torch.no_grad(), self.compute_loss_context_manager():
            logits = model(**prepared)["logits"]
        losses = cross_entropy(logits.float().transpose(1, 2), labels, reduction="none", ignore_index=IGNORED)
        return None, losses.double().sum(dim=1), (labels != IGNORED).sum(dim=1)

    def _evaluate(self, *args: Any, **options: Any) -> Any:
        """Validate. Before the first step that is the base, and random numbers and history stay as they are.

        The trainer requests that validation itself, after it has prepared the model for its processes.
        """
        if self.state.global_step:
            return super()._evaluate(*args, **options)
        python_state, numpy_state = random.getstate(), np.random.get_state()
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            metrics = super()._evaluate(*args, **options)
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        self.state.log_history.clear()
        return metrics

    def evaluation_loop(self, *args: Any, **options: Any) -> Any:
        """Compute the loss and the scores of the evaluator."""
        output: Any = super().evaluation_loop(*args, **options)
        evaluator, preview = self._monitoring.evaluator, self._monitoring.preview
        if evaluator is not None:
            trained = self.accelerator.unwrap_model(self.model)
            scores = self._from_first(
                lambda: dict(evaluator(Florence2(trained, self._processor), self.state.global_step, preview))
            )
            output.metrics.update({f"eval_{name}": value for name, value in scores.items()})
        self._check_score(output.metrics)
        return output

    def _check_score(self, metrics: Mapping[str, float]) -> None:
        """Raise if the score that chooses the epoch is missing, NaN or infinite."""
        name = self.args.metric_for_best_model or ""
        if name not in metrics:
            known = ", ".join(sorted(score.removeprefix("eval_") for score in metrics))
            raise ConfigurationError(
                f"training.best_by: the validation split does not define {name.removeprefix('eval_')}; it gives {known}"
            )
        if not math.isfinite(metrics[name]):
            raise DivergedError(
                f"{name} is NaN or infinite after {self.state.global_step} steps; "
                f"lower training.learning_rate ({self.args.learning_rate:g})"
            )

    def _from_first(self, compute: Callable[[], Any]) -> Any:
        """Compute in the first process and send the result to the others."""
        if self.args.world_size == 1:
            return compute()
        values = [compute() if self.is_world_process_zero() else None]
        torch.distributed.broadcast_object_list(values)
        return values[0]

    # --- saves -----------------------------------------------------------------------------------------------------

    @property
    def is_save_due(self) -> bool:
        """Return whether the run must be saved now, the same in all processes."""
        due = self.stop.signal is not None or time.monotonic() - self._saved_at >= self._save_seconds
        # A signal may have reached only the first process, but all must stop after the same step.
        due, self._agreed = self._from_first(lambda: (due, self.stop.signal))
        return bool(due)

    @property
    def is_within_epoch(self) -> bool:
        """Return whether some steps of the current epoch are done and others are not."""
        return not float(self.state.epoch or 0).is_integer()

    def stop_if_requested(self) -> None:
        """Stop if all processes have agreed to stop; the run has been saved."""
        if self._agreed is not None:
            self.stop.raise_for(self._agreed)

    def save_weights(self, step: int) -> None:
        """Write the current weights into the folder of a step's save; a run cannot continue from them alone.

        Raises:
            TrainingError: the disk is full.
        """
        folder = self._run.save_of(step)
        try:
            self.save_model(str(folder))
        except Exception as exc:
            if not is_full(exc):
                raise
            raise TrainingError(
                f"{folder}: the disk is full; the training has ended: free space, then start the run again"
            ) from exc

    def save_now(self) -> None:
        """Save the state after the last finished step; it contains nothing of a step that failed."""
        self._save_checkpoint(self.model_wrapped, None)

    def _determine_best_metric(self, metrics: dict[str, float], trial: Any) -> bool:
        # With the strategy "best" an epoch is saved when this is true, so also when a save is due.
        is_best, is_due = super()._determine_best_metric(metrics, trial), self.is_save_due
        return is_best or is_due

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        save = self._run.save_of(self.state.global_step)
        try:
            super()._save_checkpoint(model, trial)
            self.accelerator.wait_for_everyone()
            if self.is_world_process_zero():
                self._complete(save)
        except Exception as exc:
            if not is_full(exc):
                raise
            last = self._run.latest
            kept = f"the save of step {last.name.partition('-')[2]} is kept" if last else "there was no save before"
            raise TrainingError(f"{save}: the disk is full; {kept}: free space, then start the run again") from exc
        self.accelerator.wait_for_everyone()
        self._saved_at = time.monotonic()

    def _complete(self, save: Path) -> None:
        window = [float(self._tr_loss), self._globalstep_last_logged]
        (save / StateFiles.SAVE_WINDOW).write_text(json.dumps(window), encoding="utf-8")
        (save / "training_args.bin").unlink(missing_ok=True)  # a pickle without use
        stopping = self._agreed is not None
        self._run.complete(save, needed=[self.state.best_global_step or 0], stopping=stopping)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None:
            loss, logged_at = json.loads((Path(checkpoint) / StateFiles.SAVE_WINDOW).read_text(encoding="utf-8"))
            self._window = float(loss), int(logged_at)


def _loss_per_token(answers: EvalPrediction) -> dict[str, float]:
    """Return the mean over all tokens of a split, from the results of ``prediction_step``."""
    sums: Any = answers.predictions
    tokens: Any = answers.label_ids
    return {"loss": float(sums.sum() / tokens.sum())}


class _SaveAndStopCallback(TrainerCallback):
    """Decides when to save and when to stop."""

    def __init__(self, tuner: FineTuner) -> None:
        self._tuner = tuner

    def on_epoch_begin(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Set the epoch of the order, also where an epoch continues after an interruption."""
        self._tuner.order.epoch = math.floor(state.epoch or 0)

    def on_step_end(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,  # noqa: ARG002
        control: TrainerControl,
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Save if a save is due; the last step of an epoch is saved with its validation."""
        if self._tuner.is_within_epoch and self._tuner.is_save_due:
            control.should_save = True

    def on_save(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,  # noqa: ARG002
        control: TrainerControl,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Stop after the save if there was a signal."""
        self._tuner.stop_if_requested()
