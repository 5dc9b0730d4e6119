"""All errors that a user can cause, in one hierarchy.

    Florence2Error                  exit status 1
    ├── ConfigurationError          a setting is unknown, of the wrong type or out of range
    ├── DatasetError                the data set as a whole cannot be read: no folder, no annotations
    │   ├── AnnotationFileError     one of its annotation files cannot be read; carries the line
    │   ├── ImageError              an image cannot be decoded; carries the defect
    │   └── InvalidAnnotationsError it can be read, but samples break a rule; lists all of them
    ├── AnswerError                 a text is not an answer of its task
    ├── ModelError                  a model cannot be found or loaded
    ├── TrainingError               a fine-tune failed, for example because its loss is NaN
    │   ├── DivergedError           its loss or its score is NaN or infinite
    │   └── OutOfMemoryError        even the smallest batch does not fit into the memory
    ├── RegistryError               the tracking store or the model registry failed
    ├── RequestError                a request to a served model is malformed or not allowed
    │   ├── TooLargeError           it, or an image in it, is larger than the server accepts
    │   ├── OverloadedError         too many requests wait; carries the time after which to try again
    │   └── TimeLimitError          its time limit has passed
    └── StackError                  a ZenML stack cannot be set up, or something is missing for it to run

A message names the file and line, the value, and the remedy. Exceptions of other libraries are translated where they
are caught (``raise ... from exc``), so callers need only these classes.
"""

from __future__ import annotations

from os import PathLike

__all__ = [
    "AnnotationFileError",
    "AnswerError",
    "ConfigurationError",
    "DatasetError",
    "DivergedError",
    "Florence2Error",
    "ImageError",
    "InvalidAnnotationsError",
    "ModelError",
    "OutOfMemoryError",
    "OverloadedError",
    "RegistryError",
    "RequestError",
    "StackError",
    "TimeLimitError",
    "TooLargeError",
    "TrainingError",
]


class Florence2Error(Exception):
    """Base of all errors that florence2 raises itself.

    Attributes:
        exit_status: exit status of the command line for this error.
    """

    exit_status: int = 1


class ConfigurationError(Florence2Error):
    """A setting is unknown, of the wrong type or out of range; the message lists all such settings."""


class DatasetError(Florence2Error):
    """The data set as a whole cannot be read."""


class AnnotationFileError(DatasetError):
    """One annotation file of the data set cannot be read.

    Args:
        file: the file.
        problem: what is wrong with it, and the remedy.
        line: number of the line, from 1; 0: the problem is not in one line.
    """

    def __init__(self, file: str | PathLike[str], problem: str, line: int = 0) -> None:
        super().__init__(file, problem, line)
        self.file, self.problem, self.line = file, problem, line

    def __str__(self) -> str:
        """Return ``file:line: problem``, or ``file: problem``."""
        return f"{self.file}:{self.line}: {self.problem}" if self.line else f"{self.file}: {self.problem}"


class ImageError(DatasetError):
    """An image cannot be decoded.

    Args:
        message: names the image, the defect and the remedy.
        defect: one of ``florence2.images.files.ImageDefect``.
    """

    def __init__(self, message: str, defect: str = "unreadable") -> None:
        super().__init__(message)
        self.defect = defect


class InvalidAnnotationsError(DatasetError):
    """Samples of the data set break a rule; the message lists them by file and line."""


class AnswerError(Florence2Error, ValueError):
    """A text is not an answer of its task, for example a box with three location tokens."""


class ModelError(Florence2Error):
    """A model cannot be found, loaded or used."""


class TrainingError(Florence2Error):
    """A fine-tune failed in a way that other settings can prevent."""


class DivergedError(TrainingError):
    """The loss of a fine-tune, or the score that chooses its best epoch, is NaN or infinite."""


class OutOfMemoryError(TrainingError):
    """A batch does not fit into the memory."""


class RegistryError(Florence2Error):
    """The tracking store or the model registry cannot do what was requested."""


class RequestError(Florence2Error):
    """A request to a served model cannot be answered."""


class TooLargeError(RequestError):
    """A request, or an image in it, is larger than the server accepts."""


class OverloadedError(RequestError):
    """Too many requests wait.

    Attributes:
        retry_seconds: time after which the client can try again.
    """

    def __init__(self, message: str, retry_seconds: int) -> None:
        super().__init__(message)
        self.retry_seconds = retry_seconds


class TimeLimitError(RequestError):
    """The time limit of a request has passed."""


class StackError(Florence2Error):
    """A ZenML stack cannot be set up, or a part of it that a run needs is missing; the message lists all of them."""
