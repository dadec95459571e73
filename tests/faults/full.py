# SPDX-License-Identifier: Apache-2.0
#
# A disk that fills up under the flows, by bytes and by inodes: a tmpfs that is given some of what a run
# needs, from nothing to nearly all, and then enough. Prints TAP; needs to mount.
#
# usage: full.py OCI_WASM OCI_WASM_EXTRACT REGISTRY
# environment: FAULT_PLACES (12), FAULT_FLOWS

import os
import re
import subprocess
import sys

import flows

PLACES = int(os.environ.get("FAULT_PLACES", "12"))
PLENTY = {"size": 256 << 20, "nr_inodes": 1 << 16}
REASON = re.compile("no space left", re.IGNORECASE)


def mount(world, *options):
    return subprocess.run(["mount", *options, "-t", "tmpfs", "none", world.runs], check=False,
                          stderr=subprocess.DEVNULL).returncode == 0


def limit(world, option, value):
    settings = ",".join(f"{k}={value if k == option else v}" for k, v in PLENTY.items())
    if not mount(world, "-o", f"remount,{settings}"):
        sys.exit(f"cannot set {option} of a tmpfs to {value}")


def used(world, option):
    state = os.statvfs(world.runs)
    if option == "size":
        return (state.f_blocks - state.f_bfree) * state.f_frsize
    return state.f_files - state.f_ffree


def need(flow, option):
    folder = flow.fresh()
    before = used(flow.world, option)
    flow.world.run(folder, flow.argv(folder))
    after = used(flow.world, option)
    flows.remove(folder)
    return max(after - before, 1)


def one(flow, option, room):
    """Problems, and whether the run failed."""
    world, folder = flow.world, flow.fresh()
    limit(world, option, used(world, option) + room)
    done = world.run(folder, flow.argv(folder))
    problems = []
    if done.returncode != 0 and not REASON.search(done.stderr):
        problems.append(f"does not say why: {done.stderr.strip()}")
    if done.returncode not in (0, 1):
        problems.append(f"status {done.returncode}: {done.stderr.strip()}")
    problems += flow.judge(folder, done.returncode, done.stderr,
                           lambda: limit(world, option, PLENTY[option]))
    limit(world, option, PLENTY[option])
    flows.remove(folder)
    return [f"{option} {room}: {x}" for x in problems], done.returncode != 0


def main():
    world = flows.World(*flows.arguments(), files=20, size=20000)
    if not mount(world, "-o", ",".join(f"{k}={v}" for k, v in PLENTY.items())):
        world.skip("a full disk", "needs to mount a tmpfs")
        world.finish()
    try:
        # Garbage collection frees space; a push needs none here.
        for flow in flows.chosen(world, [flows.Pack, flows.PackArchive, flows.Pull, flows.Extract,
                                         flows.ExtractRootfs, flows.ExtractPulled, flows.Cache,
                                         flows.CacheCopy]):
            for option, unit in (("size", os.sysconf("SC_PAGE_SIZE")), ("nr_inodes", 1)):
                most = need(flow, option)
                rooms = sorted({(most * i // PLACES + unit - 1) // unit * unit for i in range(PLACES)} - {0} | {unit})
                results = [one(flow, option, room) for room in rooms]
                problems = [x for found, _ in results for x in found]
                failed = sum(failed for _, failed in results)
                if not failed:
                    problems.append("the disk was never full")
                world.result(f"{flow.name}: a disk with too little {option} ({len(rooms)} runs, {failed} failed)",
                             problems)
    finally:
        subprocess.run(["umount", world.runs], check=True)
    world.finish()


main()
