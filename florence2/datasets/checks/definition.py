"""What a rule is: a function that flags the items of a view and words the finding, and what is said about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import numpy as np
import pandas as pd

from florence2.datasets.checks.view import Flags, ItemT, View
from florence2.errors import Florence2Error

__all__ = ["Finding", "RepairKind", "Rule", "Severity", "rule"]

Severity = Literal["error", "warning", "note"]
RepairKind = Literal["clip", "drop-box", "strip", "drop-row"]
ViewT = TypeVar("ViewT", bound=View[Any])


class Finding(Generic[ItemT]):
    """What breaks a rule in a view.

    Attributes:
        checked: items that were checked, those without a fault included.
        positions: int64 (k,), positions in the view of the items that break the rule, ascending.
        message: says what is wrong with one item.
        value: returns the offending value of one item.
    """

    def __init__(
        self,
        broken: Flags | pd.Series[bool],
        message: Callable[[ItemT], str],
        value: Callable[[ItemT], object] = lambda item: item.value,
    ) -> None:
        """Make a finding.

        Args:
            broken: (n,), whether each item of the view breaks the rule; NA counts as False.
            message: says what is wrong with one item. It is only called for items that are reported.
            value: returns the offending value of one item; by default the item's own.
        """
        flags = broken.fillna(False) if isinstance(broken, pd.Series) else broken
        self.checked = len(flags)
        self.positions = np.flatnonzero(np.asarray(flags, dtype=bool))
        self.message = message
        self.value = value


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        code: stable name in kebab case.
        severity: an error keeps rows out of training, a warning does not, a note is only counted and listed.
        view: the view that the rule looks at.
        sentence: what breaks the rule, in general.
        remedy: what the user can do about it.
        example: something that breaks the rule, for the documentation.
        find: flags the items of such a view and words the finding.
        repair: how it can be repaired without a doubt, None if a person must look.
        tolerable: whether a training survives it, so that an error may be made a warning.
        concerns_rows: whether there are rows that could be left out for it.
    """

    code: str
    severity: Severity
    view: type[View[Any]]
    sentence: str
    remedy: str
    example: str
    find: Callable[[Any], Finding[Any]]
    repair: RepairKind | None = None
    tolerable: bool = False
    concerns_rows: bool = True

    def check(self, view: View[Any]) -> Finding[Any]:
        """Apply the rule to a view.

        Raises:
            Florence2Error: the rule did not flag each item of the view.
        """
        finding = self.find(view)
        if finding.checked != len(view.table):
            raise Florence2Error(
                f"rule {self.code} of {self.find.__module__} returned {finding.checked} flags for the "
                f"{len(view.table)} items of the view {view.name}; return one flag for each"
            )
        return finding


def rule(
    view: type[ViewT],
    severity: Severity,
    *,
    remedy: str,
    example: str,
    repair: RepairKind | None = None,
    tolerable: bool = False,
    concerns_rows: bool = True,
) -> Callable[[Callable[[ViewT], Finding[Any]]], Rule]:
    """Make a rule of a function: its name becomes the code, its docstring the sentence.

    Args:
        view: the view that the function takes.
        severity: an error keeps rows out of training, a warning does not, a note is only counted and listed.
        remedy: what the user can do about it; continues a sentence, without a full stop.
        example: something that breaks the rule.
        repair: how it can be repaired without a doubt, None if a person must look.
        tolerable: whether a training survives it, so that an error may be made a warning.
        concerns_rows: whether there are rows that could be left out for it.

    Returns:
        A decorator that returns the rule.
    """

    def decorate(find: Callable[[ViewT], Finding[Any]]) -> Rule:
        return Rule(
            code=find.__name__.replace("_", "-"),
            severity=severity,
            view=view,
            sentence=" ".join((find.__doc__ or "").split()),
            remedy=remedy,
            example=example,
            find=find,
            repair=repair,
            tolerable=tolerable,
            concerns_rows=concerns_rows,
        )

    return decorate
