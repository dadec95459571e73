#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Unpacks one layout by oci-wasm-extract and by what is installed of umoci and tar, all of them in each
# round, and prints medians and in-round ratios to ours. Targets are removed between runs
# and the first round is thrown away. Standard library only.
#
# usage: extract.py OCI-WASM-EXTRACT LAYOUT[:TAG] TARGET-FOLDER [ROUNDS]     a layout with one tar+gzip layer
import json
import os
import shutil
import statistics
import subprocess
import sys
import time


def layer_of(layout):
    def load(digest):
        with open(os.path.join(layout, "blobs", *digest.split(":")), encoding="utf-8") as file:
            return json.load(file)

    with open(os.path.join(layout, "index.json"), encoding="utf-8") as file:
        manifest = load(json.load(file)["manifests"][0]["digest"])
    return os.path.join(layout, "blobs", *manifest["layers"][0]["digest"].split(":"))


def measure(command):
    begin = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{command[0]} failed")
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime


def main():
    tool, image, folder = sys.argv[1:4]
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    layout, _, tag = image.partition(":")
    out, tag = os.path.join(folder, "out"), tag or "v1"
    cases = {
        "ours": [tool, f"oci:{layout}:{tag}", out],
        "ours, one thread": [tool, "--serial", f"oci:{layout}:{tag}", out],
        "umoci unpack": ["umoci", "unpack", "--image", f"{layout}:{tag}", out],
        "umoci raw unpack": ["umoci", "raw", "unpack", "--image", f"{layout}:{tag}", out],
        "tar -xz": ["tar", "-xzf", layer_of(layout), "-C", out],
        "bsdtar -x": ["bsdtar", "-xf", layer_of(layout), "-C", out],
    }
    cases = {name: command for name, command in cases.items() if shutil.which(command[0])}
    results = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name, command in cases.items():
            shutil.rmtree(out, ignore_errors=True)
            if "tar" in command[0]:
                os.mkdir(out)
            result = measure(command)
            if number:
                results[name].append(result)
    shutil.rmtree(out, ignore_errors=True)
    for name, values in results.items():
        ratios = [[a[i] / b[i] for a, b in zip(values, results["ours"])] for i in range(2)]
        print(
            f"{name:18} {statistics.median(v[0] for v in values):7.3f} s "
            f"cpu {statistics.median(v[1] for v in values):7.3f} s "
            f"x ours {statistics.median(ratios[0]):5.2f} (cpu {statistics.median(ratios[1]):5.2f})"
        )


if __name__ == "__main__":
    main()
