"""``RateChoice``: the learning rate that short trainings chose, and their losses."""

from __future__ import annotations

from florence2.config import BaseConfig

__all__ = ["RateChoice", "RateTrial"]


class RateTrial(BaseConfig):
    """A short training.

    Attributes:
        learning_rate: that it stands for; a short training runs at a higher one, see ``rate_search``.
        loss: validation loss at its end, per token; None where it diverged.
    """

    learning_rate: float
    loss: float | None


class RateChoice(BaseConfig):
    """The result of a search.

    Attributes:
        learning_rate: to train with; None for the default of the base and the strategy.
        reason: in one sentence; empty where nothing was searched for.
        steps: of each short training.
        base_loss: validation loss of the base.
        trials: the short trainings, by rising rate.
    """

    learning_rate: float | None = None
    reason: str = ""
    steps: int = 0
    base_loss: float | None = None
    trials: tuple[RateTrial, ...] = ()

    @property
    def facts(self) -> dict[str, str]:
        """Return what a report shows of the search; nothing where nothing was searched for."""
        if not self.reason:
            return {}
        losses = [f"{trial.learning_rate:g}: {_words(trial.loss)}" for trial in self.trials]
        tried = {"learning rates tried": f"validation loss of {', '.join(losses)}; base {_words(self.base_loss)}"}
        return {"learning rate": self.reason} | (tried if losses else {})


def _words(loss: float | None) -> str:
    return "diverged" if loss is None else f"{loss:.4g}"
