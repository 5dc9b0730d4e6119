"""Images for the model, decoded in other threads while it generates answers about earlier ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from florence2.config import core_count

if TYPE_CHECKING:
    from florence2.model import PixelTransform

__all__ = ["decoded_ahead"]

_MOST_THREADS = 8


def decoded_ahead(
    sources: Sequence[Path | BinaryIO], transform: PixelTransform, ahead: int
) -> Generator[NDArray[np.uint8]]:
    """Decode images in order, some of them in advance.

    Args:
        sources: files, or their bytes as opened binary streams.
        transform: scales them to the model's size.
        ahead: number of decoded images that may wait, which bounds the memory.

    Yields:
        uint8 (height, width, 3) of each source.

    Raises:
        DatasetError: an image cannot be decoded; names its file. It is raised at the position of the image.
    """
    waiting: deque[Future[NDArray[np.uint8]]] = deque()
    rest = iter(sources)
    # Decoding and scaling release the interpreter lock. A core is left to the model.
    pool = ThreadPoolExecutor(min(_MOST_THREADS, max(1, core_count() - 1)))
    try:
        while True:
            waiting.extend(
                pool.submit(lambda source: transform.shrink(transform.open(source)), source)
                for source in islice(rest, ahead - len(waiting))
            )
            if not waiting:
                return
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
