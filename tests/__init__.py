"""Tests; they mirror the rooms of the project."""

from pathlib import Path

__all__ = ["ROOT"]

ROOT = Path(__file__).resolve().parents[1]
"""The root of the repository."""
