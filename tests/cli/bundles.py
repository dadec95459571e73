# SPDX-License-Identifier: Apache-2.0
#
# Reads the bundles of a Spin artifact in a layout as Spin does: one gzip member and no further, members
# found by the sha256 of their content. Every file that the lock names must be among them, and the lock must
# name what the app (tests/bench/app.py) has. Prints how many bundles and files there are. Standard library
# only.
#
# usage: bundles.py LAYOUT APP
import hashlib
import io
import json
import os
import sys
import tarfile
import zlib

BUNDLE = "application/vnd.wasm.content.bundle.v1.tar+gzip"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def blob(layout, name):
    with open(os.path.join(layout, "blobs", name.replace(":", "/")), "rb") as file:
        data = file.read()
    assert digest(data) == name, name
    return data


def contents(data):
    reader = zlib.decompressobj(wbits=31)
    plain = reader.decompress(data)
    assert reader.eof, "the gzip member has no end"
    assert reader.unused_data == b"", "something follows the first gzip member"
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        return {digest(archive.extractfile(one).read()) for one in archive if one.isfile()}


def main():
    layout, app = sys.argv[1:]
    with open(os.path.join(layout, "index.json"), "rb") as file:
        manifest = json.loads(blob(layout, json.load(file)["manifests"][0]["digest"]))
    bundles = [one["digest"] for one in manifest["layers"] if one["mediaType"] == BUNDLE]
    held = set().union(*(contents(blob(layout, one)) for one in bundles))
    named = {}
    for component in json.loads(blob(layout, manifest["layers"][-1]["digest"]))["components"]:
        for file in component.get("files", []):
            named[f"{component['id']}/site/{file['path']}"] = file["digest"]
    lost = [path for path, one in named.items() if one not in held]
    assert not lost, ("not in a bundle", lost[:3])

    there = {}
    for folder, _, names in os.walk(app):
        for path in (os.path.join(folder, name) for name in names):
            short = os.path.relpath(path, app)
            if "/site/" in short:
                with open(path, "rb") as file:
                    there[short] = digest(file.read())
    assert named == there, ("not as in the app", sorted(set(named.items()) ^ set(there.items()))[:3])
    print(len(bundles), len(named))


main()
