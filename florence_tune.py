"""Alias: lets ``zenml pipeline run florence_tune`` find the pipeline by its bare name."""

import sys

from florence2.config import TuningConfiguration
from florence2.doctor import require_own_packages

# A folder of the user's may hide pipelines/ and steps/; that is said before their code is imported.
require_own_packages()

from pipelines.command_line import for_command_line  # noqa: E402
from pipelines.tune import florence_tune  # noqa: E402
from pipelines.tuning_summary import write_tuning  # noqa: E402

# ZenML loads a dotless name as a module; this one replaces itself by the pipeline.
sys.modules[__name__] = for_command_line(  # type: ignore[assignment]
    florence_tune, TuningConfiguration, write_tuning
)
