"""Somebody's files, read tolerantly: first every cell as text with its line, then typed, each failed cell recorded.

faults.py   how a fault is recorded (table FAULTS)
text.py     the bytes of a CSV file to cells of text, one row per record, the row's index its line in the file
cells.py    cells of text, or typed columns of a Parquet file, to the kinds that the tables declare
"""

from analysis.sources.parsing.cells import parse_column
from analysis.sources.parsing.faults import collect, fault, faults_at, together
from analysis.sources.parsing.text import text_cells

__all__ = ["collect", "fault", "faults_at", "parse_column", "text_cells", "together"]
