"""The name by which PySpark programs catch the error of a job."""

from vonk.errors import JobError as Py4JJavaError

Py4JJavaError.__name__ = Py4JJavaError.__qualname__ = "Py4JJavaError"
Py4JJavaError.__module__ = __name__


class Py4JError(Exception):
    """Is never raised: there is no JVM."""


class Py4JNetworkError(Py4JError):
    """Is never raised: there is no JVM."""


__all__ = ["Py4JError", "Py4JJavaError", "Py4JNetworkError"]
