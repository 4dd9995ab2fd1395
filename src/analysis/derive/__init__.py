"""Canonical cohort in, lines and spells out.

`regimens.lines` says what each patient was given, line by line; `staging` how advanced the disease was;
`spells.spells` turns lines into the rows that every estimate starts from.
"""
