"""The way of patients through the lines, as a process with the states line 1, line 2, ..., death.

`paths.py` joins the spells of each patient on one clock, `transitions.py` counts the moves and multiplies, `errors.py`
has the standard errors at every time, `occupancy.py` the functions to call.
"""

from analysis.estimate.pathways.occupancy import expected_time, occupancy

__all__ = ["expected_time", "occupancy"]
