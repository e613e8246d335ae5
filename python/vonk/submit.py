"""The command line of `vonk run` and `vonk submit`: spark-submit's flags, and the settings they make."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

#: Flags whose setting `--conf` may override. They speak of a cluster or the JVM, and are accepted so that
#: scripts need no change.
_BELOW_CONF = {
    "--deploy-mode": "spark.submit.deployMode",
    "--driver-memory": "spark.driver.memory",
    "--driver-cores": "spark.driver.cores",
    "--driver-java-options": "spark.driver.extraJavaOptions",
    "--driver-library-path": "spark.driver.extraLibraryPath",
    "--driver-class-path": "spark.driver.extraClassPath",
    "--executor-memory": "spark.executor.memory",
    "--executor-cores": "spark.executor.cores",
    "--total-executor-cores": "spark.cores.max",
    "--num-executors": "spark.executor.instances",
    "--queue": "spark.yarn.queue",
    "--class": "spark.submit.class",
    "--jars": "spark.jars",
    "--packages": "spark.jars.packages",
    "--exclude-packages": "spark.jars.excludes",
    "--repositories": "spark.jars.repositories",
    "--principal": "spark.kerberos.principal",
    "--keytab": "spark.kerberos.keytab",
    "--proxy-user": "spark.submit.proxyUser",
}

#: Flags that say more than `--conf` does with the same setting.
_ABOVE_CONF = {
    "--master": "spark.master",
    "--name": "spark.app.name",
    "--remote": "spark.remote",
    "--files": "spark.files",
    "--archives": "spark.archives",
    "--py-files": "spark.submit.pyFiles",
}

#: Flags without a value, which change nothing.
_SWITCHES = ("-v", "--verbose", "--supervise", "--load-spark-defaults")

_HELP = ("-h", "--help")

_CONF = ("-c", "--conf")

#: Flags with a value that is no setting.
_OTHERS = (*_CONF, "--python", "--properties-file")

_VERBS = ("run", "submit")

#: A line of a file of settings.
_PAIR = re.compile(r"([^\s=:]+)[\s=:]+(.*)")

USAGE = f"""usage: vonk [run | submit] [FLAG ...] PROGRAM [ARGUMENT ...]

Runs a Python program that was written for PySpark, with vonk in the place of Spark.

  --master MASTER         where to run: `local[N]` for N workers, `local[*]` for all cores
  --remote ADDRESS        the Spark Connect server that sessions ask, such as `sc://host:15002`
  --name NAME             the name of the program
  -c, --conf NAME=VALUE   sets an option, by vonk's or Spark's name
  --properties-file FILE  a file of settings: a name and a value on each line
  --py-files FILES        modules and packages that the program imports, between commas
  --files FILES           files that the program finds with `SparkFiles`, between commas
  --archives FILES        archives that are unpacked for `SparkFiles`, between commas
  --python PYTHON         the Python that runs the program; by default this one

Accepted for the sake of scripts: {" ".join(_BELOW_CONF)} --verbose --supervise --load-spark-defaults"""


class UsageError(Exception):
    """The command line is wrong; the text says how, and what to do."""


@dataclass
class Call:
    """What a command line asks for."""

    #: The program and its arguments; empty if help is wanted.
    program: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    python: str | None = None
    wants_help: bool = False


def parse(arguments: Sequence[str]) -> Call:
    """Reads a command line. Of settings, those of a file count least, and those of `--conf` more.

    >>> parse(["submit", "--name", "words", "--conf", "a=1", "job.py", "--name", "its own"])
    Call(program=['job.py', '--name', 'its own'], settings={'a': '1', 'spark.app.name': 'words'}, ...)
    """
    rest = list(arguments)
    given: list[tuple[str, str]] = []
    is_verb_due = True
    while rest and (rest[0].startswith("-") or (is_verb_due and rest[0] in _VERBS)):
        word = rest.pop(0)
        if word in _HELP:
            return Call(wants_help=True)
        if word in _VERBS:
            is_verb_due = False
        elif word not in _SWITCHES:
            given.append(_flag_and_value(word, rest))
    if not rest:
        raise UsageError("no program is named\nhint: `vonk --help` tells how")
    return Call(rest, _settings(given), dict(given).get("--python"))


def _flag_and_value(word: str, rest: list[str]) -> tuple[str, str]:
    """A flag and its value: behind `=`, or the next word, which is taken from the rest."""
    if word.startswith("-c") and len(word) > 2:
        return "--conf", word[2:].removeprefix("=")
    flag, has_value, value = word.partition("=")
    known = (*_BELOW_CONF, *_ABOVE_CONF, *_OTHERS)
    if flag not in known:
        likely = difflib.get_close_matches(flag, known, 1)
        hint = f"did you mean `{likely[0]}`?" if likely else "`vonk --help` lists the flags"
        raise UsageError(f"unknown flag `{flag}`\nhint: {hint}")
    if not has_value:
        if not rest:
            raise UsageError(f"`{flag}` has no value\nhint: give `{flag} VALUE`")
        value = rest.pop(0)
    return "--conf" if flag in _CONF else flag, value


def _settings(given: list[tuple[str, str]]) -> dict[str, str]:
    """The settings of flags, each kind over those that count less."""
    named = dict(given)
    if "--master" in named and "--remote" in named:
        raise UsageError("`--master` and `--remote` exclude each other\nhint: give one of them")
    settings: dict[str, str] = {}
    if "--properties-file" in named:
        settings.update(_properties(named["--properties-file"]))
    settings.update((_BELOW_CONF[flag], value) for flag, value in given if flag in _BELOW_CONF)
    settings.update(_pair(value) for flag, value in given if flag == "--conf")
    settings.update((_ABOVE_CONF[flag], value) for flag, value in given if flag in _ABOVE_CONF)
    return settings


def _pair(text: str) -> tuple[str, str]:
    name, is_pair, value = text.partition("=")
    if not is_pair or not name:
        raise UsageError(
            f"`--conf {text}` sets nothing\nhint: give NAME=VALUE, such as spark.app.name=words"
        )
    return name, value


def _properties(path: str) -> list[tuple[str, str]]:
    """The settings of a file of Spark's kind."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise UsageError(
            f"`{path}` cannot be read: {error.strerror}\nhint: name a file of settings"
        ) from None
    return parse_properties(text)


def parse_properties(text: str) -> list[tuple[str, str]]:
    """Names and values with blanks, `=` or `:` between them, one pair a line.

    >>> parse_properties("# note\\nspark.master  local[2]\\nspark.app.name=words\\n\\nbad")
    [('spark.master', 'local[2]'), ('spark.app.name', 'words')]
    """
    lines = (line.strip() for line in text.splitlines())
    pairs = (_PAIR.fullmatch(line) for line in lines if not line.startswith(("#", "!")))
    return [(pair[1], pair[2]) for pair in pairs if pair]
