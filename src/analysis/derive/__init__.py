"""Canonical cohort in, lines and spells out.

`regimens.lines` says what each patient was given, line by line, as stated or by rule; `staging` how advanced the
disease was; `spells.spells` turns lines into the rows that every estimate starts from.
"""
