"""Names of members and remote files, chosen by others."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from florence2.storage.safe_names import safe_parts


def test_plain_names() -> None:
    assert safe_parts("train/a b.png") == ("train", "a b.png")
    assert safe_parts("./train//é/...") == ("train", "é", "...")
    assert safe_parts("./") == safe_parts("") == ()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("/a", "absolute"),
        ("c:a", "absolute"),
        ("a\\b", "backslash"),
        ("a\0b", "control"),
        ("a\r", "control"),
        ("a/..", "leads out"),
        ("..", "leads out"),
        ("d/" * 3000 + "x", "more than 100 folders"),
        ("é" * 200, "more than 255 bytes"),
    ],
)
def test_refused_names(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        safe_parts(name)


@given(st.text("ab./\\:\n", max_size=12))
def test_accepted_names_stay_in_the_folder(name: str) -> None:
    try:
        parts = safe_parts(name)
    except ValueError:
        return
    path = Path("/root").joinpath(*parts)
    assert path.parts[:2] == ("/", "root")
    assert ".." not in path.parts
