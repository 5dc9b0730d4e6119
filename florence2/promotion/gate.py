"""``Gate``: one condition of a promotion, with its value, its limit and the reason of its outcome."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Gate"]


class Gate(BaseModel):
    """One condition of a promotion.

    Attributes:
        name: for programs.
        title: for people.
        aspect: what the gate is about. ``model``: the scores of the challenger and its data. ``serving``: how it
            serves in another process than that which measured its scores. ``floor``: whether it is better than its
            base and than answers without the image. ``advantage``: whether there is a reason to replace the champion.
            The key in files is ``judges``.
        value: what was measured; None where nothing could be measured.
        limit: what the policy requires; None where it requires no number.
        passed: None where the gate could not be evaluated.
        why: the reason, in a sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True)

    name: str
    title: str
    aspect: Literal["model", "serving", "floor", "advantage"] = Field(alias="judges")
    value: float | None
    limit: float | None
    passed: bool | None
    why: str

    @property
    def outcome(self) -> Literal["passed", "failed", "not evaluated"]:
        """Return the outcome in words."""
        if self.passed is None:
            return "not evaluated"
        return "passed" if self.passed else "failed"
