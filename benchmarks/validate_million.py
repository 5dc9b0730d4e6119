"""Validate a manifest of a million rows: seconds, peak memory, and whether exactly the planted defects are found.

    python -m benchmarks.validate_million

Every rule is checked, the length of answers included, and finds something: some hundred defects of all kinds are
planted among detections and questions over 200,000 images in three splits. It also prints the share of the search for
near-identical images, and the floor of the machine: the import of Great Expectations, reading the tokens
of all answers alone, and ten plain expectations on a column of as many rows.
"""

from __future__ import annotations

import argparse
import os
import resource
import time

import numpy as np
import pandas as pd

from benchmarks.million_rows import Cells, million_rows, plant
from florence2.adapters.great_expectations import validate
from florence2.codec.scan import scan_column
from florence2.config import ModelConfig, ValidationConfig
from florence2.datasets.checks.report import ValidationReport
from florence2.datasets.checks.rules import RULES
from florence2.datasets.manifest import SPLITS, DatasetManifest
from florence2.images.near_duplicates import group_near_identical
from florence2.model.answer_lengths import answer_length

__all__: list[str] = []


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


def _differences(report: ValidationReport, expected: Cells) -> list[str]:
    """Return the rules that do not find exactly what they must."""
    found: Cells = {}
    for violation in report.violations:
        found.setdefault(violation.code, set()).add((violation.file, violation.line))
    counts = {code: len(cells) for code, cells in expected.items()}
    return sorted(
        code
        for code in found.keys() | expected.keys()
        if found.get(code) != expected.get(code) or report.counts.get(code) != counts.get(code)
    )


def _empty_splits() -> list[str]:
    """Check the rules about empty splits, which no set with rows in each split can break, on a few test rows."""
    rows = million_rows(10_000, 0).select("test")
    _, report = validate(DatasetManifest(rows.source, rows.table, rows.images, SPLITS), ValidationConfig())
    return _differences(report, {"train-empty": {("train", 0)}, "split-empty": {("valid", 0)}})


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    manifest, expected = plant(million_rows(arguments.rows, arguments.seed), arguments.seed)
    length = answer_length(ModelConfig(base="builtin:nano"), 1024)
    before, load = _peak_gigabytes(), os.getloadavg()[0]
    start = time.perf_counter()
    import great_expectations  # noqa: F401

    imported = time.perf_counter()
    _, report = validate(manifest, ValidationConfig(), count_tokens=length.count, max_target_tokens=length.limit)
    seconds, loading = time.perf_counter() - imported, imported - start
    peak = _peak_gigabytes()
    start = time.perf_counter()
    scan = scan_column(manifest.table["suffix"])
    scanning = time.perf_counter() - start
    start = time.perf_counter()
    groups = group_near_identical(manifest.images["signature"].fillna("").tolist())
    grouping = time.perf_counter() - start
    wrong = _differences(report, expected) + _empty_splits()
    unplanted = {rule.code for rule in RULES} - expected.keys() - {"train-empty", "split-empty"}
    print(
        f"rows {len(manifest):,}, boxes {len(scan.bins) // 4:,}, images {len(manifest.images):,}, "
        f"{len(report.rules)} rules; load average before {load:.1f}"
    )
    print(f"validate {seconds:.1f} s, import of Great Expectations {loading:.1f} s, together {seconds + loading:.1f} s")
    print(f"  of which near-identical images {grouping:.1f} s, {groups.max() + 1:,} groups")
    print(f"peak memory {peak:.2f} GiB, of which before the validation {before:.2f} GiB")
    print(
        f"planted {sum(map(len, expected.values()))} for {len(expected)} rules, found {sum(report.counts.values())}, "
        f"exactly those: {not wrong}"
    )
    print(
        f"floor: reading the tokens {scanning:.1f} s, ten plain expectations {_ten_expectations(len(manifest)):.1f} s"
    )
    if wrong or unplanted:
        raise SystemExit(f"not the planted defects: {wrong}; rules without one: {sorted(unplanted)}")


if __name__ == "__main__":
    main()
