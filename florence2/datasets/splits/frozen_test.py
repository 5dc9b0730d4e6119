"""A frozen test split: the images on which later runs are evaluated, whatever is added to the data set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from florence2.config import SplitConfig
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import DatasetError
from florence2.storage import is_packed, unpacked, write_atomic, writing

__all__ = ["FrozenTest", "freeze_test", "frozen_content", "load_frozen", "load_frozen_test"]

_FORMAT = "florence2-frozen-test/1"
_SHOWN = 20


@dataclass(frozen=True)
class FrozenTest:
    """The images of a test split.

    Attributes:
        images: the path of each image, for messages, by the hexadecimal SHA-256 of its file.
    """

    images: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.images)

    @property
    def fingerprint(self) -> str:
        """Hexadecimal SHA-256 of the hashes; the paths do not change it."""
        return hashlib.sha256("\n".join(sorted(self.images)).encode()).hexdigest()

    def save(self, file: Path) -> None:
        """Write the split as JSON; the same images give the same bytes.

        Raises:
            DatasetError: the file cannot be written; nothing is left half-written.
        """
        content = {"format": _FORMAT, "fingerprint": self.fingerprint, "images": dict(sorted(self.images.items()))}
        with writing(file, "give another file", DatasetError):
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(file, json.dumps(content, indent=2) + "\n")

    def split_rows(self, manifest: DatasetManifest, group: pd.Series[str]) -> pd.Series[str]:
        """Return the given split of each row, with the frozen images in the test split.

        Args:
            manifest: the data set.
            group: for each row, the name of its group of near-identical images.

        Raises:
            DatasetError: a frozen image is missing, in valid, or in train although the data set has a test split; or
                another image is in test or near-identical to a frozen one. The message lists all of them.
        """
        table = manifest.table
        is_frozen = table["sha256"].isin(list(self.images))
        near = ~is_frozen & group.isin(group[is_frozen].unique())
        # In a data set without a test split, the frozen images were part of the training split.
        forbidden = ["train", "valid"] if (table["split"] == "test").any() else ["valid"]
        missing = sorted(set(self.images) - set(table["sha256"]))
        problems = [
            *_listed(
                "missing from the data set or left out by validation (put them back as they were)",
                (f"{self.images[content]} (sha256 {content[:12]})" for content in missing),
            ),
            *_listed(
                "in a split that is not test (move them to test/)",
                _locations(table[is_frozen & table["split"].isin(forbidden)]),
            ),
            *_listed(
                "near-identical to a frozen image but not frozen (remove them)",
                _locations(table[near]),
            ),
            *_listed(
                "in the test split but not frozen (move them out of test/)",
                _locations(table[~is_frozen & ~near & (table["split"] == "test")]),
            ),
        ]
        if problems:
            raise DatasetError(
                f"{manifest.name}: the frozen test split of {len(self.images)} images does not fit the data set; "
                "correct the following, or freeze the test split anew (older scores are then not comparable):\n"
                + "\n".join(problems)
            )
        return table["split"].mask(is_frozen, "test")


def freeze_test(manifest: DatasetManifest) -> FrozenTest:
    """Return the images of the test split as they are now, to be kept.

    Raises:
        DatasetError: the test split is empty, or holds an image that cannot be read or is also in another split.
    """
    table = manifest.table
    test = table[table["split"] == "test"]
    if test.empty:
        raise DatasetError(f"{manifest.name}: there is no test split to freeze; give test/ or split the data set first")
    elsewhere = test[test["sha256"].isin(table.loc[table["split"] != "test", "sha256"])]
    problems = [
        *_listed("cannot be read", _locations(test[test["sha256"] == ""])),
        *_listed("also in another split", _locations(elsewhere[elsewhere["sha256"] != ""])),
    ]
    if problems:
        raise DatasetError(f"{manifest.name}: the test split cannot be frozen; correct these:\n" + "\n".join(problems))
    named = test.sort_values(["sha256", "image"]).drop_duplicates("sha256")
    return FrozenTest(dict(zip(named["sha256"], named["image"], strict=True)))


def load_frozen(config: SplitConfig) -> FrozenTest | None:
    """Return the frozen test split that the configuration names, None if it names none.

    Raises:
        DatasetError: the file cannot be read or was changed.
    """
    if config.frozen_test is None:
        return None
    if is_packed(config.frozen_test):
        (file,) = unpacked(config.frozen_test).iterdir()
        return load_frozen_test(file)
    return load_frozen_test(Path(config.frozen_test))


def frozen_content(config: SplitConfig) -> str:
    """Return the fingerprint of the frozen test split that the configuration names, empty if it names none.

    Raises:
        DatasetError: the file cannot be read or was changed.
    """
    frozen = load_frozen(config)
    return "" if frozen is None else frozen.fingerprint


def load_frozen_test(file: Path) -> FrozenTest:
    """Read what ``FrozenTest.save`` wrote.

    Raises:
        DatasetError: the file cannot be read or was changed.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            raise ValueError(f"format {content['format']!r}, not {_FORMAT!r}")
        frozen = FrozenTest({str(key): str(name) for key, name in content["images"].items()})
        if content["fingerprint"] != frozen.fingerprint:
            raise ValueError("its images are not those of its fingerprint")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise DatasetError(
            f"{file}: not a frozen test split ({exc}); write one with florence2 freeze, or restore the file"
        ) from exc
    return frozen


def _locations(rows: pd.DataFrame) -> list[str]:
    """Return the path of each image of the rows once, with the first line that names it."""
    first = rows.drop_duplicates("image")
    return [
        f"{image} ({file}:{line})"
        for image, file, line in zip(first["image"], first["file"], first["line"], strict=True)
    ]


def _listed(title: str, items: Iterable[str]) -> list[str]:
    """Return a paragraph of a message: a heading and the first items; nothing if there are none."""
    found = list(items)
    if not found:
        return []
    more = [f"    ... and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return [f"  {title}: {len(found)}", *(f"    {item}" for item in found[:_SHOWN]), *more]
