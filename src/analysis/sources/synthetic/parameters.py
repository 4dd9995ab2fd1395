"""Every number of the simulator, each with the sentence that says where it comes from.

"Published" marks a figure taken over from the literature, "calibrated" one that was tuned until the
cohort met the published bands of `estimate/calibration.csv`, "chosen" one that no band depends on much.
Regimens, their use by era and their true effects stand in `regimens.csv` and `regimen_use.csv`.
Times are months unless a name says otherwise; effects are log hazard ratios.
"""

from types import MappingProxyType

RELEASE = "2"

# Era and follow-up. Chosen: diagnoses over 23 years, all followed to one day, so that most patients have had the
# time to reach line 4 (crude attrition means little without it) and cell therapy and bispecifics are seen late.
FIRST_YEAR, LAST_YEAR, END_OF_DATA_YEAR = 2000, 2022, 2025
LOSS_PER_YEAR = 0.004  # calibrated with the 13 / 9 / 8 % who neither reached the next line nor died (Barcelona)

# Patients at diagnosis.
AGE_MEAN, AGE_SD, AGE_MIN, AGE_MAX = 67.0, 10.5, 30, 90  # published: median near 67; over 89 stands as 90
MALE = 0.55  # published: a slight male majority in every registry
FITNESS_SHARES = (0.39, 0.31, 0.30)  # published: fit, intermediate, frail (Palumbo 2015)
FITNESS_AGE_WEIGHT = 0.75  # chosen: correlation of the frailty score with age
EGFR_MEAN, EGFR_SD, EGFR_PER_YEAR = 68.0, 25.0, -0.7  # calibrated: a quarter below 50 mL/min (Mikhael 2021)
LOG_BETA2_MEAN, LOG_BETA2_SD, LOG_BETA2_PER_EGFR = 1.49, 0.76, -0.010  # calibrated to ISS III 40 %
ALBUMIN_MEAN, ALBUMIN_SD, ALBUMIN_PER_LOG_BETA2 = 3.81, 0.55, -0.25  # calibrated to ISS I 31 %, II 29 %
LDH_HIGH = 0.13  # published: HARMONY
DEL17P, T4_14, T14_16 = 0.10, 0.12, 0.04  # published shares
GAIN_1Q, GAIN_1Q_WITH_T4_14 = 0.25, 0.50  # published: 28 % over all; commoner with t(4;14)
FISH_MISSING_BEFORE_2008, FISH_MISSING_LATER, FISH_PROBE_MISSING = 0.16, 0.04, 0.02  # chosen: about 10 % over all
PARTS_MISSING = 0.04  # chosen: beta-2 microglobulin or albumin not on file
LIFESTYLE_MISSING = 0.08  # chosen
LIGHT_CHAIN, NON_SECRETORY = 0.20, 0.03  # published: Kyle 2003

# The patient's own frailty, shared by all lines: log-normal with mean 1. Calibrated. A process without covariates
# needs a log SD near 0.76 for the same figures; here stage, cytogenetics, treatment and response carry the rest.
FRAILTY_LOG_SD = 0.52
FRAILTY_ON_DEATH = 0.7  # calibrated with the OS ratio of MRD: power with which frailty acts on death

# True log hazard ratios of relapse. Calibrated on published OS and PFS ratios; lifestyle is exactly 0.
RELAPSE_LOG_HAZARD_RATIOS = MappingProxyType(
    {
        "iss_2": 0.20,
        "iss_3": 0.40,
        "del17p": 0.45,
        "t4_14": 0.42,
        "t14_16": 0.15,
        "gain_1q": 0.50,
        "ldh_high": 0.25,
        "egfr_below_50": 0.15,
        "age_per_10_years": 0.03,
        "intermediate": 0.05,
        "frail": 0.15,
        "transplant": -0.43,
        "lenalidomide_maintenance": -0.50,
        "thalidomide_maintenance": -0.15,
        "bmi": 0.0,
        "smoking": 0.0,
        "activity": 0.0,
        "diet": 0.0,
        "distress": 0.0,
    }
)
# True log hazard ratios of death, within a line and after relapse. Calibrated on the same published ratios.
DEATH_LOG_HAZARD_RATIOS = MappingProxyType(
    {
        "iss_2": 0.30,
        "iss_3": 0.60,
        "del17p": 0.58,
        "t4_14": 0.45,
        "t14_16": 0.15,
        "gain_1q": 0.54,
        "ldh_high": 0.30,
        "egfr_below_50": 0.58,
        "age_per_10_years": 0.22,
        "intermediate": 0.25,
        "frail": 0.50,
    }
)

