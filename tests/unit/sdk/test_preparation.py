"""Arguments are checked before a data set is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.config import Configuration
from florence2.errors import ConfigurationError
from florence2.sdk.preparation import check_metrics, check_output, prepare, settings_of


def test_settings_may_be_a_configuration_a_mapping_or_missing() -> None:
    configuration = Configuration(epochs=3)
    assert settings_of(configuration) is configuration
    assert settings_of({"epochs": 3}) == configuration
    assert settings_of(None) == Configuration()


def test_an_output_may_be_new_and_must_not_be_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    check_output(None)
    check_output(tmp_path / "new" / "folder")
    assert not (tmp_path / "new").exists()
    with pytest.raises(ConfigurationError, match=r"cannot be written to: .*file is a file; give another output"):
        check_output(tmp_path / "file" / "folder")


def test_an_unknown_metric_is_reported_before_a_missing_data_set() -> None:
    configuration = Configuration(dataset="missing", metrics=["vqa_acuracy"])
    for check in (check_metrics, prepare):
        with pytest.raises(ConfigurationError, match="did you mean 'vqa_accuracy'"):
            check(configuration)
