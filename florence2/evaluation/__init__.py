"""Judging answers: metrics, the evaluation of a split, the report. The metrics know no torch."""
