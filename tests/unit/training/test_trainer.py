"""The validation loss of the trainer; what it does in a whole training is tested with ``fit``."""

from __future__ import annotations

import numpy as np
import pytest
from transformers import EvalPrediction

from florence2.training.trainer import _loss_per_token


def test_the_validation_loss_is_the_mean_over_tokens_not_over_answers() -> None:
    """A short answer with a high loss counts by its tokens, whatever the batch."""
    sums, tokens = np.array([6.0, 1.0, 2.0]), np.array([1, 4, 4])
    assert _loss_per_token(EvalPrediction(sums, tokens)) == {"loss": pytest.approx(1.0)}
