"""Short trainings of one base: each starts from the same weights and ends with a validation loss."""

from __future__ import annotations

import gc
import math
from collections.abc import Mapping

import torch
from accelerate.utils.memory import should_reduce_batch_size
from transformers.trainer_utils import IntervalStrategy, SaveStrategy

from florence2.errors import OutOfMemoryError, TrainingError
from florence2.model import quiet_transformers
from florence2.training.arguments import trainer_arguments
from florence2.training.job import Job, encode, load_base_of, make_tuner
from florence2.training.run_state import RunState
from florence2.training.stopping import StopRequest
from florence2.training.trainer import FineTuner

__all__ = ["ShortTrainings"]


class ShortTrainings:
    """A base that is trained again and again; base and samples are loaded once.

    Args:
        job: the fine-tune, in one process; nothing is saved in its folder.
        micro_batch_size: samples in one forward pass.

    Attributes:
        florence2: the model, with the weights of the last training.
        default_rate: peak learning rate of the job where none is given.
    """

    def __init__(self, job: Job, micro_batch_size: int) -> None:
        self._job, self.florence2, self.default_rate = load_base_of(job)
        self._micro_batch_size = micro_batch_size
        self._samples = encode(self._job, self.florence2)
        self._start = {name: weights.detach().cpu().clone() for name, weights in self._trainable().items()}

    def loss_of(self, learning_rate: float, steps: int) -> float:
        """Return the validation loss after a training with a warm-up and a decay of its own; infinity if it diverged.

        Args:
            learning_rate: its peak.
            steps: of the training; 0 for the loss of the base.
        """
        with torch.no_grad():
            for name, weights in self._trainable().items():
                weights.copy_(self._start[name])
        with quiet_transformers():
            tuner = self._tuner(learning_rate, steps)
            try:
                if steps:
                    tuner.train_from(None)
                return tuner.evaluate()["eval_loss"]
            except TrainingError:
                return math.inf
            except Exception as exc:
                if not should_reduce_batch_size(exc):
                    raise
                raise OutOfMemoryError(
                    f"a micro-batch of {self._micro_batch_size} samples does not fit into the memory"
                ) from exc
            finally:
                # Each trainer wraps the model anew where it computes in bfloat16.
                tuner.accelerator.unwrap_model(tuner.model, keep_fp32_wrapper=False)
                del tuner
                gc.collect()  # the trainer and its callbacks refer to each other

    def _trainable(self) -> Mapping[str, torch.nn.Parameter]:
        return {name: weights for name, weights in self.florence2.model.named_parameters() if weights.requires_grad}

    def _tuner(self, learning_rate: float, steps: int) -> FineTuner:
        job = self._job
        arguments = trainer_arguments(
            job.training,
            learning_rate,
            job.storage.folder,
            rows=len(job.train),
            micro_batch_size=self._micro_batch_size,
            processes=1,
            best_by="loss",
            higher_is_better=False,
        )
        arguments.max_steps = steps
        arguments.eval_strategy, arguments.save_strategy = IntervalStrategy.NO, SaveStrategy.NO
        state = RunState(job.storage.folder, {})
        # Not entered: signals stop a short training as they stop any program.
        return make_tuner(job, self.florence2, self._samples, arguments, state=state, stop=StopRequest(), callbacks=[])
