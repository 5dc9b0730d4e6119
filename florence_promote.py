"""Alias: lets ``zenml pipeline run florence_promote`` find the pipeline by its bare name."""

import sys

from florence2.config import PromotionConfiguration
from pipelines.command_line import for_command_line
from pipelines.promote import florence_promote
from pipelines.promotion_summary import write_decision

# ZenML loads a dotless name as a module; this one replaces itself by the pipeline.
sys.modules[__name__] = for_command_line(  # type: ignore[assignment]
    florence_promote, PromotionConfiguration, write_decision
)
