"""Real engines for the tests: a PostgreSQL server of our own on a loopback port, and Spark in this process."""

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

OWNER, PASSWORD = "warden", "oak-Tree-7"
READER, READER_PASSWORD = "analyst", "elm-Tree-8"


@dataclass(frozen=True)
class Server:
    """A running server: its port; the address names the reader, who may read and no more."""

    port: int

    def address(self, database: str = "hospital", schema: str = "cdm", host: str = "127.0.0.1") -> str:
        return f"postgresql://{READER}@{host}:{self.port}/{database}?schema={schema}"

    def connect(self, database: str = "postgres"):
        import psycopg

        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=OWNER, password=PASSWORD, dbname=database, autocommit=True
        )


def missing(what: str) -> None:
    """Skip with the reason - in CI there is none, as .ci/run installs what is needed."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def _program(name: str) -> str:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = str(installed[-1]) if installed else shutil.which(name)
    if not found:
        missing("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    return found


@contextmanager
def postgres_server() -> Iterator[Server]:
    """A server in a temporary folder, started as an unprivileged user: PostgreSQL refuses to run as root."""
    initdb, postgres = _program("initdb"), _program("postgres")
    folder = Path(tempfile.mkdtemp(prefix="relapse-postgres-"))
    as_user: list[str] = []
    if os.getuid() == 0:
        user = pwd.getpwnam("postgres" if "postgres" in {entry.pw_name for entry in pwd.getpwall()} else "nobody")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    secret = folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    run = {"env": environment, "cwd": folder, "stdout": subprocess.DEVNULL}
    made = [initdb, "-D", str(folder / "data"), "-U", OWNER, "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync"]
    subprocess.run([*as_user, *made], check=True, timeout=120, **run)
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = ["listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", "fsync=off"]
    words = [postgres, "-D", str(folder / "data"), *(word for setting in settings for word in ("-c", setting))]
    process = subprocess.Popen([*as_user, *words], stderr=(folder / "log").open("w"), **run)
    try:
        server = Server(port)
        _wait_for(server, process, folder / "log")
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(server: Server, process: subprocess.Popen, log: Path) -> None:
    import psycopg

    for _ in range(300):
        try:
            server.connect().close()
            return
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
    raise AssertionError(f"the server did not answer within 30 s\n{log.read_text()}")


def load(server: Server, folder: Path, database: str = "hospital", schema: str = "cdm") -> None:
    """A folder of CSV tables as a schema of a new database, in the types of the model; the reader may read it."""
    from analysis.sources.omop.layout import SOURCES

    types = {"integer": "bigint", "number": "numeric", "date": "date", "text": "text"}
    with server.connect() as connection:
        connection.execute(f"CREATE DATABASE {database}")
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [READER]).fetchone():
            connection.execute(f"CREATE ROLE {READER} LOGIN PASSWORD '{READER_PASSWORD}'")
    with server.connect(database) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        for file in sorted(folder.glob("*.csv")):
            kinds = SOURCES[file.stem].columns
            header = file.open(encoding="utf-8").readline().strip().replace('"', "").split(",")
            columns = ", ".join(f"{name} {types[kinds.get(name, 'text')]}" for name in header)
            connection.execute(f"CREATE TABLE {schema}.{file.stem} ({columns})")
            with connection.cursor().copy(f"COPY {schema}.{file.stem} FROM STDIN WITH (FORMAT csv, HEADER)") as copy:
                copy.write(file.read_bytes())
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {READER}")
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {READER}")


@contextmanager
def spark_session() -> Iterator[None]:
    """Spark in this process, two threads, no pages; the reader finds it as the running session."""
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        missing(
            "PySpark or Java is not installed (pip install '.[spark]'; Debian: apt-get install default-jre-headless)"
        )
    from pyspark.sql import SparkSession

    with tempfile.TemporaryDirectory(prefix="relapse-spark-") as folder:
        settings = {
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.warehouse.dir": folder,
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.log.level": "ERROR",
        }
        builder = SparkSession.builder.master("local[2]").appName("relapse-tests")
        for name, value in settings.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        try:
            yield
        finally:
            session.stop()
