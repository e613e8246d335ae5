"""The name of a package that PySpark programs import errors from; there is no JVM."""

from vonk import compat

_real = compat.real_package("py4j")
if _real is not None:
    __path__.append(_real)
