"""Alias: lets ``zenml pipeline run florence_finetune`` find the pipeline by its bare name."""

import sys

from florence2.config import Configuration
from pipelines.command_line import for_command_line
from pipelines.finetune import florence_finetune
from pipelines.summary import write_summary

# ZenML loads a dotless name as a module; this one replaces itself by the pipeline.
sys.modules[__name__] = for_command_line(  # type: ignore[assignment]
    florence_finetune, Configuration, write_summary
)
