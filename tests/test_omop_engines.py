"""The same expressions on DuckDB, a real PostgreSQL server and Spark: identical rows; clear words when it fails.

The server is started here (tests/omop_engines.py). Where PostgreSQL, PySpark or Java is missing these tests are
skipped, but with CI=true that is a failure: .ci/run installs them.
"""

import json
import os
import re
from pathlib import Path

import pandas as pd
import pytest
from omop_engines import PASSWORD, READER, READER_PASSWORD, load, postgres_server, spark_session

from analysis import schema, sources
from analysis.__main__ import main
from analysis.derive import regimens, spells
from analysis.sources import omop, synthetic
from analysis.sources.omop import writer
from analysis.sources.omop.addresses import parted, why_not
from analysis.sources.omop.engines import opened, pulled
from analysis.sources.omop.layout import NEEDED

PATIENTS, SEED = 200, 5


@pytest.fixture(scope="session")
def made():
    return synthetic.simulate(PATIENTS, SEED)


@pytest.fixture(scope="session")
def folder(made, tmp_path_factory):
    """The cohort as CSV, with what makes engines differ: duplicates, other units, units in words, rows of others."""
    place = writer.write([made], tmp_path_factory.mktemp("omop") / "hospital", form="csv")
    exposure = pd.read_csv(place / "drug_exposure.csv")
    other = exposure.iloc[:5].assign(person_id=PATIENTS + 1)
    pd.concat([exposure, exposure.iloc[::7], other]).to_csv(place / "drug_exposure.csv", index=False)
    person = pd.read_csv(place / "person.csv")
    other = person.iloc[:1].assign(person_id=PATIENTS + 1, gender_concept_id=0)
    pd.concat([person, other]).to_csv(place / "person.csv", index=False)
    value = pd.read_csv(place / "measurement.csv", dtype=object)
    calcium = value["measurement_concept_id"] == "3006906"
    value["unit_source_value"] = calcium.map({True: "mg/dL"})
    value["unit_concept_id"] = value["unit_concept_id"].mask(calcium, "0")
    pd.concat([value, value.iloc[::5]]).to_csv(place / "measurement.csv", index=False)
    return place


@pytest.fixture(scope="session")
def on_duckdb(folder):
    return omop.read(folder)


@pytest.fixture(scope="session")
def server(folder):
    with postgres_server() as running:
        load(running, folder)
        yield running


