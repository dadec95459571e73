#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# How much of an image is sent again after a few of the app's files changed, as a share of all its
# blob bytes. Works on a copy of the app. Standard library only, Python 3.9.
#
# usage: resend.py OCI-WASM APP [--changes 1,10,100] [PACK OPTION...]
import argparse
import json
import os
import shutil
import subprocess
import tempfile


def pack(tool, app, out, cache, options):
    subprocess.run([tool, "pack", "-f", app, "-o", f"oci:{out}:v1", "--cache-dir", cache] + options,
                   check=True, stdout=subprocess.DEVNULL)


def images(layout):
    with open(os.path.join(layout, "index.json"), encoding="utf-8") as file:
        index = json.load(file)
    for entry in index["manifests"]:
        path = os.path.join(layout, "blobs", entry["digest"].replace(":", "/"))
        with open(path, encoding="utf-8") as file:
            manifest = json.load(file)
        blobs = manifest["layers"] + [manifest["config"], entry]
        yield (entry["annotations"]["org.opencontainers.image.ref.name"],
               {blob["digest"]: blob["size"] for blob in blobs})


def change(files, count):
    step = max(1, len(files) // count)
    for path in files[step // 2::step][:count]:
        with open(path, "r+b") as file:
            first = file.read(1)
            file.seek(0)
            file.write(b"x" if first != b"x" else b"y")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("app")
    parser.add_argument("--changes", default="1,10,100")
    args, options = parser.parse_known_args()
    work = tempfile.mkdtemp(prefix="ociw-resend-")
    try:
        app, cache = os.path.join(work, "app"), os.path.join(work, "cache")
        shutil.copytree(args.app, app, symlinks=True)
        files = sorted(os.path.join(folder, name) for folder, _, names in os.walk(app)
                       for name in names if not name.endswith((".wasm", ".toml")))
        pack(args.tool, app, os.path.join(work, "before"), cache, options)
        before = dict(images(os.path.join(work, "before")))
        for count in map(int, args.changes.split(",")):
            change(files, count)
            out = os.path.join(work, f"after-{count}")
            pack(args.tool, app, out, cache, options)
            for tag, blobs in images(out):
                new = {digest: size for digest, size in blobs.items() if digest not in before[tag]}
                print(f"{count:5} changed  {tag:8} {len(new):4} of {len(blobs)} blobs, "
                      f"{100 * sum(new.values()) / sum(blobs.values()):6.2f} % of the bytes")
            before = dict(images(out))
            shutil.rmtree(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
