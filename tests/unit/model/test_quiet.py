"""While models are loaded only errors are shown, and afterwards the earlier settings are back."""

from __future__ import annotations

import warnings
from logging import ERROR

import pytest
from transformers.utils import logging

from florence2.model.quiet import quiet_transformers


def test_only_errors_are_shown_and_the_settings_come_back() -> None:
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    with quiet_transformers():
        assert logging.get_verbosity() == ERROR
        assert not logging.is_progress_bar_enabled()
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == (verbosity, bars)


def test_the_settings_come_back_after_an_error() -> None:
    verbosity = logging.get_verbosity()
    with pytest.raises(ValueError, match="damaged"), quiet_transformers():
        raise ValueError("damaged")
    assert logging.get_verbosity() == verbosity


def test_other_warnings_are_shown() -> None:
    with pytest.warns(UserWarning, match="of the user"), quiet_transformers():
        warnings.warn("of the user", UserWarning, stacklevel=1)
