"""The configuration of a served model."""

from __future__ import annotations

import pytest

from florence2.config import LimitsConfig, ServingConfiguration
from florence2.errors import ConfigurationError


def test_megabytes_are_millions_of_bytes() -> None:
    assert LimitsConfig(max_upload_mb=0.2).max_bytes == 200_000


def test_the_largest_request_must_fit_into_the_queue() -> None:
    assert ServingConfiguration(queue=8, max_questions=8).serving.queue == 8
    with pytest.raises(ConfigurationError) as caught:
        ServingConfiguration(queue=8, max_questions=9)
    assert "raise queue to 9, or lower max_questions to 8" in str(caught.value)