@pytest.fixture
def address(server, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", READER_PASSWORD)
    return server.address()


@pytest.fixture(scope="session")
def spark():
    with spark_session():
        yield


def assert_same(found, expected):
    assert set(found) == set(expected)
    for name in set(expected) - {"cohort"}:
        pd.testing.assert_frame_equal(found[name], expected[name])
    columns = ["title", "synthetic", "endpoint", "time_zero", "release"]
    pd.testing.assert_frame_equal(found["cohort"][columns], expected["cohort"][columns])


def lines_and_spells(cohort):
    lines = regimens.lines(cohort)
    return {"lines": lines, "spells": spells.spells(cohort, lines)}


def test_what_was_made_odd_is_told_the_same_everywhere(on_duckdb, server, address):
    found = omop.inspect(server.address(schema="public,cdm"))  # the first schema that has a table counts
    pd.testing.assert_frame_equal(found, on_duckdb["faults"])
    assert not (on_duckdb["faults"]["severity"] == "error").any()


def test_postgresql_gives_the_rows_that_duckdb_gives(on_duckdb, address):
    found = omop.read(address)
    assert_same(found, on_duckdb)
    for name, frame in lines_and_spells(found).items():
        pd.testing.assert_frame_equal(frame, lines_and_spells(on_duckdb)[name])


def test_spark_gives_the_rows_that_duckdb_gives(on_duckdb, folder, spark):
    found = omop.read(f"spark://{folder}")
    assert_same(found, on_duckdb)
    for name, frame in lines_and_spells(found).items():
        pd.testing.assert_frame_equal(frame, lines_and_spells(on_duckdb)[name])


def test_spark_reads_its_own_catalogue(folder, spark):
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    session.sql("CREATE DATABASE IF NOT EXISTS cdm")
    for name in (*NEEDED, "cdm_source"):
        session.read.csv(str(folder / f"{name}.csv"), header=True).write.saveAsTable(f"cdm.{name}")
    with opened("spark://?schema=cdm") as engine:
        assert set(engine.tables) == {*NEEDED, "cdm_source"}
        version = pulled(engine.tables["cdm_source"].select("cdm_version"))
    assert version["cdm_version"].tolist() == ["v5.4"]


def test_lines_are_those_of_the_synthetic_cohort(made, on_duckdb):
    back, there = regimens.lines(on_duckdb), regimens.lines(made)
    number = there["patient_id"].str.removeprefix("S").astype(int).astype(str)
    columns = ["patient_id", "line", "start_day", "end_day", "regimen", "classes", "transplant", "progression_day"]
    order = ["patient_id", "line"]
    pd.testing.assert_frame_equal(
        back[columns].sort_values(order, ignore_index=True),
        there.assign(patient_id=number)[columns].sort_values(order, ignore_index=True),
    )


def test_import_from_a_database_and_no_password_anywhere(address, on_duckdb, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["import", "omop", address, "--out", str(out)]) == 0
    said = "".join(capsys.readouterr())
    stored = sources.read(str(out))
    for name in ("patients", "treatments", "labs", "findings"):
        pd.testing.assert_frame_equal(stored[name], on_duckdb[name], check_dtype=False)
    provenance = json.loads((out / "provenance.json").read_text())
    assert provenance["cohort"] == "hospital?schema=cdm"
    for text in (said, *(path.read_bytes().decode("latin-1") for path in out.iterdir())):
        assert READER_PASSWORD not in text


def test_a_schema_that_has_no_omop_tables(server, address):
    with pytest.raises(schema.BadInputError, match=re.escape("name the schema that holds them (?schema=...)")):
        omop.read(server.address(schema="public"))


def test_the_source_is_never_written(server, address):
    from analysis.sources.omop.engines import _postgres

    connection = _postgres(parted(address))
    try:
        with pytest.raises(Exception, match="read-only"):
            connection.raw_sql("CREATE TABLE mine (one integer)")
    finally:
        connection.disconnect()


def failed(arguments, out, capsys):
    """What the command says on failure; nothing is written, and no password stands in it."""
    assert main(["import", "omop", *arguments, "--out", str(out)]) == 1
    said = "".join(capsys.readouterr()).replace("1 error(s), 0 warning(s)", "")
    assert not out.exists() and not list(out.parent.iterdir())
    assert PASSWORD not in said and READER_PASSWORD not in said and "wrong-one" not in said
    assert len(said.strip().splitlines()) == 1, said
    return said


def test_a_wrong_password(address, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PGPASSWORD", "wrong-one")
    assert "refused the user or its password; set PGPASSWORD" in failed([address], tmp_path / "out", capsys)


def test_a_server_of_another_tongue_is_understood():
    address = parted("postgresql://analyst@host/hospital")
    said = why_not("FATAL: Passwort-Authentifizierung fehlgeschlagen", address, asked_for_password=True)
    assert "refused the user or its password" in said
    assert "no answer from host, port 5432" in why_not("Verbindung verweigert", address, asked_for_password=False)


def test_no_password(address, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("PGPASSWORD")
    monkeypatch.setenv("PGPASSFILE", os.devnull)
    assert "refused the user or its password; set PGPASSWORD" in failed([address], tmp_path / "out", capsys)


def test_a_misspelt_host(server, address, tmp_path, capsys):
    said = failed([server.address(host="hospitl.invalid")], tmp_path / "out", capsys)
    assert "no host is called 'hospitl.invalid'; check its spelling" in said


def test_a_database_that_is_not_there(server, address, tmp_path, capsys):
    assert "no such database" in failed([server.address(database="hospitl")], tmp_path / "out", capsys)


def test_a_server_that_is_not_there(server, address, tmp_path, capsys):
    nowhere = address.replace(f":{server.port}/", ":1/")
    assert "no answer from 127.0.0.1, port 1" in failed([nowhere], tmp_path / "out", capsys)


def test_a_user_who_may_not_read(server, folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PGPASSWORD", "ash-Tree-9")
    with server.connect("hospital") as connection:
        connection.execute("CREATE ROLE visitor LOGIN PASSWORD 'ash-Tree-9'")
        connection.execute("GRANT USAGE ON SCHEMA cdm TO visitor")
        connection.execute("GRANT SELECT ON cdm.cdm_source TO visitor")
    said = failed([server.address().replace(READER, "visitor")], tmp_path / "out", capsys)
    assert "came none that can be read here; name the schema" in said


def test_a_connection_lost_in_mid_pull(server, address, tmp_path, monkeypatch, capsys):
    pulled = []

    def break_after_the_first_part(rows, *arguments, original=omop.canonical.patients):
        pulled.append(len(rows))
        with server.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [READER])
        return original(rows, *arguments)

    monkeypatch.setattr(omop.canonical, "patients", break_after_the_first_part)
    said = failed([address], tmp_path / "out", capsys)
    assert "was lost while rows were coming; nothing was written: run it again" in said
    assert pulled == [PATIENTS]


def test_spark_that_is_not_installed_is_said(folder, monkeypatch):
    import ibis

    def none():
        raise ImportError("no module named pyspark")

    monkeypatch.setattr(ibis.pyspark, "connect", none)
    with pytest.raises(schema.BadInputError, match=re.escape("pip install '.[spark]', and Java")):
        omop.read(f"spark://{Path(folder)}")
