"""What a source delivers (the canonical cohort) and what is derived from it: lines and spells.

All days are whole days counted on the patient's own clock; no calendar date exists in these tables.
What is not known is missing, or the word "unknown" - never a guess.
"""

from analysis.schema.table import Column, Table

EVENTS = ("censored", "relapse", "next_line", "death")
RESPONSES = ("sCR", "CR", "VGPR", "PR", "MR", "SD", "PD", "unknown")
STAGES = ("I", "II", "III", "unknown")
STATED = "stated by the source"
# What begins a line ends the one before.
NEXT_LINE_REASONS = (
    "treatment after progression",
    "drug added",
    "drug switched",
    "drug stopped",
    "different regimen after a stop",
    "treatment gap",
    "transplant",
    "cell therapy",
    "treatment after maintenance",
)
LINE_STARTS = ("first treatment", *NEXT_LINE_REASONS, STATED)
LINE_ENDS = (*NEXT_LINE_REASONS, "all drugs stopped", "no end on record", STATED)


def _flag(name: str, meaning: str) -> Column:
    return Column(name, "flag", meaning, required=False, nullable=True)


def _measure(name: str, meaning: str, unit: str, minimum: float = 0) -> Column:
    return Column(name, "number", meaning, unit, required=False, nullable=True, minimum=minimum)


PATIENT_ID = Column("patient_id", "text", "the source's own pseudonym of the patient")
LINE = Column("line", "integer", "line of treatment, 1 = first", minimum=1, maximum=30)

COHORT = Table(
    "COHORT",
    "cohort",
    (
        Column("name", "text", "short name, used for folders and pages"),
        Column("title", "text", "full name as a reader should see it"),
        Column("synthetic", "flag", "true when no row is a real patient"),
        Column(
            "endpoint",
            "word",
            "what ends a line: observed relapse, or only the start of the next line",
            words=("relapse", "next_line"),
        ),
        Column(
            "relapses",
            "word",
            "relapses are as the source states them, judged from marker values, or the earlier of both",
            required=False,
            nullable=True,
            words=("stated", "judged", "both"),
        ),
        Column("time_zero", "text", "what day the patient's clock counts from"),
        Column("source", "text", "where the data come from"),
        Column("citation", "text", "how to cite the source"),
        Column("licence", "text", "under which terms the data may be used"),
        Column("release", "text", "the source's own release or version", nullable=True),
    ),
    key=("name",),
)

PATIENTS = Table(
    "PATIENTS",
    "patient",
    (
        PATIENT_ID,
        Column("entry_day", "integer", "day from which the patient was under observation (delayed entry)", "days"),
        Column(
            "last_contact_day", "integer", "last day the patient was known to be alive, or the day of death", "days"
        ),
        Column("death_day", "integer", "day of death; missing when alive at last contact", "days", nullable=True),
        Column(
            "first_treatment_day",
            "integer",
            "day of the first treatment where the source fixes it apart from its treatment records",
            "days",
            required=False,
            nullable=True,
        ),
        Column(
            "index_year",
            "integer",
            "calendar year of day 0, the only calendar value kept",
            "year",
            required=False,
            nullable=True,
            minimum=1950,
            maximum=2100,
        ),
        Column(
            "age_years",
            "number",
            "age at the index day; 90 stands for every age over 89",
            "years",
            required=False,
            nullable=True,
            minimum=0,
            maximum=90,
        ),
        Column("sex", "word", "sex as the source records it", required=False, words=("female", "male", "unknown")),
        Column("race", "text", "race as the source records it", required=False, nullable=True),
        Column("iss", "word", "International Staging System", required=False, words=STAGES),
        _measure("beta2_microglobulin_mg_l", "serum beta-2 microglobulin at diagnosis", "mg/L"),
        _measure("albumin_g_dl", "serum albumin at diagnosis", "g/dL"),
        _measure("creatinine_mg_dl", "serum creatinine at diagnosis", "mg/dL"),
        _measure("egfr_ml_min", "estimated glomerular filtration rate at diagnosis", "mL/min/1.73 m2"),
        _flag("ldh_high", "lactate dehydrogenase above the laboratory's upper limit"),
        _flag("del17p", "deletion 17p by FISH"),
        _flag("t4_14", "translocation t(4;14) by FISH"),
        _flag("t14_16", "translocation t(14;16) by FISH"),
        _flag("gain_1q", "gain or amplification of 1q by FISH"),
        Column(
            "del17p_percent",
            "number",
            "share of clonal plasma cells with deletion 17p",
            "%",
            required=False,
            nullable=True,
            minimum=0,
            maximum=100,
        ),
        _flag("tp53_mutation", "mutation of TP53 by sequencing"),
        _flag("t14_20", "translocation t(14;20) by FISH"),
        _flag("del1p32", "deletion 1p32 of one or both alleles by FISH"),
        _flag("del1p32_biallelic", "deletion 1p32 of both alleles by FISH"),
        Column(
            "fitness", "word", "IMWG frailty group", required=False, words=("fit", "intermediate", "frail", "unknown")
        ),
        _measure("bmi_kg_m2", "body mass index at diagnosis", "kg/m2"),
        Column(
            "smoking", "word", "smoking at diagnosis", required=False, words=("never", "former", "current", "unknown")
        ),
        Column(
            "activity",
            "word",
            "physical activity at diagnosis",
            required=False,
            words=("low", "moderate", "high", "unknown"),
        ),
        Column(
            "diet",
            "word",
            "diet quality (thirds of a healthy-eating index)",
            required=False,
            words=("low", "middle", "high", "unknown"),
        ),
        Column(
            "distress",
            "flag",
            "anxiety or depression score above its cut-off at diagnosis",
            required=False,
            nullable=True,
        ),
    ),
    key=("patient_id",),
)

