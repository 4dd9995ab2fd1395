"""Secrets are never parameters: what looks like one is refused, and its value is not repeated.

papermill writes each value into the notebook that it saves and into that notebook's metadata; pages and records show
values too. So a notebook reads a secret itself, from its environment, which a kernel has from the command.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from analysis.report.parameters.faults import UsageError

_WORDS = {"password", "passwd", "passphrase", "pwd", "secret", "token", "credential", "apikey", "key"}
_NAME_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_IN_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^\s:/?#]*:[^\s]*@", re.IGNORECASE)
_IN_SETTING = re.compile(
    r"(?<![a-z])(password|passwd|pwd|passphrase|secret|token|credentials?|(api|access|account|private)_?key)"
    r"\s*[=:]\s*[^\s;&]",
    re.IGNORECASE,
)
_ADVICE = (
    "a secret is no parameter, since a parameter is stored in notebook and record; keep it in an environment "
    'variable and read it in the notebook: os.environ["NAME"]'
)


def secret_name(name: str) -> bool:
    """Does a parameter of this name ask for a secret?

    Example
    -------
    >>> [name for name in ("db_password", "apiKey", "tokens", "key_findings", "non_secretory") if secret_name(name)]
    ['db_password', 'apiKey', 'tokens']
    """
    parts = [part.lower().removesuffix("s") for part in _NAME_PART.findall(name)]
    # "key" alone or last is a secret; before another word it means "important"
    return any(part in _WORDS for part in parts[-1:]) or any(part in _WORDS - {"key"} for part in parts)


def secret_value(value: Any) -> bool:
    """Does this value, or an item of this list, carry a password?

    Example
    -------
    >>> secret_value("postgresql://me:hunter2@host/omop"), secret_value("postgresql://me@host/omop")
    (True, False)
    """
    if isinstance(value, list | tuple):
        return any(secret_value(item) for item in value)
    if isinstance(value, dict):
        return any(secret_value(item) or secret_name(str(name)) for name, item in value.items())
    return isinstance(value, str) and bool(_IN_ADDRESS.search(value) or _IN_SETTING.search(value))


def secret_faults(values: Mapping[str, Any]) -> dict[str, str]:
    """One sentence for each of these that is a secret, by name or by value; the values are not in it."""
    said = {}
    for name, value in values.items():
        if secret_name(name):
            said[name] = f"{name!r} is named like a secret: {_ADVICE}"
        elif secret_value(value):
            said[name] = f"{name!r} carries a password (its value is not shown): {_ADVICE}"
    return said


def refuse_secrets(values: Mapping[str, Any]) -> None:
    """Stop when one of these words of a command is a secret, before anything repeats it.

    Raises
    ------
    UsageError
        naming each, without its value.
    """
    if said := secret_faults(values):
        raise UsageError(list(said.values()))
