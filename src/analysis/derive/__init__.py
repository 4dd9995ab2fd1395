"""Canonical cohort in, lines and spells out.

`regimens` says what each patient was given, line by line, as stated or by rule; `response` what the markers did in a
line, and `relapses` which of the two says what ended it; `staging` how advanced the disease was. `spells` turns lines
into the rows that every estimate starts from, `predictors` says what was known of each on the day it began,
`definitions` makes spells under many definitions at once, and `data_cut` shows the cohort as it was known on an
earlier day.
"""
