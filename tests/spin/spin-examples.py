#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# usage: spin-examples.py DRIVER FOLDER
# Every example manifest loads strictly, and its lock has the components and triggers that the text has.
import json, os, re, shutil, subprocess, sys, tempfile

WASM = bytes.fromhex('0061736d0d000100')


def make(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as f:
        f.write(data)


def prepare(text, app):
    for path in re.findall(r'source = "([^"]+\.wasm)"', text):
        make(os.path.join(app, path), WASM)
    for folder in re.findall(r'source = "([^"]+)", destination', text):
        make(os.path.join(app, folder, 'index.html'), b'<p>hello</p>\n')


def check(driver, manifest, app):
    with open(manifest) as f:
        text = f.read()
    prepare(text, app)
    shutil.copy(manifest, os.path.join(app, 'spin.toml'))
    r = subprocess.run([driver, 'spin.toml', 'local'], cwd=app, capture_output=True, timeout=60)
    if r.returncode:
        return r.stderr.decode(errors='replace').strip()
    lock = json.loads(r.stdout)
    want = len(re.findall(r'^\[\[component\]\]$|^\[component\.[a-z-]+\]$', text, re.M))
    v1 = 'trigger = {' in text
    version_1_tables = len(re.findall(r'^\[component\.(?:trigger|build|config)\]$', text, re.M)) if v1 else 0
    if len(lock['components']) != want - version_1_tables:
        return f'{len(lock["components"])} components, want {want - version_1_tables}'
    triggers = len(re.findall(r'^\[\[(?:trigger\.[a-z]+|component)\]\]$', text, re.M))
    if len(lock['triggers']) != triggers:
        return f'{len(lock["triggers"])} triggers, want {triggers}'
    return None


def main():
    driver, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    bad = good = 0
    for name in sorted(os.listdir(folder)):
        if not name.endswith('.toml'):
            continue
        with tempfile.TemporaryDirectory(prefix='ociw-example-') as app:
            problem = check(driver, os.path.join(folder, name), app)
        good += problem is None
        if problem:
            bad += 1
            print(f'FAIL {name}: {problem}')
    print(f'{good} passed, {bad} failed')
    return 1 if bad or good < 30 else 0


if __name__ == '__main__':
    sys.exit(main())
