"""The lines of a training are shown where no logging is configured, and never twice."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import pytest

from florence2.sdk.progress import shown_progress


@contextlib.contextmanager
def bare() -> Iterator[logging.Logger]:
    """Return the logger as a fresh Python has it: pytest's handlers are taken away meanwhile."""
    root, logger = logging.getLogger(), logging.getLogger("florence2")
    handlers, level = root.handlers, logger.level
    root.handlers = []
    logger.setLevel(logging.NOTSET)
    yield logger
    root.handlers = handlers
    logger.setLevel(level)


def test_without_a_handler_the_lines_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with bare() as logger:
        with shown_progress():
            logging.getLogger("florence2.training.fitting").info("epoch 1/3")
        logging.getLogger("florence2.training.fitting").info("unheard")
        assert (logger.handlers, logger.level) == ([], logging.NOTSET)
    assert capsys.readouterr().err == "epoch 1/3\n"


def test_who_has_set_up_logging_decides(capsys: pytest.CaptureFixture[str]) -> None:
    received: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: received.append(record.getMessage())  # type: ignore[method-assign]
    with bare() as logger:
        logging.getLogger().addHandler(handler)
        with shown_progress():
            logger.warning("twice?")
            logger.info("not asked for")
    assert received == ["twice?"]
    assert capsys.readouterr().err == ""
