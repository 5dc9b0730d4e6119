"""The two versions that a promotion is about, as the registry has them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from florence2.config import ModelConfig

__all__ = ["Candidate", "Candidates"]


class Candidate(BaseModel):
    """A version in the registry; nothing here changes after it was registered.

    Attributes:
        name: of the registered model.
        version: its number.
        uri: address for ``mlflow.pyfunc.load_model``.
        tracking_uri: of its store.
        content: fingerprint of its weights.
        test_fingerprint: of the test split with which it was registered.
        base: the model from which it was trained; None where the version does not say.
        base_fingerprint: of that model.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    uri: str
    tracking_uri: str
    content: str
    test_fingerprint: str
    base: ModelConfig | None = None
    base_fingerprint: str = ""


class Candidates(BaseModel):
    """The challenger and the champion at the beginning of a promotion.

    Attributes:
        challenger: the version with the alias ``registration.alias``; None where there is none.
        champion: the version that is served; None where there is none yet.
        rollback_reason: why, by whom and when the challenger was rolled back as champion; empty: it was not.
    """

    model_config = ConfigDict(frozen=True)

    challenger: Candidate | None
    champion: Candidate | None
    rollback_reason: str = ""

    @property
    def undecided(self) -> bool:
        """Return whether there is a challenger that is not champion already."""
        return self.challenger is not None and self.challenger != self.champion
