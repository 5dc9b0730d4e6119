"""The base that a training starts from where the settings leave it open."""

from __future__ import annotations

import pytest

from florence2.config import ModelConfig
from florence2.errors import ModelError
from florence2.model import HUB_BASE, HUB_LARGE
from florence2.recipes.base_choice import choose_base

OPEN = ModelConfig()


def online(base: str, revision: str | None) -> str:
    return "a commit"


def offline(base: str, revision: str | None) -> str:
    raise ModelError("no network")


def only_base(base: str, revision: str | None) -> str:
    return online(base, revision) if base == HUB_BASE else offline(base, revision)


def only_microsofts(base: str, revision: str | None) -> str:
    return online(base, revision) if base == "microsoft/Florence-2-base-ft" else offline(base, revision)


@pytest.mark.parametrize(
    ("source", "gpu", "reached", "base", "reason"),
    [
        ("builtin:cards", 80.0, online, "builtin:nano", "knows the shapes of the built-in data set, and nothing else"),
        ("my/set", None, online, "builtin:small", "there is no GPU here"),
        ("my/set", 16.0, online, HUB_BASE, "the GPU has 16 GiB"),
        ("my/set", 80.0, online, HUB_LARGE, "the GPU has 80 GiB"),
        ("my/set", 80.0, only_base, HUB_BASE, "the GPU has 80 GiB"),
        ("my/set", 80.0, only_microsofts, "microsoft/Florence-2-base-ft", "the GPU has 80 GiB"),
        ("my/set", 6.0, online, "builtin:small", "the GPU has 6 GiB"),
        ("my/set", 16.0, offline, "builtin:small", "neither the model hub nor its local cache has"),
    ],
)
def test_the_base_follows_from_the_data_the_gpu_and_what_can_be_reached(
    source: str, gpu: float | None, reached: object, base: str, reason: str
) -> None:
    chosen = choose_base(OPEN, source, gpu=lambda: gpu, commit=reached)  # type: ignore[arg-type]
    assert chosen.model.base == base
    assert chosen.given == "auto"
    assert chosen.reason.startswith(f"base {base}: ")
    assert reason in chosen.reason


def test_a_base_that_was_named_is_kept_and_no_gpu_is_searched() -> None:
    named = ModelConfig(base="someone/else", revision="v1")

    def never() -> float | None:
        raise AssertionError

    assert choose_base(named, "my/set", gpu=never).model == named
