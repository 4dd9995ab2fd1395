"""The command `relapse` (also `python -m analysis`): report, check, import, simulate, fetch, predict, list.

Exit codes: 0 done; 1 the data or a notebook failed; 2 wrong usage; 3 a kernel was killed; 4 out of time;
5 another run holds the folder of the pages; 130 interrupted.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from analysis import schema, shelf
from analysis.report import folder, parameters, signals, study
from analysis.report.parameters import UsageError
from analysis.report.progress import cases_progress, complain, counted, notebook_progress, say

DONE, FAILED, WRONG_USAGE, BUSY, INTERRUPTED = 0, 1, 2, 5, 130


def main(arguments: list[str] | None = None) -> int:
    """Run the command with these arguments (default: those of the shell) and return its exit code."""
    try:
        asked = _parser().parse_args(arguments)
    except SystemExit as stop:  # argparse has said what was wrong, or printed the help
        return stop.code or DONE
    try:
        with signals.interrupted_once():
            return asked.command(asked)
    except schema.BadInputError as error:
        _report_faults(error.faults, getattr(asked, "show_values", False))
        return FAILED
    except schema.SchemaError as error:
        complain(str(error))
        return FAILED
    except (UsageError, FileExistsError) as error:
        complain(str(error))
        return WRONG_USAGE
    except folder.BusyError as error:
        complain(str(error))
        return BUSY
    except OSError as error:
        complain(str(error))
        return FAILED
    except KeyboardInterrupt:
        complain("interrupted; pages that were not finished are as they were before")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="relapse", description="How often, and how soon, does myeloma relapse?")
    parser.add_argument("--version", action="version", version=shelf.versions()["myeloma-relapse"])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(command=run)
        return added

    report = command("report", _report, "run the notebooks on a cohort; write their pages and an index")
    report.add_argument("--cohort", metavar="C", help="synthetic, a folder, or a name under data/raw/")
    report.add_argument("--out", type=Path, metavar="DIR", help="folder of the pages (default: reports/)")
    report.add_argument("--only", nargs="+", metavar="NAME", help="these notebooks and those that they need")
    report.add_argument("-p", dest="values", action="append", type=_pair, default=[], metavar="name=value")
    report.add_argument("--jobs", type=_positive, default=2, metavar="N", help="notebooks at a time (default: 2)")

    check = command("check", _check, "say everything that is wrong with a cohort's files, all at once")
    check.add_argument("cohort", metavar="COHORT")
    check.add_argument("--show-values", action="store_true", help="print the values found; they may be a patient's")

    importer = command("import", _import, "turn somebody's files into canonical Parquet tables")
    importer.add_argument("source", choices=["gdc", "omop", "tables"], metavar="SOURCE", help="gdc, omop or tables")
    importer.add_argument("input", metavar="INPUT", help="a folder; omop: or an address (password: PGPASSWORD)")
    importer.add_argument("--out", type=Path, required=True, metavar="DIR")
    importer.add_argument("--show-values", action="store_true", help="print the values found; they may be a patient's")
    only = importer.add_argument_group("omop only")
    only.add_argument("--death-grace-days", type=_days_or_all, metavar="N", help="deaths count up to N days after the "
                      "end of observation (default: 30), or all")  # fmt: skip
    only.add_argument("--washout-days", type=_natural, metavar="N", help="leave out patients with fewer days of "
                      "observation before the first treatment (default: 0)")  # fmt: skip
    only.add_argument("--least-share", type=float, metavar="X", help="share of patients who can be followed that makes "
                      "relapse the endpoint (default: 0.5)")  # fmt: skip

    simulate = command("simulate", _simulate, "simulate a cohort and store it as canonical or OMOP tables")
    simulate.add_argument("--patients", type=_positive, required=True, metavar="N")
    simulate.add_argument("--seed", type=_natural, required=True, metavar="S")
    simulate.add_argument("--out", type=Path, required=True, metavar="DIR")
    forms = ["tables", "omop", "omop-csv"]
    simulate.add_argument("--format", choices=forms, default="tables", help="canonical, or OMOP as Parquet or CSV")
    simulate.add_argument("--no-episodes", action="store_true", help="OMOP without stated lines of treatment")

    fetch = command("fetch", _fetch, "download a public cohort into data/raw/, with its release and checksum")
    fetch.add_argument("name", metavar="NAME", help="commpass")
    fetch.add_argument("--address", help="another address of the same service")

    predictor = command("predict", _predict, "risks of the patients in a file, by a stored model; not medical advice")
    predictor.add_argument("model", type=Path, metavar="MODEL", help="the folder of a stored model")
    predictor.add_argument("patients", type=Path, metavar="PATIENTS.csv", help="one row per patient and line")
    predictor.add_argument("--out", type=Path, metavar="FILE", help="write the risks into this CSV file")
    predictor.add_argument("--show-values", action="store_true", help="print the values found; they may be a patient's")

    lister = command("list", _list, "list notebooks and cohorts, or the parameters of a notebook")
    lister.add_argument("notebook", nargs="?", metavar="NOTEBOOK")
    return parser


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError("expected name=value, such as horizon_months=48")  # what came may be secret
    return name, value


def _natural(text: str, least: int = 0) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, came {text!r}")
    return int(text)


def _days_or_all(text: str) -> int | str:
    return text if text == "all" else _natural(text)


def _positive(text: str) -> int:
    return _natural(text, least=1)


def _report(asked: argparse.Namespace) -> int:
    from analysis import sources
    from analysis.report import kernels, outcome, runner
    from analysis.report.execution import Limits

    notebooks = shelf.project_folder() / "notebooks"
    decided = study.read(notebooks / "study.yaml")
    cohort = _located(asked.cohort or decided.cohort)
    runs = study.plan(decided, notebooks, cohort, _once_each(asked.values), asked.only)
    names = sorted(run.notebook for run in decided.runs)
    out = folder.usable(asked.out or shelf.project_folder() / "reports")
    with kernels.fork_server(kernels.imported_by(run.notebook for run in runs)) as fork_address:
        say(f"cohort {cohort}: reading")  # while the fork server imports
        about = shelf.about(cohort, sources)
        definitions = decided.definitions.get("every", {}) | decided.definitions.get(about["endpoint"], {})
        limits = Limits.of_minutes(decided.timeout_minutes, decided.cell_timeout_minutes, decided.memory_gigabytes)
        with folder.alone_in(out):
            folder.refuse_pages_of_others(out, names, [run.name for run in runs], about["fingerprint"])
            say(f"cohort {about['title']}: {about['patients']:,} patients; {len(runs)} notebook(s)")
            _mention_warnings(cohort)
            write_index = partial(folder.write_index, out, names, decided.title, definitions)
            shared = runner.Setting.of(out, about, definitions)
            try:
                with notebook_progress(len(runs)) as tell:
                    records = runner.run_all(runs, shared, asked.jobs, limits, tell, fork_address, write_index)
            finally:
                write_index()
    for record in records:
        if record["status"] != "ok":
            complain(outcome.sentence(record, out))
    good = sum(record["status"] == "ok" for record in records)
    say(f"{good} of {len(runs)} notebook(s) ended well: {out / 'index.html'}")
    return outcome.exit_code(records)


def _once_each(pairs: list[tuple[str, str]]) -> dict[str, str]:
    names = [name for name, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError([f"-p {name}: given more than once; give it once" for name in twice])
    return dict(pairs)


def _mention_warnings(cohort: str) -> None:
    from analysis import sources

    if cohort == sources.SYNTHETIC:
        return
    warnings = len(sources.inspect(cohort))
    if warnings:
        say(f"{warnings} warning(s) about the data; to read them: relapse check {cohort}")


def _check(asked: argparse.Namespace) -> int:
    from analysis import sources
    from analysis.derive import relapses

    _refuse_password(asked.cohort)
    faults = sources.inspect(asked.cohort)
    _report_faults(faults, asked.show_values)
    if (faults["severity"] == "error").any():
        return FAILED
    tables_read = sources.read(asked.cohort)
    say(f"endpoint {tables_read['cohort']['endpoint'].iloc[0]}; {len(tables_read['patients']):,} patients")
    if tables_read["cohort"]["endpoint"].iloc[0] == "relapse" and not {"lines", "spells"} & set(tables_read):
        share = relapses.share_stated(tables_read)
        said = f"{share:.0%} of the lines that another followed have a stated progression"
        say(f"relapses {relapses.basis(tables_read)} ({said}; `relapses` in cohort.csv decides otherwise)")
    for name, frame in tables_read.items():
        say(f"  {name}: {len(frame):,} row(s)")
    return DONE


def _import(asked: argparse.Namespace) -> int:
    from analysis import sources
    from analysis.sources import gdc, omop, tables

    cohort = _located(asked.input)
    readers = (("gdc", gdc), ("tables", tables), ("omop", omop))
    database = sources.is_address(cohort)
    recognised = ["omop"] if database else [name for name, reader in readers if reader.recognises(Path(cohort))]
    if recognised and asked.source not in recognised:
        what = "an address is" if database else f"{asked.input} holds"
        raise UsageError([f"{what} a cohort of source {recognised[0]!r}, not {asked.source!r}"])
    chosen = _omop_choices(asked)
    provenance = {"cohort": Path(cohort).name} | ({} if database else {"fingerprint": sources.fingerprint(cohort)})
    if asked.source == "omop":
        about = {"choices": dataclasses.asdict(omop.choices(**chosen))}
        told: list[str] = []
        read = omop.parts(cohort, tell=told.append, **chosen)
        say(f"written: {shelf.write_cohort(read, asked.out, provenance | about)}")
        for sentence in told:
            say(sentence)
        return DONE
    say(f"written: {shelf.write_cohort(sources.read(cohort), asked.out, provenance)}")
    _mention_warnings(cohort)
    return DONE


def _omop_choices(asked: argparse.Namespace) -> dict[str, Any]:
    """What was chosen of how OMOP is read; refused for another source, and outside its range."""
    from analysis.sources import omop

    names = ("death_grace_days", "washout_days", "least_share")
    given = {name: value for name in names if (value := getattr(asked, name)) is not None}
    if given and asked.source != "omop":
        options = ", ".join("--" + name.replace("_", "-") for name in given)
        raise UsageError([f"{options}: for source 'omop' only, came {asked.source!r}; leave it out"])
    chosen = {name: None if value == "all" else value for name, value in given.items()}
    try:
        omop.choices(**chosen)
    except ValueError as error:
        raise UsageError([str(error)]) from None
    return chosen


def _simulate(asked: argparse.Namespace) -> int:
    from analysis.sources import synthetic
    from analysis.sources.omop import writer

    parts = counted(synthetic.parts(asked.patients, asked.seed), asked.patients)
    if asked.format == "tables":
        written = shelf.write_cohort(parts, asked.out, {"seed": asked.seed})
    else:
        form = "csv" if asked.format == "omop-csv" else "parquet"
        written = writer.write(parts, asked.out, form, episodes=not asked.no_episodes)
    say(f"written: {written}")
    return DONE


def _fetch(asked: argparse.Namespace) -> int:
    from analysis.sources import catalogue

    fetched = [name for name, how in _catalogue() if how.startswith("relapse fetch")]
    if asked.name not in fetched:
        raise UsageError([f"nothing to fetch is called {asked.name!r}{parameters.nearest(asked.name, fetched)}"])
    say(f"{asked.name}: asking {asked.address or 'its usual address'}")
    place = shelf.data_folder() / "raw" / asked.name
    try:
        with cases_progress() as tell:
            stored = catalogue.fetch(asked.name, place, address=asked.address, tell=tell)
    finally:
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()  # an empty folder would be offered as a cohort
    say(f"stored: {stored}; now: relapse report --cohort {asked.name}")
    return DONE


def _predict(asked: argparse.Namespace) -> int:
    from analysis.commands.predict import predict

    return DONE if predict(asked.model, asked.patients, asked.out) else FAILED


def _catalogue() -> list[tuple[str, str]]:
    from analysis.sources import catalogue

    entries = catalogue.entries()
    return list(zip(entries["name"], entries["how"], strict=True))


def _list(asked: argparse.Namespace) -> int:
    notebooks = shelf.project_folder() / "notebooks"
    names = sorted(run.notebook for run in study.read(notebooks / "study.yaml").runs)
    if asked.notebook is None:
        say("notebooks")
        for name in names:
            say(f"  {name}  {study.title(study.notebook_file(notebooks, name))}")
        say("cohorts")
        for name, how in _catalogue():
            say(f"  {name}  {how}")
        return DONE
    if asked.notebook not in names:
        raise UsageError([f"unknown notebook {asked.notebook!r}{parameters.nearest(asked.notebook, names)}"])
    file = study.notebook_file(notebooks, asked.notebook)
    for line in [study.title(file), *parameters.describe(parameters.read(file))]:
        say(line)
    return DONE


def _located(cohort: str) -> str:
    """A cohort as the notebooks get it: the name of the embedded one, or an absolute path."""
    from analysis import sources

    _refuse_password(cohort)
    keep = cohort == sources.SYNTHETIC or sources.is_address(cohort)
    return cohort if keep else str(sources.locate(cohort).resolve())


def _refuse_password(cohort: str) -> None:
    """A password in a cohort's address is refused, and not repeated."""
    from analysis import sources

    if sources.is_address(cohort) and parameters.secret_faults({"cohort": cohort}):
        raise UsageError([
            "the address carries a password: expected postgresql://user@host:5432/database?schema=cdm without one; "
            "set the password in the environment variable PGPASSWORD instead, and run it again"
        ])  # fmt: skip
    parameters.refuse_secrets({"cohort": cohort})


def _report_faults(faults: Any, show_values: bool) -> None:
    for line in schema.fault_lines(faults, show_values=show_values):
        complain(line.replace("\n", "\\n"))  # a name with a line end in it cannot pass for a fault of its own
    errors = int((faults["severity"] == "error").sum())
    masked = not show_values and (faults["value"] != "").any()
    hint = "; values are masked: relapse check COHORT --show-values prints them" if masked else ""
    complain(f"{errors} error(s), {len(faults) - errors} warning(s){hint}")


if __name__ == "__main__":
    sys.exit(main())
