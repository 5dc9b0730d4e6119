"""What a rule is: a condition on a column of a view, and what to tell the user where it does not hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Check", "IsNull", "NotIn", "RepairKind", "Rule", "Severity", "ViewName"]

Severity = Literal["error", "warning", "note"]
ViewName = Literal["rows", "boxes", "classes", "images", "splits"]
RepairKind = Literal["clip", "drop-box", "strip", "drop-row"]


@dataclass(frozen=True)
class IsNull:
    """The cell is NA: nothing was found to say."""


@dataclass(frozen=True)
class NotIn:
    """The cell is NA or none of these values."""

    values: tuple[str | int | bool, ...]


Check = IsNull | NotIn


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        code: stable name in kebab case.
        severity: an error keeps rows out of training, a warning does not, a note is only counted and listed.
        view: the view that holds the column.
        sentence: what breaks the rule, in general.
        remedy: what the user can do about it.
        example: something that breaks the rule, for the documentation.
        column: the column that the rule looks at.
        check: the condition that a cell of the column must meet.
        shows: what is reported as the offending value: a name that the view describes.
        detail: what is wrong in one case: a format text with names that the view describes.
        repair: how it can be mended without a doubt, None if a person must look.
        tolerable: whether a training survives it, so that an error may be made a warning.
        concerns_rows: whether there are rows that could be left out for it.
    """

    code: str
    severity: Severity
    view: ViewName
    sentence: str
    remedy: str
    example: str
    column: str
    check: Check
    shows: str
    detail: str
    repair: RepairKind | None = None
    tolerable: bool = False
    concerns_rows: bool = True
