"""The rules that annotations must keep: the one rule set, declarative.

A rule is a condition on a column of the annotation table, with what to tell the user. To add a rule, add it here and,
if it looks at something new, add the column in ``florence2.data.annotation_table``. Nothing is evaluated here; that is
done by ``florence2.adapters.great_expectations`` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from florence2.data.annotation_table import annotation_table
from florence2.data.images import ImageDefect

__all__ = ["RULES", "Between", "Check", "IsNull", "NotIn", "Rule", "Severity", "annotation_table"]

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class IsNull:
    """The cell is NA: nothing was found to say about the row."""


@dataclass(frozen=True)
class NotIn:
    """The cell is NA or none of these values."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class Between:
    """The cell is NA or lies within these bounds, both allowed; None is no bound."""

    minimum: int | None = None
    maximum: int | None = None


Check = IsNull | NotIn | Between


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        code: stable name in kebab case.
        severity: an error keeps a row out of training, a warning does not.
        sentence: what a row that breaks the rule has done.
        remedy: what the user can do about it.
        column: the column of the annotation table that the rule looks at.
        check: the condition that a cell of the column must meet.
        shows: the column whose cell is reported as the offending value.
        detail: the column whose cell says what is wrong with this row; None lets ``sentence`` say it.
    """

    code: str
    severity: Severity
    sentence: str
    remedy: str
    column: str
    check: Check
    shows: str
    detail: str | None = None


def _image_rule(defect: ImageDefect, sentence: str, remedy: str) -> Rule:
    check = NotIn((defect.value,))
    return Rule(f"image-{defect}", "error", sentence, remedy, "image_defect", check, "image", "image_problem")


def _text_rule(code: str, severity: Severity, sentence: str, remedy: str, column: str, shows: str) -> Rule:
    return Rule(code, severity, sentence, remedy, column, IsNull(), shows, detail=column)


RULES: tuple[Rule, ...] = (
    _text_rule(
        "line-invalid",
        "error",
        "The line is not a JSON object with the texts image, prefix and suffix and nothing else.",
        'write one {"image": "a.png", "prefix": "<OD>", "suffix": "..."} a line',
        "line_error",
        "line_error",
    ),
    _image_rule(
        ImageDefect.OUTSIDE,
        "The image lies outside the data set.",
        "copy the image into the data set and give its path relative to the annotation file",
    ),
    _image_rule(
        ImageDefect.MISSING,
        "There is no such image file.",
        "add the file, correct its name, upper and lower case included, or remove the line",
    ),
    _image_rule(ImageDefect.EMPTY, "The image file is empty.", "copy the file again, or remove the line"),
    _image_rule(
        ImageDefect.TRUNCATED, "The image file ends before the picture does.", "copy the file again, or remove the line"
    ),
    _image_rule(
        ImageDefect.UNREADABLE,
        "The file cannot be decoded as an image.",
        "save it again as PNG or JPEG, or remove the line",
    ),
    _image_rule(ImageDefect.TOO_LARGE, "The picture has too many pixels.", "scale the picture down and save it again"),
    _text_rule(
        "prefix-without-task",
        "error",
        "The prefix starts with no known task token.",
        "start the prefix with a task token, for example <OD> or <VQA>",
        "prefix_problem",
        "prefix",
    ),
    _text_rule(
        "prefix-text",
        "error",
        "The task needs a text after its token and has none, or takes none and has one.",
        "write <VQA>question with the question, <OD> alone",
        "prefix_text_problem",
        "prefix",
    ),
    Rule(
        "suffix-empty",
        "error",
        "The suffix is empty.",
        "write the answer, or remove the line; an image without objects teaches nothing in this format",
        "suffix_length",
        Between(minimum=1),
        "suffix",
    ),
    _text_rule(
        "location-unknown",
        "error",
        "A location token does not exist or is misspelt.",
        "write <loc_0> to <loc_999>; a pixel x of an image is in bin floor(x / width * 1000), at most 999",
        "location_problem",
        "suffix",
    ),
    _text_rule(
        "location-count",
        "error",
        "A class name is followed by a number of location tokens that is not a multiple of four.",
        "write class<loc_x_min><loc_y_min><loc_x_max><loc_y_max>",
        "location_count_problem",
        "suffix",
    ),
    _text_rule(
        "box-inverted",
        "error",
        "A box ends before it begins.",
        "swap the two bins; the order is x_min, y_min, x_max, y_max",
        "box_order_problem",
        "suffix",
    ),
    _text_rule(
        "box-without-class",
        "error",
        "A box has no class name.",
        "write the class name before the four location tokens",
        "class_problem",
        "suffix",
    ),
    _text_rule(
        "text-without-box",
        "error",
        "The answer of a detection task has a text without a box after it.",
        "write the box after the class name, or use a task that answers in text, for example <VQA> or <CAPTION>",
        "leftover_problem",
        "suffix",
    ),
    _text_rule(
        "token-reserved",
        "error",
        "The answer holds a token by which the model begins, ends or pads a text.",
        "write it in other signs, for example without the angle brackets",
        "reserved_problem",
        "suffix",
    ),
    _text_rule(
        "image-in-two-splits",
        "error",
        "The same picture is in an earlier and a later one of the splits train, valid, test.",
        "keep it in one split: what was seen in training proves nothing in the test",
        "leak",
        "image",
    ),
    _text_rule(
        "row-duplicate",
        "warning",
        "The row says the same as an earlier one.",
        "remove one of the two, unless it is meant to count twice",
        "duplicate_of",
        "suffix",
    ),
    _text_rule(
        "answer-conflict",
        "warning",
        "The same picture and prefix have another answer in an earlier row.",
        "keep one answer; write all boxes of an image into one line",
        "conflict",
        "suffix",
    ),
)
"""Every rule, in the order in which they are reported."""
