"""The published rules in plain Python, one patient and line at a time: the witness of `derive.response` in its tests.

Written from the rules, without a look at the arrays. `lab_only`: serum and urine M-protein, free light chains.
"""

STEP = 1e-9


def baseline(series, start, until):
    before = [day for day in series if start - 60 <= day <= start]
    if before:
        return max(before)
    after = [day for day in series if start < day <= min(start + 7, until - 1)]
    return min(after) if after else None


def is_progression(marker, now, low, start, version):
    rise = now - low
    quarter = rise >= 0.25 * max(low, 0) - STEP
    if marker == "serum":
        anchor = start if version == 2011 else low
        if anchor >= 5 - STEP and rise >= 1 - STEP:
            return True
        return low < 5 - STEP and quarter and rise >= 0.5 - STEP
    if marker == "urine":
        return quarter and rise >= 200 - STEP
    return quarter and rise > 100 + STEP


def first_progression(marker, series, base_day, start, until, version, nadir_mode):
    days = sorted(series)
    inside = [day for day in days if start < day <= until and day != base_day]
    seen = [series[base_day]]
    for place, day in enumerate(inside):
        following = [later for later in days if later > day]
        if following and all(
            is_progression(marker, value, min(seen), series[base_day], version)
            for value in (series[day], series[following[0]])
        ):
            return day, following[0]
        if nadir_mode == "any":
            seen.append(series[day])
        elif place:
            seen.append(max(series[inside[place - 1]], series[day]))
    return None


def depth(marker, now, start, urine):
    """0 progression, 1 SD, 2 MR, 3 PR, 4 VGPR; complete response is left to the table of depth."""
    fall = start - now
    if marker == "urine":
        if now < 100:
            return 4
        if now < 200 or fall >= 0.9 * start - STEP:
            return 3
        return 2 if fall >= 0.5 * start - STEP else 1
    if fall >= 0.9 * start - STEP:
        level = 4
    elif fall >= 0.5 * start - STEP:
        level = 3
    else:
        level = 2 if marker == "serum" and fall >= 0.25 * start - STEP else 1
    if marker == "serum" and urine is not None:
        level = min(level, depth("urine", urine[0], urine[1], None))
    return level


def progression(serum, urine, chains, start, until, version=2016, nadir_mode="confirmed"):
    """Day of progression and of its confirmation, None where there is none, "" where the line cannot be judged.

    `serum` and `urine` are dicts of day to value, `chains` of day to (kappa, lambda).
    """
    base = {name: baseline(series, start, until) for name, series in (("serum", serum), ("urine", urine))}
    if base["serum"] is None and (base["urine"] is None or urine[base["urine"]] < 200 - STEP):
        return ""
    followed = []
    if base["serum"] is not None and serum[base["serum"]] >= 1 - STEP:
        followed.append(("serum", serum, base["serum"]))
    if base["urine"] is not None and urine[base["urine"]] >= 200 - STEP:
        followed.append(("urine", urine, base["urine"]))
    day = baseline(chains, start, until)
    if not followed and day is not None:
        kappa, lambda_ = chains[day]
        kappa_rules = kappa / lambda_ > 1.65
        if (kappa_rules or kappa / lambda_ < 0.26) and max(kappa, lambda_) >= 100 - STEP:
            sign = 1 if kappa_rules else -1
            followed.append(("chains", {at: sign * (one - two) for at, (one, two) in chains.items()}, day))
    if not followed:
        return ""
    found = [
        first_progression(name, series, base_day, start, until, version, nadir_mode)
        for name, series, base_day in followed
    ]
    found = [pair for pair in found if pair]
    return min(found, key=lambda pair: (pair[1], pair[0]), default=None)