# Lines. Index 0 is line 1; the last entry serves all later lines. Calibrated to PFS and OS by line.
MAX_LINES = 8  # chosen: few go further
RELAPSE_SHAPE = (1.3, 0.91)  # calibrated with the line hazard ratios: a lighter tail in line 1 than later
RELAPSE_SCALE_MONTHS = (31.3, 30.5, 23.6, 18.8)
DEATH_IN_LINE_PER_MONTH = (0.0023, 0.0030, 0.0037, 0.0125)
EARLIEST_RELAPSE_DAYS = 21  # chosen: no progression is confirmed before the second visit
CHANGE_WITHOUT_PROGRESSION = 0.03  # chosen: share of lines given up for toxicity
CHANGE_MEDIAN_MONTHS, CHANGE_LOG_SD = 4.0, 0.6  # chosen

# Depth of response: a standard normal latent depth, shifted by line, regimen, transplant and frailty.
DEPTH_BY_LINE = (0.46, -0.18, -0.45, -0.85, -1.15)  # calibrated to >= VGPR 74 -> 11 % and 48.6 -> 31.7 %
DEPTH_PER_LOG_FRAILTY, DEPTH_PER_RISK, DEPTH_TRANSPLANT = -1.25, -0.50, 0.40  # calibrated with MRD; chosen
DEPTH_CUTS = (-1.9, -1.3, -0.9, 0.05, 0.85, 1.35)  # calibrated: PD | SD | MR | PR | VGPR | CR | sCR
MRD_CUT, MRD_LOG_SPREAD = 1.05, 0.40  # calibrated: MRD-negative share among deep responses
MRD_LOG_HAZARD_RATIO = -0.97  # calibrated to the landmarked ratios of Munshi 2020
MRD_DEATH_LOG_HAZARD_RATIO = -1.60  # calibrated likewise; death in the same line only
DEPTH_LOG_HAZARD_RATIO = -0.10  # per unit of the depth's own noise
MRD_TESTED = (0.60, 0.20)  # chosen: line 1, later lines, among VGPR or better
MRD_DAY, MRD_DAY_SD = 200, 20  # chosen: after consolidation

# Transplant and maintenance in line 1. Chosen; maintenance with lenalidomide from 2010.
TRANSPLANT_MAX_AGE, TRANSPLANT_SHARE, TRANSPLANT_DAY, TRANSPLANT_DAY_SD = 70, 0.80, 150, 20
MAINTENANCE_SHARE, MAINTENANCE_DAYS_AFTER, LENALIDOMIDE_FROM_YEAR = 0.65, 90, 2010

# Relapse: how it shows itself. Published: 60 % biochemical at first relapse (Goldman-Mazur 2023), odds of a
# clinical one: male 1.49, VGPR or better 0.62; later lines chosen a little more clinical.
CLINICAL_LOGIT = (-0.38, -0.25)
CLINICAL_MALE, CLINICAL_DEEP = 0.40, -0.48
SLOW = 0.20  # published (commentary): share that stays biochemical for years
DOUBLING_MEDIAN_MONTHS, DOUBLING_LOG_SD = (8.2, 30.0, 5.0), (0.60, 0.40, 0.5)  # fast, slow, clinical; calibrated
LEAD_PER_DOUBLING, LEAD_LOG_SD = (0.475, 2.0), 0.50  # calibrated: median lead 5 months

# After relapse. Calibrated to attrition and overall survival by line.
LAG_MEDIAN_MONTHS, LAG_LOG_SD = (4.5, 0.9), (1.1, 0.8)  # biochemical until treated; clinical until treated
NO_FURTHER_THERAPY_LOGIT = (-2.5, -3.7, -3.2, -2.15)
NO_FURTHER_THERAPY_FRAIL = 0.8
DEATH_BIOCHEMICAL_PER_MONTH = (0.003, 0.008, 0.012, 0.020)
DEATH_CLINICAL_PER_MONTH = (0.016, 0.062, 0.108, 0.270)

