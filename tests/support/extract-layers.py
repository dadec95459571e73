#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Hands lone layers to `oci-wasm extract`: wraps them in an OCI layout (config, manifest, index) in
# TMPDIR, runs the tool and removes the layout. For the layer corpus, whose cases are layers and
# not images. Exit status, stdout and stderr are the tool's. Standard library only, Python 3.9.
#
# With --wrap plain tar layers are compressed first, so that every case also goes through a decoder.
#
# usage: extract-layers.py TOOL --to ROOT --media-type TYPE [--wrap gzip|zstd] [--OPTION]... [BASE.tar] LAYER
# TOOL: oci-wasm, or oci-wasm-extract, which has no sub-commands
import gzip
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import zlib

TAR = "application/vnd.oci.image.layer.v1.tar"
# Layers that unpack to more than this are there to be refused; their diff_id does not matter.
MOST = 64 << 20


def plain_chunks(path, media_type):
    if media_type.endswith("+zstd"):
        out = subprocess.run(["zstd", "-dcq", path], stdout=subprocess.PIPE, check=True).stdout
        yield out
        return
    opener = gzip.open if media_type.endswith("+gzip") else open
    with opener(path, "rb") as file:
        while chunk := file.read(1 << 20):
            yield chunk


def diff_id(path, media_type):
    """Digest of the plain tar; of nothing when the layer cannot be read, as it will be refused."""
    digest, total = hashlib.sha256(), 0
    try:
        for chunk in plain_chunks(path, media_type):
            digest.update(chunk)
            total += len(chunk)
            if total > MOST:
                break
    except (OSError, EOFError, zlib.error, subprocess.CalledProcessError):
        pass
    return "sha256:" + digest.hexdigest()


class Layout:
    def __init__(self, root):
        self.root = root
        os.makedirs(os.path.join(root, "blobs", "sha256"))
        self.write("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')

    def write(self, name, data):
        with open(os.path.join(self.root, name), "wb") as file:
            file.write(data)

    def add(self, data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        self.write(os.path.join("blobs", "sha256", digest), data)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}

    def add_json(self, value, media_type):
        return self.add(json.dumps(value, separators=(",", ":")).encode(), media_type)


def compressed(data, wrap):
    if wrap == "gzip":
        return gzip.compress(data, 6, mtime=0)
    return subprocess.run(["zstd", "-cq"], input=data, stdout=subprocess.PIPE, check=True).stdout


def build(root, layers, wrap):
    layout = Layout(root)
    descriptors, diff_ids = [], []
    for path, media_type in layers:
        with open(path, "rb") as file:
            data = file.read()
        diff_ids.append(diff_id(path, media_type))
        if wrap and media_type == TAR:
            data, media_type = compressed(data, wrap), f"{TAR}+{wrap}"
        descriptors.append(layout.add(data, media_type))
    config = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }
    manifest = layout.add_json(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": layout.add_json(config, "application/vnd.oci.image.config.v1+json"),
            "layers": descriptors,
        },
        "application/vnd.oci.image.manifest.v1+json",
    )
    manifest["annotations"] = {"org.opencontainers.image.ref.name": "v1"}
    layout.write("index.json", json.dumps({"schemaVersion": 2, "manifests": [manifest]}).encode())


def main():
    words = sys.argv[1:]
    tool, root, media_type, wrap, options, paths = words.pop(0), None, TAR, None, [], []
    while words:
        word = words.pop(0)
        if word == "--to":
            root = words.pop(0)
        elif word == "--media-type":
            media_type = words.pop(0)
        elif word == "--wrap":
            wrap = words.pop(0)
        elif word.startswith("--"):
            options.append(word)
        else:
            paths.append(word)
    if root is None or not paths:
        sys.exit("usage: extract-layers.py TOOL --to ROOT --media-type TYPE [BASE.tar] LAYER")

    scratch = tempfile.mkdtemp()
    try:
        layers = [(path, TAR) for path in paths[:-1]] + [(paths[-1], media_type)]
        build(os.path.join(scratch, "layout"), layers, wrap)
        target = "oci:" + os.path.join(scratch, "layout") + ":v1"
        # The checker limits file sizes; the tool wants to see EFBIG and not a signal of ours.
        command = [] if os.path.basename(tool) == "oci-wasm-extract" else ["extract"]
        status = subprocess.run(
            [tool, *command, target, root, *options],
            preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_DFL),
        ).returncode
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if status < 0:
        os.kill(os.getpid(), -status)
    return status


if __name__ == "__main__":
    sys.exit(main())
