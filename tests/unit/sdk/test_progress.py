"""The lines of a training are seen by who has set up no logging, and by nobody twice."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import pytest

from florence2.sdk.progress import audible


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


def test_where_nobody_listens_the_lines_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with bare() as logger:
        with audible():
            logging.getLogger("florence2.training.fitting").info("epoch 1/3")
        logging.getLogger("florence2.training.fitting").info("unheard")
        assert (logger.handlers, logger.level) == ([], logging.NOTSET)
    assert capsys.readouterr().err == "epoch 1/3\n"


def test_who_has_set_up_logging_decides(capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    with bare() as logger:
        logging.getLogger().addHandler(handler)
        with audible():
            logger.warning("twice?")
            logger.info("not asked for")
    assert heard == ["twice?"]
    assert capsys.readouterr().err == ""
