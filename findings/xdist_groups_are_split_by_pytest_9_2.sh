#!/bin/sh
# pytest-xdist 3.8.0 with pytest 9.2.0: tests of one xdist_group run in several processes.
#
# Expected: with --dist loadgroup all tests that are marked with the same xdist_group run in the same
# worker, says the documentation; a suite relies on it where tests share something that is made once.
# Seen: the mark is accepted and changes nothing. xdist adds the group to the private attribute
# _nodeid of each item, and reads item.nodeid afterwards, which this pytest makes of another one.
# With pytest 8.4.2 the same tests stay together.
#
# Exits with 0 while this is so, with 1 once it is not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/tests"
cat > "$folder/tests/test_group.py" <<'PYTHON'
import os
import time

import pytest

pytestmark = pytest.mark.xdist_group("together")


@pytest.mark.parametrize("number", range(12))
def test_where(number: int, record_property) -> None:
    time.sleep(0.1)
    record_property("worker", os.environ["PYTEST_XDIST_WORKER"])
PYTHON
workers() {
    python3 -m venv "$folder/$1"
    "$folder/$1/bin/pip" install --quiet --disable-pip-version-check "pytest==$1" pytest-xdist==3.8.0
    (cd "$folder/tests" && "../$1/bin/python" -m pytest -q -p no:cacheprovider -n 2 \
        --dist loadgroup --junitxml "../$1.xml" > /dev/null)
    grep -o 'name="worker" value="[^"]*"' "$folder/$1.xml" | sort -u | wc -l
}
before=$(workers 8.4.2)
now=$(workers 9.2.0)
echo "workers that ran the one group: $before with pytest 8.4.2, $now with pytest 9.2.0"
test "$before" -eq 1 && test "$now" -eq 2
