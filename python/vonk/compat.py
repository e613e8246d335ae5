"""The names by which PySpark programs import what vonk has; the shim's modules are made of it.

The shim is put on `sys.path` by the launcher only, so that no package of the name `pyspark` is ever
installed by vonk. What the shim does not have comes from the installed PySpark client, if there is one.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import sys
import types
from collections.abc import Callable
from typing import Any

#: The folder that is put on `sys.path`.
SHIM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_shim")


def install() -> None:
    """Lets `import pyspark` find the shim from now on.

    >>> install(); install()
    >>> sys.path.count(SHIM)
    1
    """
    if SHIM not in sys.path:
        sys.path.insert(0, SHIM)


def real_package(name: str) -> str | None:
    """The folder of an installed package that the shim stands in front of."""
    paths = [path for path in sys.path if os.path.abspath(path or ".") != SHIM]
    if "." in name:
        return None
    spec = importlib.machinery.PathFinder.find_spec(name, paths)
    if spec is None or not spec.submodule_search_locations:
        return None
    return list(spec.submodule_search_locations)[0]


def fallback(name: str) -> Callable[[str], Any]:
    """What a module of the shim does with a name that it does not have: asks the installed client.

    >>> fallback("pyspark.nothing")("name")
    Traceback (most recent call last):
    AttributeError: module `pyspark.nothing` has no attribute `name`
    """

    def get(attribute: str) -> Any:
        folder = None if attribute.startswith("__") else real_package(name)
        if folder is not None and _is_module(os.path.join(folder, attribute)):
            return importlib.import_module(f"{name}.{attribute}")
        module = None if attribute.startswith("__") else _real_module(name)
        if module is None or not hasattr(module, attribute):
            raise AttributeError(f"module `{name}` has no attribute `{attribute}`")
        return getattr(module, attribute)

    return get


def _is_module(path: str) -> bool:
    return os.path.isdir(path) or os.path.exists(path + ".py")


def _real_module(name: str) -> types.ModuleType | None:
    """The client's own module of a name that the shim has taken."""
    private = f"vonk._real.{name}"
    if private in sys.modules:
        return sys.modules[private]
    package, *inner = name.split(".")
    folder = real_package(package)
    if folder is None:
        return None
    path = os.path.join(folder, *inner)
    path = os.path.join(path, "__init__.py") if os.path.isdir(path) else path + ".py"
    if not os.path.exists(path):
        return None
    spec = importlib.util.spec_from_file_location(private, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[private] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[private]
        raise
    return module
