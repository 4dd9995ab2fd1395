"""Disease stage and risk from their parts; what is not known stays unknown, or a range, never the middle stage.

international.py: the International Staging System (ISS). revised.py: R-ISS, R2-ISS and the high risk of 2025.
"""

from analysis.derive.staging.international import iss, with_iss
from analysis.derive.staging.revised import high_risk_2025, r2_iss, r_iss, staging

__all__ = ["high_risk_2025", "iss", "r2_iss", "r_iss", "staging", "with_iss"]
