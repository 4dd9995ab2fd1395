"""Addresses of databases: their parts, why no connection came about. A password in one is refused, never repeated."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from analysis import schema
from analysis.sources.parsing import collect, fault

POSTGRES, SPARK = ("postgresql", "postgres"), ("spark",)
_EXPECTED = "postgresql://user@host:5432/database?schema=cdm, or spark:///folder, or spark://?schema=cdm"


@dataclass(frozen=True)
class Address:
    """The parts of an address: `name` is the database or the folder that Spark reads; `schemas` in order of search."""

    scheme: str
    host: str | None
    port: int
    user: str | None
    name: str
    schemas: tuple[str, ...]


def parted(address: str) -> Address:
    """The parts of an address.

    Raises
    ------
    analysis.schema.BadInputError
        for an address of another kind, or one that carries a password; the address itself is not repeated.

    Example
    -------
    >>> parted("postgresql://reader@localhost/hospital?schema=cdm,vocabulary").schemas
    ('cdm', 'vocabulary')
    """
    try:
        parts = urlsplit(address)
        host, port, query = parts.hostname, parts.port, parse_qs(parts.query, strict_parsing=bool(parts.query))
    except ValueError:
        raise refused(_EXPECTED, "the address cannot be read: correct it") from None
    if parts.password is not None:
        raise refused("an address without a password", "leave it out and set PGPASSWORD in the environment instead")
    if parts.scheme not in (*POSTGRES, *SPARK):
        raise refused(f"{_EXPECTED}; came one that begins with {parts.scheme!r}", "correct it")
    if strangers := sorted(set(query) - {"schema"}):
        raise refused(f"?schema= and nothing else after the database, came {', '.join(strangers)}", "leave it out")
    schemas = tuple(name for value in query.get("schema", []) for name in value.split(",") if name)
    path = unquote(parts.path)
    if parts.scheme in POSTGRES and not path.strip("/"):
        raise refused(_EXPECTED, "the address names no database: add it")
    name = path if parts.scheme in SPARK else path.strip("/")
    return Address(parts.scheme, host, port or 5432, parts.username, name, schemas)


def refused(expected: str, mend: str) -> schema.BadInputError:
    """The error about an address or an engine."""
    return schema.BadInputError(collect([fault("(address)", expected, mend)]))


def why_not(said: str, address: Address, asked_for_password: bool) -> str:
    """Why no connection came about, in words of our own: a driver's message may repeat what it was given.

    A server may speak any language; that it asked for a password it says in none.
    """
    database, host = f"database {address.name!r}", address.host
    if "does not exist" in said:
        return f"{database}: the server has no such database, or no such user; check the address"
    if asked_for_password or "password" in said:
        return (
            f"{database}: the server refused the user or its password; set PGPASSWORD in the environment "
            "(the address names the user)"
        )
    if any(words in said for words in ("translate host name", "resolve host", "Name or service", "getaddrinfo")):
        return f"{database}: no host is called {host!r}; check its spelling"
    return f"{database}: no answer from {host or 'the local socket'}, port {address.port}; is the server running there?"
