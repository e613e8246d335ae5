"""What the launcher (`vonk run`, `vonk submit`) tells the program that it starts."""

from __future__ import annotations

import json
import os

#: The variable that holds the settings of the command line, as a JSON object.
SETTINGS_VARIABLE = "VONK_SETTINGS"

_settings: dict[str, str] | None = None


#: Settings that begin so are the package's own; the engine does not know them.
PACKAGE_PREFIX = "vonk.rdd."


def of_engine(named: dict[str, str]) -> list[tuple[str, str]]:
    """The settings among these that the engine is told.

    >>> of_engine({"vonk.rdd.trace": "false", "spark.x": "1"})
    [('spark.x', '1')]
    """
    return [pair for pair in named.items() if not pair[0].startswith(PACKAGE_PREFIX)]


def settings() -> dict[str, str]:
    """Settings given on the command line.

    >>> isinstance(settings(), dict)
    True
    """
    global _settings
    if _settings is None:
        text = os.environ.get(SETTINGS_VARIABLE)
        _settings = {str(k): str(v) for k, v in json.loads(text).items()} if text else {}
    return _settings
