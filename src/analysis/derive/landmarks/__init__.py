"""What became known of a line after its start: response, residual disease, transplant, maintenance.

None of these is a covariate of the start: a patient must stay in remission long enough to have them, and time that
cannot hold an event (immortal time) would then speak for them. There are two right ways, and each has its file.

records.py   the records and the day on which each became known, counted from time zero of the spell
landmark.py  `at_landmark`: only those still at risk on a fixed day, by what was known then
status.py    `time_varying`: every spell cut on the days on which something new became known
"""

from analysis.derive.landmarks.landmark import at_landmark
from analysis.derive.landmarks.status import time_varying

__all__ = ["at_landmark", "time_varying"]
