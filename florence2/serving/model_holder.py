"""Holds the model that answers, and replaces it by another version when its alias moves.

The new version is loaded beside the old one. From the switch on, new requests get the new one; those that came before
are answered by the old one, which is put away after the last of them. Where loading fails, the old one stays.
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
"""Seconds between two tries to load a version that failed."""


class _Held(Generic[Model]):
    def __init__(self, model: Model, version: str) -> None:
        self.model, self.version, self.borrowers = model, version, 0


class ModelHolder(Generic[Model]):
    """The model of now.

    Loads when it is made; then ``follow`` looks again from time to time, or call ``look``.

    Args:
        source: says which version is meant, and loads it.
        prepare: turns a loaded version into what answers; takes the model and the version.
        put_away: is called with what is no longer needed.

    Raises:
        Florence2Error: the model cannot be found or loaded.
    """

    def __init__(
        self,
        source: ModelSource,
        prepare: Callable[[Florence2, str], Model],
        put_away: Callable[[Model], None] = lambda model: None,  # noqa: ARG005
    ) -> None:
        self.source = source
        self.problem: str | None = None
        self.loads, self.failures = 0, 0
        self._prepare, self._put_away = prepare, put_away
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
        """Give the model of now; it is not put away before the block ends."""
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
                self._put_away(held.model)

    def look(self) -> bool:
        """Look where the source points now and load that version if it is another; say whether it was replaced.

        Never raises: what is wrong is logged once and stands in ``problem`` until it is right again.
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
        except Exception as exc:  # a registry and a model can fail in any way: the old one goes on
            self.failures += 1
            if version:
                self._pause = min(_LONGEST_PAUSE, 2 * self._pause or 1.0) if version == self._failed else 1.0
                self._failed, self._again = version, time.monotonic() + self._pause
            what = f"version {version} cannot be loaded" if version else "where the alias points is not known"
            self._note(f"{what}: {redact(str(exc))}; version {self.version} still answers")
            return False
        with self._lock:
            old, self._held = self._held, new
            unused = not old.borrowers
        if unused:
            self._put_away(old.model)
        logger.info("%s: version %s answers from now on, before it was %s", self.source.name, version, old.version)
        self._note(None)
        return True

    def follow(self, seconds: float) -> None:
        """Look every so many seconds, in a thread, until ``close``; does nothing where the source stays."""
        if not self.source.moves:
            return

        def run() -> None:
            while not self._stopped.wait(seconds):
                self.look()

        self._thread = threading.Thread(target=run, name="florence2-alias", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following and put the model away."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=1)  # it may be loading: nobody waits for that
        self._put_away(self._held.model)

    def _load(self, version: str) -> _Held[Model]:
        model = self._prepare(self.source.load(version), version)
        self.loads += 1
        return _Held(model, version)

    def _note(self, problem: str | None) -> None:
        if problem is not None and problem != self.problem:
            logger.warning("%s: %s", self.source.name, problem)
        self.problem = problem
