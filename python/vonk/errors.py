"""The errors of jobs and of calls that vonk does not answer."""

from __future__ import annotations


class JobError(RuntimeError):
    """A job failed because one of its tasks did; the text holds the worker's traceback.

    `cause` is the exception of the user's function where it could be brought over.
    """

    def __init__(self, message: str, cause: BaseException | None = None):
        super().__init__(message)
        self.cause = cause


class JobCancelled(JobError):
    """A job was cancelled by its group or tag, or by the end of its context."""


class NotSupported(NotImplementedError):
    """A part of Spark's API that vonk does not have."""


def not_supported(what: str, instead: str) -> NotSupported:
    """The error for a call that vonk does not answer, with what to do instead.

    >>> print(not_supported("the codec `Lzo`", "take one of GzipCodec, BZip2Codec"))
    the codec `Lzo` is not supported: take one of GzipCodec, BZip2Codec
    """
    return NotSupported(f"{what} is not supported: {instead}")
