"""Validate a manifest of a million rows: seconds, peak memory, and whether exactly the planted defects are found.

    python -m benchmarks.validate_million

Half of the rows are detections with one to three boxes, half are questions, over 200,000 pictures; some hundred
defects are planted. Beside it stands the floor of the machine: the import of Great Expectations, reading the tokens of
all answers alone, and ten plain expectations on a column of as many rows.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from florence2.adapters.great_expectations import validate
from florence2.codec.scan import scan_column
from florence2.config import ValidationConfig
from florence2.data.manifest import COLUMNS, DatasetManifest

__all__ = ["million_rows", "plant"]

_CLASSES = ("person", "bicycle", "traffic light", "t-shirt", "9 of clubs", "cat", "dog", "potted plant")
_DETECTION_PREFIXES = ("<OD>", "<DENSE_REGION_CAPTION>", "<OPEN_VOCABULARY_DETECTION>things")
_EACH = 10
_BOX = "<loc_10><loc_20><loc_300><loc_400>"

# A defect: the rule, what the row holds instead, and whether it is planted in questions (else in detections).
_DEFECTS: tuple[tuple[str, dict[str, str], bool], ...] = (
    ("location-unknown", {"suffix": "cat<loc_10><loc_20><loc_1000><loc_400>"}, False),
    ("location-count", {"suffix": "cat<loc_10><loc_20><loc_300>"}, False),
    ("box-inverted", {"suffix": "cat<loc_300><loc_20><loc_10><loc_400>"}, False),
    ("box-zero-area", {"suffix": "cat<loc_300><loc_20><loc_300><loc_400>"}, False),
    ("box-tiny", {"suffix": "cat<loc_300><loc_20><loc_302><loc_400>"}, False),
    ("box-duplicate", {"suffix": f"cat{_BOX}cat{_BOX}"}, False),
    ("box-near-duplicate", {"suffix": f"cat{_BOX}cat<loc_10><loc_20><loc_301><loc_400>"}, False),
    ("box-without-class", {"suffix": _BOX}, False),
    ("text-without-box", {"suffix": f"cat{_BOX}dog"}, False),
    ("suffix-empty", {"suffix": "  "}, False),
    ("prefix-text", {"prefix": "<OD>cats", "task": "<OD>"}, False),
    ("image-missing", {"image_error": "missing: no such file"}, False),
    ("line-invalid", {"line_error": "not valid JSON"}, False),
    ("prefix-without-task", {"prefix": "how many?", "task": ""}, True),
    ("location-in-text", {"suffix": f"here{_BOX}"}, True),
    ("token-reserved", {"suffix": "two</s>"}, True),
)


def million_rows(rows: int, seed: int) -> DatasetManifest:
    """Return a manifest without a defect: half detections, half questions, over a fifth as many pictures.

    Args:
        rows: how many, at least 10.
        seed: of the boxes.
    """
    half, pictures = rows // 2, max(rows // 5, 1)
    rng = np.random.default_rng(seed)
    # Each row of a picture asks something else, so that no two rows repeat or contradict each other.
    number = np.concatenate([np.arange(half), np.arange(rows - half)])
    names = pd.Series(np.char.add(np.char.add("train/", (number % pictures).astype(str)), ".jpg"), dtype="string")
    detection = np.arange(rows) < half
    asked = np.array([f"<VQA>what is object {turn}?" for turn in range(6)])[number // pictures]
    prefixes = np.where(detection, np.array(_DETECTION_PREFIXES)[np.minimum(number // pictures, 2)], asked)
    answers = np.array(["yes", "no", "two", "red", "a small dog"])[rng.integers(0, 5, rows - half)]
    columns: dict[str, Any] = {name: [None] * rows for name in COLUMNS} | {
        "split": ["train"] * rows,
        "image": names,
        "width": np.full(rows, 640),
        "height": np.full(rows, 480),
        "sha256": names.str.pad(64, fillchar="0"),
        "task": [prefix[: prefix.find(">") + 1] for prefix in prefixes],
        "prefix": prefixes,
        "suffix": pd.concat([_detections(half, rng), pd.Series(answers, dtype="string")], ignore_index=True),
        "file": ["train/annotations.jsonl"] * rows,
        "line": np.arange(1, rows + 1),
    }
    distinct = names.unique()
    images = {
        "image": distinct,
        "width": [640] * len(distinct),
        "height": [480] * len(distinct),
        "sha256": distinct,
        "mode": ["RGB"] * len(distinct),
        "orientation": [1] * len(distinct),
        "brightness": [0.5] * len(distinct),
        "signature": [None] * len(distinct),
        "error": [None] * len(distinct),
    }
    return DatasetManifest.from_columns(Path("/data"), columns, images)


def _detections(rows: int, rng: np.random.Generator) -> pd.Series[str]:
    """Return answers of one to three boxes, each in a third of the picture of its own."""
    count = rng.integers(1, 4, rows)
    answers = pd.Series([""] * rows, dtype="string")
    for third in range(3):
        low = rng.integers(0, 100, (rows, 2))
        high = low + rng.integers(50, 200, (rows, 2))
        bins = np.stack([low[:, 0] + 333 * third, low[:, 1], high[:, 0] + 333 * third, high[:, 1]], axis=1)
        box = pd.Series(np.array(_CLASSES)[rng.integers(0, len(_CLASSES), rows)], dtype="string")
        for side in range(4):
            box = box + "<loc_" + pd.Series(bins[:, side]).astype("string") + ">"
        answers = answers + box.where(count > third, "")
    return answers


def plant(manifest: DatasetManifest, seed: int) -> tuple[DatasetManifest, dict[str, set[int]]]:
    """Plant ten of each defect in rows chosen by chance.

    Args:
        manifest: without a defect.
        seed: of the choice.

    Returns:
        The manifest, and the lines at which each rule must find something.
    """
    table = manifest.table.copy()
    rng = np.random.default_rng(seed)
    half = len(table) // 2
    expected: dict[str, set[int]] = {}
    detections: NDArray[np.int64] = rng.permutation(half)
    questions: NDArray[np.int64] = half + rng.permutation(len(table) - half)
    for number, (code, values, in_questions) in enumerate(_DEFECTS):
        chosen = (questions if in_questions else detections)[number * _EACH : (number + 1) * _EACH]
        for column, value in values.items():
            table.loc[chosen, column] = value
        expected[code] = set((chosen + 1).tolist())
    return DatasetManifest(manifest.root, table, manifest.images, manifest.splits), expected


def _ten_expectations(rows: int) -> float:
    """Return the seconds that Great Expectations takes for ten plain expectations on a column of flags."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.expectations import ExpectColumnValuesToNotBeInSet  # type: ignore[attr-defined]

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    frame = pd.DataFrame({f"flag_{number}": np.zeros(rows, dtype=bool) for number in range(10)})
    asset = context.data_sources.add_pandas("floor").add_dataframe_asset("floor")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch(batch_parameters={"dataframe": frame})
    expectations = [ExpectColumnValuesToNotBeInSet(column=name, value_set=[True]) for name in frame.columns]
    start = time.perf_counter()
    batch.validate(gx.ExpectationSuite(name="floor", expectations=expectations), result_format="COMPLETE")
    return time.perf_counter() - start


