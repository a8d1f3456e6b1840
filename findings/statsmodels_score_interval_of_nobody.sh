#!/bin/sh
# statsmodels 0.15.0 with scipy 1.17.1: the score interval of two proportions raises at 0 of n twice,
# and is another one when the groups are swapped.
#
# Expected: confint_proportions_2indep(0, 100, 0, 100, method="score") is an interval around zero, as
# with "newcomb" (-0.037 to 0.037) and "agresti-caffo"; nobody bought in either group, which happens
# in every small shop. And an interval of A - B is that of B - A with its signs turned.
# Seen: ValueError("The function value at x=0.0 is NaN; solver cannot continue."), the same for
# 100 of 100 twice. For 5 of 100 and 0 of 100 the interval is 0.01204 to 0.11195, for the swapped
# groups -0.10590 to -0.01217.
#
# Exits with 0 while this is so, with 1 once it is not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check statsmodels==0.15.0 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

from statsmodels.stats.proportion import confint_proportions_2indep


def interval(method: str, *counts: int) -> object:
    try:
        low, high = confint_proportions_2indep(*counts, compare="diff", method=method)
    except ValueError as error:
        return f"ValueError: {error}"
    return round(float(low), 5), round(float(high), 5)


control = interval("newcomb", 0, 100, 0, 100)
nobody, everybody = interval("score", 0, 100, 0, 100), interval("score", 100, 100, 100, 100)
one, swapped = interval("score", 5, 100, 0, 100), interval("score", 0, 100, 5, 100)
print("newcomb, 0 of 100 twice:", control)
print("score, 0 of 100 twice:", nobody)
print("score, 100 of 100 twice:", everybody)
print("score, 5 of 100 and 0 of 100:", one)
print("score, swapped:", swapped)
is_so = (
    control == (-0.03699, 0.03699)
    and str(nobody).startswith("ValueError")
    and str(everybody).startswith("ValueError")
    and isinstance(one, tuple)
    and isinstance(swapped, tuple)
    and abs(one[1] + swapped[0]) > 0.005
)
sys.exit(0 if is_so else 1)
PYTHON
