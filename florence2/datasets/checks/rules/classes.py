"""The rules about class names."""

from __future__ import annotations

from florence2.datasets.checks.definition import Finding, rule
from florence2.datasets.checks.views.classes import ClassesView, ClassName

_BOX = "<loc_10><loc_20><loc_300><loc_400>"


@rule(
    ClassesView,
    "warning",
    remedy="write one blank between words and none at the ends: validation.rules class-blanks: repair",
    example=f'"suffix": "red  car {_BOX}"',
    repair="strip",
)
def class_blanks(view: ClassesView) -> Finding[ClassName]:
    """A class name has blanks at its ends, doubled or of an unusual kind."""
    return Finding(
        (view.table["name"] != view.table["tidied"]) & (view.table["tidied"] != ""),
        lambda name: f"{name.value!r} of {name.boxes} boxes, first here, should be {name.tidied!r}",
    )


@rule(ClassesView, "warning", remedy="write both the same way, or they are two classes", example='"Cat" beside "cat"')
def class_case(view: ClassesView) -> Finding[ClassName]:
    """Two class names differ in upper and lower case only."""
    right = view.table["case_of"]
    return Finding(
        right.notna(),
        lambda name: (
            f"{name.tidied!r}, first here, differs in case only from the more frequent {right[name.position]!r}"
        ),
    )


@rule(ClassesView, "warning", remedy="correct it if it is mistyped", example='"platelts" beside "platelets"')
def class_typo(view: ClassesView) -> Finding[ClassName]:
    """A class name differs by one letter from one that is far more frequent (validation.typo_ratio); words of fewer
    than four letters, and names that differ in digits only, are not compared.
    """
    right = view.table["typo_of"]
    return Finding(
        right.notna(),
        lambda name: f"{name.tidied!r}, first here, is nearly the frequent {right[name.position]!r}",
    )


@rule(
    ClassesView,
    "warning",
    remedy="add images of it to the training split, or split anew",
    example='a "zebra" in test/ and none in train/',
)
def class_test_only(view: ClassesView) -> Finding[ClassName]:
    """A class is in the validation or test split but not in training."""
    return Finding(
        view.table["held_out_only"], lambda name: f"{name.tidied!r}, first here, has no box in the training split"
    )


@rule(
    ClassesView,
    "warning",
    remedy="add images of it, or leave the class out",
    example='two boxes of "zebra" in train/',
)
def class_rare(view: ClassesView) -> Finding[ClassName]:
    """A class has few boxes to train on (validation.rare_class)."""
    trained = view.table["trained"]
    return Finding(
        (trained > 0) & (trained < view.config.rare_class),
        lambda name: f"boxes of {name.tidied!r} to train on: {int(trained[name.position])}",
    )