def _peak_gigabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    manifest, expected = plant(million_rows(arguments.rows, arguments.seed), arguments.seed)
    before = _peak_gigabytes()
    start = time.perf_counter()
    import great_expectations  # noqa: F401

    imported = time.perf_counter()
    _, report = validate(manifest, ValidationConfig())
    seconds, loading = time.perf_counter() - imported, imported - start
    peak = _peak_gigabytes()
    start = time.perf_counter()
    scan = scan_column(manifest.table["suffix"])
    scanning = time.perf_counter() - start
    found: dict[str, set[int]] = {}
    for violation in report.violations:
        found.setdefault(violation.code, set()).add(violation.line)
    exact = found == expected and Counter(report.counts) == Counter({code: len(at) for code, at in expected.items()})
    sizes = f"rows {len(manifest):,}, boxes {len(scan.bins) // 4:,}, images {len(manifest.images):,}"
    print(f"{sizes}, {len(report.rules)} rules")
    print(f"validate {seconds:.1f} s, import of Great Expectations {loading:.1f} s, together {seconds + loading:.1f} s")
    print(f"peak memory {peak:.2f} GiB, of which before the validation {before:.2f} GiB")
    print(f"planted {sum(map(len, expected.values()))}, found {sum(report.counts.values())}, exactly those: {exact}")
    print(
        f"floor: reading the tokens {scanning:.1f} s, ten plain expectations {_ten_expectations(len(manifest)):.1f} s"
    )
    if not exact:
        different = {code for code in found.keys() | expected if found.get(code) != expected.get(code)}
        raise SystemExit(f"not the planted defects: {sorted(different)}")


if __name__ == "__main__":
    main()
