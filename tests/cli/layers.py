# SPDX-License-Identifier: Apache-2.0
#
# Makes an image of many layers that depend on each other: files replaced by folders and the other way,
# whiteouts, opaque folders, hard links to what lower layers left. Each layer is large enough that
# threads are worth it. The same seed gives the same image. Standard library only.
#
# usage: layers.py SEED LAYOUT
import gzip
import hashlib
import io
import json
import os
import random
import sys
import tarfile

LAYERS = 12
KIND = "application/vnd.oci.image."


class Tree:
    """What is there after the layers so far: a path is a folder, or a file with or without data."""

    def __init__(self, rng):
        self.rng, self.folders, self.files = rng, {"d0", "d1", "d2"}, set()

    def drop(self, path):
        below = path + "/"
        self.files = {one for one in self.files if one != path and not one.startswith(below)}
        self.folders = {one for one in self.folders if one != path and not one.startswith(below)}

    def pick(self, among):
        return self.rng.choice(sorted(among))


def add(archive, name, kind=tarfile.REGTYPE, data=b"", target="", mode=0o644):
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname, info.mode, info.mtime = kind, len(data), target, mode, 1_500_000_000
    archive.addfile(info, io.BytesIO(data))


def change(tree, archive, number, step, named):
    """One entry. Names that this layer made already are left alone: it would be another test."""
    rng = tree.rng
    folder = tree.pick(tree.folders)
    what = rng.choice(("file", "file", "file", "folder", "whiteout", "opaque", "link", "swap"))
    name = f"{folder}/n{rng.randrange(12)}"
    touched = any(one == name or one.startswith(name + "/") or name.startswith(one + "/") for one in named)
    if what == "link" and tree.files and not touched and name not in tree.folders:
        target = tree.pick(tree.files)
        if target not in named and target != name:
            tree.drop(name)
            add(archive, name, tarfile.LNKTYPE, target=target)
            tree.files.add(name)
            named |= {name, target}
    elif what == "folder" and not touched and name not in tree.files:
        add(archive, name, tarfile.DIRTYPE, mode=0o755)
        tree.folders.add(name)
        named.add(name)
    elif what == "whiteout" and not touched and name in tree.files | tree.folders:
        add(archive, f"{folder}/.wh.{name.rpartition('/')[2]}")
        tree.drop(name)
        named.add(name)
    elif what == "opaque" and not any(one.startswith(folder + "/") for one in named) and step % 3 == 0:
        add(archive, f"{folder}/.wh..wh..opq")
        tree.drop(folder)
        tree.folders.add(folder)
        named.add(folder + "/")
    elif what in ("file", "swap") and not touched and (what == "swap") == (name in tree.folders):
        tree.drop(name)
        data = rng.randbytes(rng.choice((0, 10, 3_000, 40_000, 300_000)))
        add(archive, name, data=data + f"{number}.{step}".encode())
        tree.files.add(name)
        named.add(name)


def layer(tree, number):
    plain = io.BytesIO()
    named = set()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        if number == 0:
            for folder in sorted(tree.folders):
                add(archive, folder, tarfile.DIRTYPE, mode=0o755)
        for step in range(60):
            change(tree, archive, number, step, named)
        add(archive, f"large-{number}", data=tree.rng.randbytes(400_000))
    return plain.getvalue()


def main():
    tree = Tree(random.Random(int(sys.argv[1])))
    blobs = os.path.join(sys.argv[2], "blobs", "sha256")
    os.makedirs(blobs)

    def put(data, media_type):
        name = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, name), "wb") as file:
            file.write(data)
        return {"mediaType": media_type, "digest": "sha256:" + name, "size": len(data)}

    diff_ids, layers = [], []
    for number in range(LAYERS):
        data = layer(tree, number)
        diff_ids.append("sha256:" + hashlib.sha256(data).hexdigest())
        layers.append(put(gzip.compress(data, 1, mtime=0), KIND + "layer.v1.tar+gzip"))
    config = put(json.dumps({"architecture": "amd64", "os": "linux",
                             "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode(), KIND + "config.v1+json")
    manifest = put(json.dumps({"schemaVersion": 2, "mediaType": KIND + "manifest.v1+json", "config": config,
                               "layers": layers}).encode(), KIND + "manifest.v1+json")
    manifest["annotations"] = {"org.opencontainers.image.ref.name": "v1"}
    for name, document in (("index.json", {"schemaVersion": 2, "manifests": [manifest]}),
                           ("oci-layout", {"imageLayoutVersion": "1.0.0"})):
        with open(os.path.join(sys.argv[2], name), "w", encoding="utf-8") as file:
            json.dump(document, file)
    print("\n".join(sorted(tree.files | {f"large-{n}" for n in range(LAYERS)})))


main()
