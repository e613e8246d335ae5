"""Every example in the documentation of the package runs."""

import doctest
import importlib
import pkgutil
import unittest

import vonk
from vonk.trace import _vonk

#: Modules whose examples need the compiled part.
_COMPILED = ("vonk.query",)

#: Modules that have no examples: the program, the compiled part, and what needs the PySpark client.
_LEFT_OUT = ("vonk.__main__", "vonk._vonk", "vonk.server", "vonk.session")


def load_tests(loader, tests, pattern):
    """Adds the examples of all modules, which run in one context."""
    suite = unittest.TestSuite()
    for module in pkgutil.walk_packages(vonk.__path__, "vonk."):
        is_left_out = module.name in _LEFT_OUT or "_shim" in module.name
        if is_left_out or (_vonk is None and module.name in _COMPILED):
            continue
        found = doctest.DocTestSuite(
            importlib.import_module(module.name), optionflags=doctest.ELLIPSIS, tearDown=_stop
        )
        suite.addTests(found)
    return suite


def _stop(_):
    context = vonk.SparkContext._active_spark_context
    if context is not None:
        context.stop()
