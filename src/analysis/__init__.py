"""The house: any source -> canonical cohort -> lines -> spells -> estimates -> figure, table or words -> page.

Frames with declared columns are the only thing that crosses a wall.

schema      the vocabulary of tables: what each column means, its unit, its words; one check, one error
vocabulary  drugs and their classes, laboratory tests and their units; data in .csv beside the code
sources     one file per source; each turns its format into the canonical cohort (dates become days here, at the door)
derive      canonical cohort in; stage, lines of treatment, response, relapse and spells out
estimate    spells in, result frame out; knows no file, no axes, no notebook
present     result frame in; figure, table or words out; knows no model and no file
disclosure  what may leave the building: small counts, curves that stop where few are left
shelf       declared tables to and from data/, Parquet with provenance beside it
report      runs notebooks with papermill and turns each into one HTML page
commands    what the command does beyond reports: the risks of patients in a file, by a stored model
__main__    the command `relapse`

A room imports `schema`; `sources` and `derive` also `vocabulary`; `report` also `shelf` and `disclosure`; `commands`
also `sources`, `estimate` and `report`; `__main__` all but `estimate` and `present`, which meet only in a notebook.
tests/test_architecture.py holds these walls.
"""
