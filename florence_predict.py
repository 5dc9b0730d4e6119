"""Alias: lets ``zenml pipeline run florence_predict`` find the pipeline by its bare name."""

import sys

from florence2.config import PredictionSettings
from pipelines.command_line import for_command_line
from pipelines.predict import florence_predict
from pipelines.prediction_summary import write_prediction_summary

# ZenML loads a dotless name as a module; this one replaces itself by the pipeline.
sys.modules[__name__] = for_command_line(  # type: ignore[assignment]
    florence_predict, PredictionSettings, write_prediction_summary
)
