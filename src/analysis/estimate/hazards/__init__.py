from analysis.estimate.hazards.checks import events_per_term, influence, overall_tests, proportional_hazards
from analysis.estimate.hazards.cox import cox, fit_cox
from analysis.estimate.hazards.models import effects
from analysis.estimate.hazards.finegray import fine_gray, fit_fine_gray
