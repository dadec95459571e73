# SPDX-License-Identifier: Apache-2.0
#
# Makes the image that all programs are given: a folder as one tar+gzip layer (zlib, level 6), in a
# layout under the tag v1. Standard library only.
#
# usage: image.py FOLDER LAYOUT
import gzip
import hashlib
import json
import os
import sys
import tarfile


class Hashed:
    """A file that is written on its way through a hash."""

    def __init__(self, file):
        self.file, self.hash, self.size = file, hashlib.sha256(), 0

    def write(self, data):
        self.hash.update(data)
        self.size += len(data)
        return self.file.write(data)

    def flush(self):
        self.file.flush()

    def digest(self):
        return "sha256:" + self.hash.hexdigest()


def make(folder, layout):
    blobs = os.path.join(layout, "blobs", "sha256")
    os.makedirs(blobs)

    def put(document, media_type):
        data = json.dumps(document).encode()
        name = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, name), "wb") as file:
            file.write(data)
        return {"mediaType": media_type, "digest": "sha256:" + name, "size": len(data)}

    path = os.path.join(layout, "layer")
    with open(path, "wb") as file:
        packed = Hashed(file)
        with gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=6, mtime=0) as stream:
            plain = Hashed(stream)
            with tarfile.open(fileobj=plain, mode="w|") as archive:
                archive.add(folder, arcname="app")
    os.rename(path, os.path.join(blobs, packed.hash.hexdigest()))
    kind = "application/vnd.oci.image."
    config = put({"architecture": "amd64", "os": "linux", "config": {},
                  "rootfs": {"type": "layers", "diff_ids": [plain.digest()]}}, kind + "config.v1+json")
    manifest_type = kind + "manifest.v1+json"
    manifest = put({"schemaVersion": 2, "mediaType": manifest_type, "config": config,
                    "layers": [{"mediaType": kind + "layer.v1.tar+gzip", "digest": packed.digest(),
                                "size": packed.size}]}, manifest_type)
    manifest["annotations"] = {"org.opencontainers.image.ref.name": "v1"}
    with open(os.path.join(layout, "index.json"), "w", encoding="utf-8") as file:
        json.dump({"schemaVersion": 2, "manifests": [manifest]}, file)
    with open(os.path.join(layout, "oci-layout"), "w", encoding="utf-8") as file:
        json.dump({"imageLayoutVersion": "1.0.0"}, file)


class Layout:
    """What the commands need to know of the image in a layout."""

    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "index.json"), encoding="utf-8") as file:
            self.digest = json.load(file)["manifests"][0]["digest"]
        with open(self.blob(self.digest), encoding="utf-8") as file:
            manifest = json.load(file)
        self.layers = [self.blob(layer["digest"]) for layer in manifest["layers"]]
        with open(self.blob(manifest["config"]["digest"]), encoding="utf-8") as file:
            config = json.load(file)
        self.diff_ids = config.get("rootfs", {}).get("diff_ids", [])

    def blob(self, digest):
        return os.path.join(self.folder, "blobs", *digest.split(":"))


if __name__ == "__main__":
    make(*sys.argv[1:])
