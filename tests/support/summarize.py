#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Adds up meson's JSON test logs: a TAP program counts by its subtests, a checker that ends with
# "N passed, N failed" by that line, everything else as one. A skip that the list of expected
# ones does not name counts as failed. Standard library only, Python 3.9.
#
# usage: summarize.py [--expected-skips FILE] [--step NAME=ok|failed|failed-tests]... LOG.json...
# A step that ended as failed-tests counts only when no log has a failure.
import argparse
import json
import re
import sys

GOOD = ("OK", "EXPECTEDFAIL")
CLOSING = re.compile(r"^(\d+) passed, (\d+) failed\b", re.M)
TAP = re.compile(r"^(not )?ok\b[ \d]*-?\s*(.*)$", re.M)


def tap_points(text):
    """(passed, failed, [names of skipped]) of a TAP stream."""
    passed, failed, skipped = 0, 0, []
    for negative, rest in TAP.findall(text):
        name, _, directive = rest.partition("# ")
        word = directive.strip().upper()
        if word.startswith("SKIP"):
            skipped.append(name.strip())
        elif word.startswith("TODO") or not negative:
            passed += 1
        else:
            failed += 1
    return passed, failed, skipped


def count(entry):
    out = entry.get("stdout") or ""
    result = entry["result"]
    if re.search(r"^(TAP version|1\.\.\d+)", out, re.M):
        passed, failed, skipped = tap_points(out)
        if result not in GOOD and result != "SKIP" and failed == 0:
            failed = 1
        if passed + failed + len(skipped) > 0:
            return passed, failed, skipped
    closing = CLOSING.findall(out)
    if closing and result != "SKIP":
        passed, failed = (int(n) for n in closing[-1])
        if result not in GOOD and failed == 0:
            failed = 1
        return passed, failed, []
    if result == "SKIP":
        return 0, 0, [""]
    return (1, 0, []) if result in GOOD else (0, 1, [])


def short_name(entry):
    return entry["name"].split(" / ", 1)[-1]


def read_expected(path):
    """Lines "NAME | REASON" or "NAME: SUBTEST | REASON"."""
    names = {}
    if path:
        with open(path, encoding="utf-8") as file:
            for line in file:
                name, _, reason = line.partition("|")
                if name.strip() and not name.startswith("#"):
                    if not reason.strip():
                        sys.exit(f"{path}: {name.strip()}: no reason given")
                    names[name.strip()] = reason.strip()
    return names


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--expected-skips")
    parser.add_argument("--step", action="append", default=[])
    parser.add_argument("logs", nargs="*")
    arguments = parser.parse_args()
    expected = read_expected(arguments.expected_skips)
    passed = failed = 0

    for step in arguments.step:
        name, _, result = step.rpartition("=")
        if result == "ok":
            passed += 1
        elif result != "failed-tests":
            failed += 1
            print(f"FAILED step: {name}")

    for log in arguments.logs:
        try:
            with open(log, encoding="utf-8", errors="replace") as file:
                entries = [json.loads(line) for line in file if line.strip()]
        except (OSError, ValueError) as error:
            failed += 1
            print(f"FAILED {log}: {error}")
            continue
        for entry in entries:
            good, bad, skipped = count(entry)
            passed += good
            failed += bad
            if bad:
                print(f"FAILED {log.split('/')[0]}: {short_name(entry)} ({entry['result']}, {bad})")
            for subtest in skipped:
                name = short_name(entry) + (f": {subtest}" if subtest else "")
                if name in expected:
                    print(f"skipped, as expected: {name} ({expected[name]})")
                else:
                    failed += 1
                    print(f"FAILED {log.split('/')[0]}: {name} was skipped")

    for step in arguments.step:
        name, _, result = step.rpartition("=")
        if result == "failed-tests" and failed == 0:
            failed += 1
            print(f"FAILED step: {name}")

    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
