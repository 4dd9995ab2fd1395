"""Spells in, result frame out; knows no file, no axes, no notebook.

`counts.py` is the one pass over the spells, `strata.py` its groups, `doors.py` what it refuses; `curves` (Kaplan-Meier,
Aalen-Johansen, medians, restricted means, tests, tables at fixed times) is made of it. `pathways` follows patients
through their lines, `recurrence` answers how often, how many go on, and how soon after the last time, `hazards` (on the
one solver in `likelihood`) what goes with it, `describe.py` who they are and what is not known of them, `usage.py` how
they are treated, `checks.py` whether the numbers add up and agree with other libraries,
`calibration` whether a cohort resembles the published ones.
"""
