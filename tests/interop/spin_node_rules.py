# SPDX-License-Identifier: Apache-2.0
#
# Reads a layout that holds an app's Spin artifact and its node image, and the storage of the
# registry they came from, with nothing of ours, and checks the rules of spin-node.md 3 and 4.
#
# usage: spin_node_rules.py LAYOUT SPIN_DIGEST NODE_DIGEST APP REGISTRY_STORAGE
import hashlib
import io
import json
import os
import sys
import tarfile
import zlib

BUNDLE = "application/vnd.wasm.content.bundle.v1.tar+gzip"
OCI = "application/vnd.oci.image.layer.v1.tar+gzip"
DATA = "application/vnd.wasm.content.layer.v1+data"
WASM = "application/vnd.wasm.content.layer.v1+wasm"
LOCK = "application/vnd.fermyon.spin.application.v1+config"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Image:
    def __init__(self, layout, name):
        self.layout = layout
        self.manifest = json.loads(self.blob(name))
        self.config = json.loads(self.blob(self.manifest["config"]["digest"]))
        self.layers = self.manifest["layers"]
        locks = self.of(LOCK)
        assert len(locks) == 1 and self.layers[-1] is locks[0], "the lock is not the last layer"
        label = self.config["config"]["Labels"]["com.fermyon.spin.lockedAppDigest"]
        assert label.replace("sha256:", "") == locks[0]["digest"].replace("sha256:", ""), label
        assert self.config["config"]["Entrypoint"] == ["/"]
        self.lock = json.loads(self.blob(locks[0]["digest"]))

    def blob(self, name):
        with open(os.path.join(self.layout, "blobs", name.replace(":", "/")), "rb") as file:
            data = file.read()
        assert digest(data) == name, name
        return data

    def of(self, kind):
        return [layer for layer in self.layers if layer["mediaType"] == kind]

    def files(self):
        for component in self.lock["components"]:
            for file in component.get("files", []):
                yield component["id"], file


def first_member(data):
    """What a reader that knows one gzip member sees, as Spin does."""
    reader = zlib.decompressobj(wbits=31)
    plain = reader.decompress(data)
    assert reader.eof and not reader.unused_data, "more than one gzip member"
    return plain


def members(plain):
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        last = ""
        for one in archive:
            assert last < one.name or one.isdir(), one.name
            last = one.name
            assert one.name == "assets" or one.name.startswith("assets/"), one.name
            assert not any(part.startswith(".wh.") for part in one.name.split("/")), one.name
            assert (one.uid, one.gid, one.uname, one.gname, one.mtime) == (0, 0, "", "", 0), one.name
            if one.isfile():
                yield one.name, one.mode, archive.extractfile(one).read()
            else:
                assert one.isdir() and one.mode == 0o755, one.name


def check_lock(image, app, bundled):
    named = {}
    held = {layer["digest"] for layer in image.of(DATA)}
    for component, file in image.files():
        named.setdefault(component, []).append(file["path"].lstrip("/"))
        assert file.get("inline") is not None or file["digest"] in held, file
    for component in ("front", "api", "big"):
        paths = {os.path.relpath(os.path.join(folder, name), os.path.join(app, component))
                 for folder, _, names in os.walk(os.path.join(app, component)) for name in names}
        odd = {path for path in paths if ".wh." in path}
        rest = paths - odd
        small = min(rest, key=lambda path: (len(bundled[f"assets/{component}/{path}"]), path.encode()))
        if len(bundled[f"assets/{component}/{small}"]) > 65536:
            small = ".oci-wasm"
        assert sorted(named[component]) == sorted(odd | {small}), (component, named[component])
    assert "bare" not in named


def main():
    layout, spin, node, app, storage = sys.argv[1:]
    artifact, image = Image(layout, spin), Image(layout, node)
    assert image.config["architecture"] == "wasm" and image.config["os"] == "wasip1"
    assert image.manifest["subject"]["digest"] == spin
    ours, theirs = image.of(OCI), artifact.of(BUNDLE)
    assert ours and [one["digest"] for one in ours] == [one["digest"] for one in theirs]
    assert not artifact.of(OCI) and image.of(WASM) == artifact.of(WASM)
    plain = [first_member(image.blob(one["digest"])) for one in ours]
    assert image.config["rootfs"]["diff_ids"] == [digest(one) for one in plain], "diff_ids"

    bundled = {}
    for one in plain:
        for name, mode, data in members(one):
            assert name not in bundled, name
            assert mode == (0o755 if name.endswith("run.sh") else 0o644), name
            bundled[name] = data
    check_lock(image, app, bundled)
    content = {digest(data) for data in bundled.values()}
    content |= {layer["digest"] for layer in artifact.of(DATA)}
    count = 0
    for _, file in artifact.files():
        count += 1
        assert file.get("digest") in content or file.get("inline") is not None, file
    assert count == 528, count

    needed = {spin, node}
    for one in (artifact, image):
        needed |= {layer["digest"] for layer in one.layers} | {one.manifest["config"]["digest"]}
    blobs = os.path.join(storage, "docker/registry/v2/blobs/sha256")
    stored = {"sha256:" + name for folder in os.listdir(blobs) for name in os.listdir(os.path.join(blobs, folder))}
    assert needed <= stored, needed - stored
    # One more: the index under the tag that stands in for the referrers API.
    for name in stored - needed:
        path = os.path.join(blobs, name[7:9], name[7:], "data")
        with open(path, "rb") as file:
            assert [one["digest"] for one in json.load(file)["manifests"]] == [node], name


main()
