"""What the launcher (`vonk run`, `vonk submit`) tells the program that it starts."""

from __future__ import annotations

import json
import os

#: The variable that holds the settings of the command line, as a JSON object.
SETTINGS_VARIABLE = "VONK_SETTINGS"

_settings: dict[str, str] | None = None


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
