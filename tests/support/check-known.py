#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Runs a checker that prints "FAIL NAME ..." lines and "N passed, N failed", and compares its
# failures with a list of known ones. A new failure fails, and so does a known one that passes
# now: the list only shrinks. Standard library only, Python 3.9.
#
# usage: check-known.py LIST COMMAND...      LIST: lines of "NAME | REASON"
import re
import subprocess
import sys


def read_known(path):
    known = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, _, reason = line.partition("|")
            if line.startswith("#") or not name.strip():
                continue
            if not reason.strip():
                sys.exit(f"{path}: {name.strip()}: no reason given")
            known[name.strip()] = reason.strip()
    return known


def main():
    known = read_known(sys.argv[1])
    run = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, text=True, errors="replace")
    closing = re.search(r"^(\d+) passed, (\d+) failed", run.stdout, re.M)
    if not closing:
        print(run.stdout)
        sys.exit(f"the checker ended with status {run.returncode} and no result")
    passed, count = int(closing.group(1)), int(closing.group(2))
    failures = dict(re.findall(r"^FAIL (\S+)(.*)$", run.stdout, re.M))
    if len(failures) != count:
        print(run.stdout)
        sys.exit(f"{count} failures, but {len(failures)} are named")

    bad = 0
    for name, text in sorted(failures.items()):
        if name in known:
            print(f"known  {name}: {known[name]}")
        else:
            bad += 1
            print(f"FAIL   {name}{text}")
    for name in sorted(known.keys() - failures.keys()):
        bad += 1
        print(f"FAIL   {name} is on the list of known failures and passes: take it off")
    print(f"{passed} passed, {bad} failed")
    return 1 if bad or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
