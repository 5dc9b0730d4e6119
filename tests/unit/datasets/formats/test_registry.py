"""The list of formats, and the formats that other packages add to it."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest

from florence2.datasets.conversion import writable_formats
from florence2.datasets.formats.format import Format
from florence2.datasets.formats.recognition import read_dataset, recognise
from florence2.datasets.formats.registry import FORMATS, format_modules
from florence2.errors import ConfigurationError, DatasetError
from tests import ROOT
from tests.builders import annotation, write_dataset, write_image
from tests.plugins import write_package

TEXTS = """
from florence2.datasets.formats import Annotation, Format, entries, to_manifest

def read(root, *, verify=False):
    names = [name for name in entries(root) if name.endswith(".txt")]
    rows = [Annotation("", f"{name[:-4]}.png", name, 1, "<CAPTION>", (root / name).read_text()) for name in names]
    return to_manifest(root, rows, verify=verify)

TEXTS = Format("captions.mark", "one for each text", lambda root: (root / "captions.mark").exists(), read)
NUMBER = 1
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder from which packages are imported, as from site-packages."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    return site


def add(site: Path, package: str, source: str = TEXTS, **points: str) -> None:
    module = package.replace("-", "_")
    targets = {name: f"{module}:{attribute}" for name, attribute in points.items()}
    write_package(site, package, {module: source}, {"florence2.formats": targets})


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    """A data set in the format of the package."""
    root = tmp_path / "captions"
    write_image(root / "a.png")
    (root / "a.txt").write_text("a red tile")
    (root / "captions.mark").touch()
    return root


def test_every_format_says_what_it_is() -> None:
    assert {"jsonl", "coco", "voc", "yolo"} <= set(FORMATS)
    assert len(FORMATS) == len(list(FORMATS))
    for format in FORMATS.values():
        assert isinstance(format, Format)
        assert format.files
        assert format.samples


def test_names_of_formats_are_known_without_their_readers() -> None:
    code = (
        "import sys; from florence2.datasets import FORMATS; print(list(FORMATS)[:2], 'coco' in FORMATS, len(FORMATS),"
        " [m for m in ('numpy', 'pandas', 'PIL', 'florence2.datasets.formats.coco') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == f"['jsonl', 'coco'] True {len(FORMATS)} []\n"


def test_a_package_adds_a_format(site: Path, captions: Path) -> None:
    assert "texts" not in FORMATS
    add(site, "ours-texts", texts="TEXTS")
    assert list(FORMATS)[-1] == "texts"
    assert "texts" in FORMATS
    assert recognise(captions) == (captions, "texts")
    assert read_dataset(captions, "texts").table["suffix"].tolist() == ["a red tile"]
    assert "texts" not in writable_formats()
    with pytest.raises(DatasetError, match=r"is not coco \(.*\), it looks like texts; give --format texts"):
        read_dataset(captions, "coco")


def test_the_command_line_offers_the_format_of_a_package(site: Path) -> None:
    add(site, "line-texts", texts="TEXTS")
    code = f"import sys; sys.path.insert(0, {str(site)!r}); from florence2.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "train", "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert "texts; default: auto" in " ".join(done.stdout.replace("│", " ").split())


@pytest.mark.parametrize(
    ("package", "source", "attribute", "why"),
    [
        ("broken-texts", "import no_such_library", "TEXTS", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("exit-texts", "raise RuntimeError('no licence')", "TEXTS", "RuntimeError: no licence"),
        ("empty-texts", "", "TEXTS", "AttributeError: module 'empty_texts' has no attribute 'TEXTS'"),
    ],
)
def test_a_broken_format_of_a_package_is_an_error_that_names_the_package(
    site: Path, captions: Path, package: str, source: str, attribute: str, why: str
) -> None:
    add(site, package, source, texts=attribute)
    message = (
        f"the format texts of {package} cannot be loaded from {package.replace('-', '_')}:{attribute}: {why}; update"
    )
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        read_dataset(captions, "texts")


def test_what_is_not_a_format_is_an_error_that_names_the_package(site: Path, captions: Path) -> None:
    add(site, "number-texts", TEXTS, texts="NUMBER")
    with pytest.raises(ConfigurationError) as refused:
        read_dataset(captions, "texts")
    assert str(refused.value) == (
        "the format texts of number-texts: number_texts:NUMBER is a int, not a florence2.datasets.formats.Format; "
        "update or uninstall number-texts"
    )


def test_a_package_that_is_gone_is_an_error_that_names_it(site: Path, captions: Path) -> None:
    write_package(site, "gone-texts", {}, {"florence2.formats": {"texts": "gone_texts:TEXTS"}})
    with pytest.raises(ConfigurationError, match=r"the format texts of gone-texts cannot be loaded .* 'gone_texts'"):
        read_dataset(captions, "texts")


def test_a_broken_format_spoils_no_other(site: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    add(site, "spoilt-texts", "import no_such_library", texts="TEXTS")
    root = write_dataset(tmp_path / "data", {"train": [annotation()]})
    with caplog.at_level(logging.WARNING):
        assert recognise(root) == (root, "jsonl")
    assert "the format texts of spoilt-texts cannot be loaded" in caplog.text
    assert len(read_dataset(root, "jsonl")) == 1


def test_the_modules_that_may_read_a_data_set_are_those_of_its_format(site: Path) -> None:
    """Caching follows their code: they must have been imported."""
    add(site, "read-texts", texts="TEXTS")
    add(site, "other-texts", others="TEXTS")
    add(site, "failing-texts", "import no_such_library", failing="TEXTS")
    assert format_modules("texts") == ["read_texts"]
    assert format_modules("auto") == ["other_texts", "read_texts"]
    assert {"read_texts", "other_texts"} <= set(sys.modules)
    assert format_modules("coco") == []
    with pytest.raises(ConfigurationError, match="failing-texts cannot be loaded"):
        format_modules("failing")


def test_names_of_this_package_cannot_be_replaced(site: Path) -> None:
    own = FORMATS["coco"]
    add(site, "coco-texts", coco="TEXTS")
    assert FORMATS["coco"] is own
    assert list(FORMATS).count("coco") == 1


def test_two_packages_with_one_name_are_an_error(site: Path, captions: Path) -> None:
    add(site, "one-texts", texts="TEXTS")
    add(site, "two-texts", texts="TEXTS")
    with pytest.raises(
        ConfigurationError, match="texts is added by one-texts and two-texts; uninstall all of them but"
    ):
        read_dataset(captions, "texts")


def test_an_unknown_format_names_the_nearest_and_all(tmp_path: Path) -> None:
    message = r"dataset.format: unknown format 'coko'; did you mean coco\? known: auto, jsonl, coco, voc, yolo"
    with pytest.raises(ConfigurationError, match=message) as caught:
        read_dataset(tmp_path, "coko")
    assert caught.value.exit_status == 2
    with pytest.raises(ConfigurationError, match="unknown format 'x'; known: auto, jsonl"):
        read_dataset(tmp_path, "x")