TREATMENTS = Table(
    "TREATMENTS",
    "patient, start and agent",
    (
        PATIENT_ID,
        Column(
            "start_day",
            "integer",
            "first day of the agent; missing when the source does not say",
            "days",
            nullable=True,
        ),
        Column("end_day", "integer", "last day of the agent; missing when ongoing or unknown", "days", nullable=True),
        Column("agent", "text", "ingredient or procedure, in the vocabulary's spelling where known"),
        Column("line", "integer", "line of treatment as stated by the source", nullable=True, minimum=1, maximum=30),
        Column(
            "phase",
            "word",
            "part of the line as stated by the source",
            required=False,
            words=("induction", "transplant", "maintenance", "bridging", "treatment", "unknown"),
        ),
    ),
)

LABS = Table(
    "LABS",
    "patient, day and test",
    (
        PATIENT_ID,
        Column("day", "integer", "day of the sample", "days"),
        Column("test", "text", "test, in the vocabulary's spelling"),
        Column("value", "number", "measured value", minimum=0),
        Column("unit", "text", "canonical unit of the test"),
    ),
)

FINDINGS = Table(
    "FINDINGS",
    "patient, day and finding",
    (
        PATIENT_ID,
        Column("day", "integer", "day of the finding", "days"),
        Column("finding", "text", "symptom, lesion, progression, best response, MRD result ..."),
        Column("value", "text", "result or kind of the finding; empty where the finding says it all"),
        Column("line", "integer", "line of treatment the source ties it to", required=False, nullable=True, minimum=1),
    ),
)

LINES = Table(
    "LINES",
    "patient and line",
    (
        PATIENT_ID,
        LINE,
        Column("start_day", "integer", "first day of the line", "days"),
        Column("end_day", "integer", "last known day of treatment in the line", "days", nullable=True),
        Column("regimen", "text", "agents of the line, joined by +"),
        Column("classes", "text", "drug classes of the line, joined by +"),
        Column("transplant", "flag", "stem-cell transplant in the line"),
        Column("maintenance", "flag", "maintenance in the line", nullable=True),
        Column("best_response", "word", "best response in the line", words=RESPONSES),
        Column(
            "response_day",
            "integer",
            "day of the first response of at least PR, later confirmed",
            "days",
            required=False,
            nullable=True,
        ),
        Column(
            "progression_day", "integer", "day of the first confirmed progression in the line", "days", nullable=True
        ),
        Column(
            "relapse_kind",
            "word",
            "how the relapse showed itself",
            words=("none", "biochemical", "clinical", "unknown"),
        ),
        Column(
            "progression_origin",
            "word",
            "where the progression that counts comes from",
            required=False,
            nullable=True,
            words=("none", "stated", "judged"),
        ),
        Column("start_imputed", "flag", "the start was set by rule because the source leaves it empty"),
        Column("start_reason", "word", "why the line began", required=False, nullable=True, words=LINE_STARTS),
        Column("end_reason", "word", "why the line ended", required=False, nullable=True, words=LINE_ENDS),
        _flag("bridging", "bridging treatment before cell therapy in the line"),
    ),
    key=("patient_id", "line"),
)

SPELLS = Table(
    "SPELLS",
    "patient and line",
    (
        PATIENT_ID,
        LINE,
        Column(
            "entry", "number", "time since line start at which the patient came under observation", "days", minimum=0
        ),
        Column("time", "number", "time since line start of the event or of censoring", "days", minimum=0),
        Column("event", "word", "what ended the spell", words=EVENTS),
    ),
    key=("patient_id", "line"),
)

TRUTH = Table(
    "TRUTH",
    "patient and line of a synthetic cohort; for tests only, no analysis reads it",
    (
        PATIENT_ID,
        LINE,
        Column("frailty", "number", "the patient's own multiplier of the hazard of relapse", minimum=0),
        Column("log_hazard_ratio", "number", "sum of the true log hazard ratios of relapse, frailty left out"),
        Column(
            "relapse_day", "number", "day of true relapse had no death or censoring come first", "days", nullable=True
        ),
        Column("death_day", "number", "day of true death had no censoring come first", "days", nullable=True),
    ),
    key=("patient_id", "line"),
)
