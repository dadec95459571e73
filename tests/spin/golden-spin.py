#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# usage: golden-spin.py DRIVER CASES
# Loads every recorded app (testdata/golden/spin) and compares the lock with what Spin itself pushed: same
# text with each component's files sorted by path. Cases with error.txt must be refused.
import json, os, shutil, subprocess, sys, tempfile


def ordered(data):
    return json.loads(data, object_pairs_hook=lambda p: ('obj', p),
                      parse_float=lambda s: ('f', s), parse_int=lambda s: ('i', s))


def get(o, key):
    return next((v for k, v in o[1] if k == key), None)


def sorted_files(lock):
    for c in get(lock, 'components') or []:
        files = get(c, 'files')
        if files:
            files.sort(key=lambda e: get(e, 'path').encode())
    return lock


def check(driver, case, work):
    app = os.path.join(work, 'app')
    shutil.copytree(os.path.join(case, 'app'), app, symlinks=True)
    empty = os.path.join(case, 'empty-dirs.json')
    for folder in json.load(open(empty)) if os.path.exists(empty) else []:
        os.makedirs(os.path.join(app, folder), exist_ok=True)
    r = subprocess.run([driver, 'spin.toml'], cwd=app, capture_output=True, timeout=60)
    said = r.stderr.decode(errors='replace').strip()
    if r.returncode < 0:
        return f'ended by signal {-r.returncode}: {said}'
    if os.path.exists(os.path.join(case, 'error.txt')):
        return None if r.returncode == 1 and said else f'accepted, exit {r.returncode}'
    if r.returncode:
        return said
    want = open(os.path.join(case, 'locked.json'), 'rb').read()
    if ordered(r.stdout) != sorted_files(ordered(want)):
        return f'differs:\n  ours {r.stdout.decode()}\n  spin {want.decode()}'
    return None if len(r.stdout) == len(want) else 'another length: escapes or spaces'


def main():
    driver, cases = os.path.abspath(sys.argv[1]), sys.argv[2]
    bad = good = 0
    for name in sorted(os.listdir(cases)):
        case = os.path.abspath(os.path.join(cases, name))
        if not os.path.isdir(os.path.join(case, 'app')):
            continue
        with tempfile.TemporaryDirectory(prefix='ociw-golden-') as work:
            problem = check(driver, case, work)
        good += problem is None
        if problem:
            bad += 1
            print(f'FAIL {name}: {problem}')
    print(f'{good} passed, {bad} failed')
    return 1 if bad or good < 81 else 0


if __name__ == '__main__':
    sys.exit(main())