# Symptoms: share at diagnosis, background per month, share around a clinical relapse. Published where known
# (Kyle 2003 and later series: bone pain 58, fatigue 32, renal 19 %; at clinical relapse bone 81, renal 13 %).
# Lesions, plasmacytomas and renal failure are what makes a relapse clinical: they are seen on its day.
SYMPTOMS = MappingProxyType(
    {
        "bone pain": (0.58, 0.020, 0.60),
        "fatigue": (0.32, 0.040, 0.55),
        "infection": (0.12, 0.025, 0.15),
        "new bone lesion": (0.00, 0.000, 0.81),
        "plasmacytoma": (0.05, 0.000, 0.10),
        "renal impairment": (0.19, 0.002, 0.127),
    }
)
SYMPTOM_LEAD_DAYS = 45  # chosen: mean time by which pain, fatigue or infection goes ahead of the clinical relapse

# Markers. Chosen unless said: levels that look like a clinic's, kinetics that obey the relapse above.
M_PROTEIN_MEDIAN, M_PROTEIN_LOG_SD, M_PROTEIN_MAX = 3.2, 0.55, 9.0  # g/dL at diagnosis
NADIR_SHARE = MappingProxyType(  # remaining share of the level at line start, lowest and highest
    {
        "sCR": (0.0, 0.0),
        "CR": (0.0, 0.005),
        "VGPR": (0.02, 0.09),
        "PR": (0.12, 0.45),
        "MR": (0.52, 0.72),
        "SD": (0.80, 1.00),
        "PD": (0.90, 1.00),
    }
)
CLEARANCE_MONTHS = 1.1  # time constant of the fall in response
# Published rule of progression (Kumar 2016): what was measurable is followed, serum +25 % and +0.5 g/dL (from 5 g/dL
# on +1 g/dL), light chains +25 % and +100 mg/L, above the lowest value that two consecutive samples reach.
MEASURABLE_G_DL, MEASURABLE_LIGHT_CHAINS_MG_L = 1.0, 100.0
RISE_AT_RELAPSE_G_DL, RISE_AT_RELAPSE_SHARE = 0.5, 0.25
HIGH_REFERENCE_G_DL, RISE_FROM_HIGH_G_DL, RISE_LIGHT_CHAINS_MG_L = 5.0, 1.0, 100.0
RULE_MET_BEFORE_VISIT = (0.4, 0.9)  # chosen: share of the interval since the visit before for which the rule was met
# Chosen: how far the level is then beyond the rule's limit, as a factor: at least two errors of the assay (of
# M-protein, of light chains), so that these seldom hide a relapse, and at most.
BEYOND_THE_RULE_LEAST, BEYOND_THE_RULE_MOST = (1.06, 1.16), 1.3
REGROWTH_SHARE = 0.5  # of the time to relapse: the longest in which the level climbs from its nadir
LARGEST_RISE, LEVEL_MAX = 2.0, 12.0  # growth stops at this multiple of the level at diagnosis, and at this many g/dL
MEASURE_CV, LIGHT_CHAIN_CV = 0.03, 0.08  # assay error of M-protein and of light chains
VISIT_DAYS_EARLY, VISITS_EARLY, VISIT_DAYS_LATER, VISIT_JITTER_DAYS = 30, 6, 61, 4
VISIT_BROUGHT_FORWARD_DAYS = 20  # a planned visit this soon before the day of relapse is the visit of that day
CONFIRMED_AFTER_DAYS = 28
TEST_MISSING = 0.04
KAPPA = 0.65
ANAEMIC_AT_RELAPSE, RENAL_AT_RELAPSE = 0.38, 0.127  # published: Goldman-Mazur 2023
# What a clinical relapse does to blood and kidney: beyond the published limits (haemoglobin 2 g/dL below its best,
# creatinine 2 mg/dL above the start of the line, calcium above 11 mg/dL) by about three errors of the assay.
ANAEMIA_AT_RELAPSE_G_DL, CREATININE_AT_RELAPSE_MG_DL, CALCIUM_RISE = 3.0, 2.8, (2.3, 4.0)
HARM_AT_LINE_START_MOST = 4.0  # what treatment allows to stand: transfusion, fluids, bisphosphonates, dialysis
HYPERCALCAEMIA = 0.13  # published: Kyle 2003
LIGHT_CHAINS_PER_LEVEL, LIGHT_CHAIN_DISEASE_FACTOR = 60.0, 8.0  # chosen: mg/L of the involved chain per g/dL
DETECTION_G_DL = 0.05  # below it the laboratory finds no M-protein
