"""Whether the artifact store of a stack answers, checked in bounded time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipelines.stacks.missing import Missing

if TYPE_CHECKING:
    from zenml.client import Client

__all__ = ["unreachable_artifact_store"]

_SECONDS = 20


def unreachable_artifact_store(client: Client, stack: str) -> list[Missing]:
    """Return what is wrong with the artifact store of a stack; nothing if its bucket answers or it is a folder.

    Libraries for object stores try for minutes if there is no answer; this waits 20 seconds.

    Args:
        client: of the ZenML store.
        stack: name of one that exists.
    """
    from zenml.artifact_stores import BaseArtifactStore
    from zenml.enums import StackComponentType

    (component,) = client.get_stack(stack, allow_name_prefix_match=False).components[StackComponentType.ARTIFACT_STORE]
    path = component.configuration.get("path", "")
    if not urlsplit(path).netloc:
        return []
    bucket = f"{urlsplit(path).scheme}://{urlsplit(path).netloc}"
    answers: list[bool | Exception] = []

    def probe() -> None:
        try:
            store = BaseArtifactStore.from_model(component)
            assert isinstance(store, BaseArtifactStore)
            # ZenML's own check stays below the path, which does not exist before the first run.
            filesystem = getattr(store, "filesystem", None)
            answers.append(True if filesystem is None else filesystem.exists(bucket))
        except Exception as exc:  # whatever a library for an object store raises
            answers.append(exc)

    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(_SECONDS)
    answer = answers[0] if answers else TimeoutError(f"no answer in {_SECONDS} seconds")
    if answer is True:
        return []
    reason = f"{type(answer).__name__}: {' '.join(str(answer).split())[:300]}" if answer else "no such bucket"
    return [
        Missing(
            f"the artifact store {path} does not answer: {reason}",
            "check the bucket's name, the secret that the file refers to, and the network;"
            " `zenml secret update NAME --KEY=...` for new credentials",
        )
    ]
