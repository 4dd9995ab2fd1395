"""The bytes of a CSV file to cells of text: what breaks a file as a whole is found and placed here."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd

from analysis.sources.parsing.faults import fault, faults_at

_QUOTE, _COMMA, _NEWLINE = ord('"'), ord(","), ord("\n")
_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_SAVE = "save the file as CSV with UTF-8 encoding (in Excel: CSV UTF-8)"

Cells = pd.DataFrame
Faults = list[pd.DataFrame]


def text_cells(content: bytes, file: str) -> tuple[Cells | None, Faults]:
    """What stands in each cell of a CSV file (commas, UTF-8, one header line)?

    Returns the cells as categories of text, one row per record, where the index is the 1-based line on which the
    record starts, and the faults found. None instead of cells when the file cannot be split into cells at all.
    A record with too many or too few cells is recorded and left out.

    Example
    -------
    >>> cells, faults = text_cells(b"patient_id,day\\nA,7\\n\\nB,9\\n", "labs.csv")
    >>> cells["day"].astype(object).to_dict(), faults
    ({2: '7', 4: '9'}, [])
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
        return None, [fault(file, "plain text in UTF-8, came UTF-16 or binary data", _SAVE)]
    content, faults = _as_utf8(content.removeprefix(b"\xef\xbb\xbf"), file)
    content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not content.strip():
        return None, [fault(file, "a header line and one line per row, came an empty file", "fill or remove the file")]
    quotes = np.flatnonzero(np.frombuffer(content, dtype=np.uint8) == _QUOTE)
    stray = _stray_quote(content, quotes)
    if stray is not None:
        line = 1 + content.count(b"\n", 0, stray)
        mend = "remove the quote, or quote the whole cell and write inner quotes twice"
        return None, [*faults, fault(file, 'quotes (") only around whole cells', mend, line=line)]
    records = _records(content, quotes)
    header = records.iloc[0]
    first_line = content[header["start"] : header["end"]].decode()
    names = [name.strip() for name in next(csv.reader(io.StringIO(first_line, newline="")))]
    header_faults = _header_faults(names, first_line, file, int(header["line"]))
    if header_faults:
        return None, [*faults, *header_faults]
    body = records.iloc[1:]
    ragged = body[body["cells"] != len(names)]
    expected = f"{len(names)} cells as in the header"
    mend = "quote a cell that holds a comma, and write decimals with a point"
    if len(ragged):
        faults.append(faults_at(file, "", ragged["line"], [""] * len(ragged), expected, mend))
    return _split(content, body, names), faults


def _as_utf8(content: bytes, file: str) -> tuple[bytes, Faults]:
    """The content with undecodable bytes replaced, and a fault for each line that has some."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        broken = []
        for line, text in enumerate(content.splitlines(), start=1):
            try:
                text.decode("utf-8")
            except UnicodeDecodeError:
                broken.append(line)
        found = faults_at(file, "", broken, [""] * len(broken), "text in UTF-8, came another encoding", _SAVE)
        return content.decode("utf-8", errors="replace").encode(), [found]
    return content, []


def _stray_quote(content: bytes, quotes: np.ndarray) -> int | None:
    """The position of the first quote that neither opens, closes nor is doubled within a quoted cell."""
    if not len(quotes):
        return None
    padded = np.frombuffer(b"\n" + content + b"\n", dtype=np.uint8)
    neighbours = np.array([_QUOTE, _COMMA, _NEWLINE], dtype=np.uint8)
    opens, closes = quotes[::2], quotes[1::2]
    wrong = np.concatenate([
        opens[~np.isin(padded[opens], neighbours)],
        closes[~np.isin(padded[closes + 2], neighbours)],
        quotes[-1:] if len(quotes) % 2 else quotes[:0],
    ])  # fmt: skip
    return int(wrong.min()) if len(wrong) else None


def _records(content: bytes, quotes: np.ndarray) -> pd.DataFrame:
    """Start, end, line and number of cells of each record that is not blank; line breaks within quotes end none."""
    array = np.frombuffer(content, dtype=np.uint8)
    newlines, commas = np.flatnonzero(array == _NEWLINE), np.flatnonzero(array == _COMMA)
    outside = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
    commas = commas[np.searchsorted(quotes, commas) % 2 == 0]
    ends = outside if content.endswith(b"\n") else np.append(outside, len(content))
    starts = np.concatenate([[0], ends[:-1] + 1])
    records = pd.DataFrame({
        "start": starts,
        "end": ends,
        "line": 1 + np.searchsorted(newlines, starts),
        "cells": 1 + np.searchsorted(commas, ends) - np.searchsorted(commas, starts),
    })  # fmt: skip
    return records[starts < ends]


def _header_faults(names: list[str], first_line: str, file: str, line: int) -> Faults:
    if len(names) == 1:
        for delimiter, word in _DELIMITERS.items():
            if delimiter in first_line:
                expected = f"commas between the cells, came {word}"
                return [fault(file, expected, "save the file with commas, and decimals with a point", line=line)]
    twice = sorted({name for name in names if names.count(name) > 1})
    return [
        fault(file, "each column once", "remove or rename one of the two", name or "(no name)", line=line)
        for name in twice
    ]


def _split(content: bytes, body: pd.DataFrame, names: list[str]) -> Cells:
    """The cells of the records that have as many as the header; pyarrow does the splitting."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    whole = body[body["cells"] == len(names)]
    text = pa.dictionary(pa.int32(), pa.string())
    if not len(whole):
        return pd.DataFrame({name: pd.Categorical([], categories=pd.Index([], dtype=object)) for name in names})
    keys = [str(position) for position in range(len(names))]
    table = arrow.read_csv(
        io.BytesIO(content[body["start"].iloc[0] :]),
        read_options=arrow.ReadOptions(column_names=keys, use_threads=False, block_size=min(len(content) + 1, 2**30)),
        parse_options=arrow.ParseOptions(newlines_in_values=True, invalid_row_handler=lambda row: "skip"),
        convert_options=arrow.ConvertOptions(
            column_types=dict.fromkeys(keys, text), strings_can_be_null=False, quoted_strings_can_be_null=False
        ),
    )
    cells = table.to_pandas().set_axis(names, axis=1)
    return cells.set_axis(pd.Index(whole["line"].to_numpy()))
