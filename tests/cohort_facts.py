"""What `shelf.about` says of a cohort, made up: for the tests of the report room and the command."""

ABOUT = {
    "name": "synthetic",
    "title": "Made-up cohort",
    "synthetic": True,
    "endpoint": "relapse",
    "source": "simulated",
    "citation": "Nobody.",
    "licence": "any",
    "release": None,
    "time_zero": "the first treatment",
    "fingerprint": "ab" * 32,
    "first_year": 2005,
    "last_year": 2020,
    "patients": 5000,
}
