"""``ModelHolder``: holds the model that answers, and replaces it by another version when its alias moves.

The new version is loaded while the old one answers. From the switch on, new requests get the new one; earlier requests
are answered by the old one, which is closed after the last of them. If loading fails, the old one stays.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

from florence2.adapters import ModelSource
from florence2.storage import redact

if TYPE_CHECKING:
    from florence2.model import Florence2

__all__ = ["ModelHolder"]

logger = logging.getLogger(__name__)

Model = TypeVar("Model")

_LONGEST_PAUSE = 600.0
"""Seconds between two attempts to load a version that failed."""


class _Held(Generic[Model]):
    def __init__(self, model: Model, version: str) -> None:
        self.model, self.version, self.borrowers = model, version, 0


class ModelHolder(Generic[Model]):
    """The model that answers now.

    It is loaded when the holder is made; ``follow`` then calls ``refresh`` at intervals.

    Args:
        source: knows which version is current, and loads it.
        prepare: turns a loaded model into one that answers; called with the model and its version.
        close: called with a model that is no longer needed.

    Raises:
        Florence2Error: the model cannot be found or loaded.
    """

    def __init__(
        self,
        source: ModelSource,
        prepare: Callable[[Florence2, str], Model],
        close: Callable[[Model], None] = lambda model: None,  # noqa: ARG005
    ) -> None:
        self.source = source
        self.problem: str | None = None
        self.loads, self.failures = 0, 0
        self._prepare, self._close = prepare, close
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._pause, self._failed, self._again = 0.0, "", 0.0
        self._held = self._load(source.version())

    @property
    def version(self) -> str:
        """Return the version that answers now."""
        return self._held.version

    @contextlib.contextmanager
    def borrowed(self) -> Iterator[Model]:
        """Give the current model; it is not closed before the block ends."""
        with self._lock:
            held = self._held
            held.borrowers += 1
        try:
            yield held.model
        finally:
            with self._lock:
                held.borrowers -= 1
                unused = held is not self._held and not held.borrowers
            if unused:
                self._close(held.model)

    def refresh(self) -> bool:
        """Load the current version of the source if it is another one; return whether the model was replaced.

        Never raises: a problem is logged once, and ``problem`` holds it until it is solved.
        """
        version = ""
        try:
            version = self.source.version()
            if version == self.version:
                self._note(None)
                return False
            if version == self._failed and time.monotonic() < self._again:
                return False
            new = self._load(version)
        except Exception as exc:  # a registry and a model can fail in any way: the old version still answers
            self.failures += 1
            if version:
                self._pause = min(_LONGEST_PAUSE, 2 * self._pause or 1.0) if version == self._failed else 1.0
                self._failed, self._again = version, time.monotonic() + self._pause
            what = f"version {version} cannot be loaded" if version else "the version of the alias is unknown"
            self._note(f"{what}: {redact(str(exc))}; version {self.version} still answers")
            return False
        with self._lock:
            old, self._held = self._held, new
            unused = not old.borrowers
        if unused:
            self._close(old.model)
        logger.info("%s: version %s answers from now on, instead of version %s", self.source.name, version, old.version)
        self._note(None)
        return True

    def follow(self, seconds: float) -> None:
        """Refresh at intervals in a thread, until ``close``; does nothing where the source has one version only.

        Args:
            seconds: between two refreshes.
        """
        if not self.source.moves:
            return

        def run() -> None:
            while not self._stopped.wait(seconds):
                self.refresh()

        self._thread = threading.Thread(target=run, name="florence2-alias", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following the source, and close the model."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=1)  # not longer: it may be loading a model
        self._close(self._held.model)

    def _load(self, version: str) -> _Held[Model]:
        model = self._prepare(self.source.load(version), version)
        self.loads += 1
        return _Held(model, version)

    def _note(self, problem: str | None) -> None:
        if problem is not None and problem != self.problem:
            logger.warning("%s: %s", self.source.name, problem)
        self.problem = problem
