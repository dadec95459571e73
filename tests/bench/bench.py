#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Measures the tools beside what is installed of other ones, all of them in the same rounds, and prints
# Markdown tables: medians, ratios of the same round, peak memory, and at the end the goals. Judges
# nothing by its status. docs/hacking.md tells how to call it. Standard library only.
#
# usage: bench.py OCI-WASM OCI-WASM-EXTRACT BENCH-RUN BENCH-BOUND
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

import app
import image
from measure import (COLUMNS, Case, Failed, Goals, Runner, Sample, mebibytes, median, peak, ratio, seconds, table,
                     times)

HERE = os.path.dirname(os.path.abspath(__file__))
MIB = 1 << 20
WALL, CPU = COLUMNS.wall, COLUMNS.cpu


class Server:
    """A process of servers.sh."""

    def __init__(self, environment):
        self.process = subprocess.Popen([os.path.join(HERE, "servers.sh")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=environment, text=True)

    def start(self, what):
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"{what} does not start")
        return line.split()

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Containerd(Server):
    """Unpacks into snapshots of overlayfs; they are gone before the next round."""

    def __init__(self, environment, folder):
        super().__init__(environment)
        self.ctr_program = os.path.join(folder, "ctr") if folder else "ctr"
        self.address, pid, version = self.start(f"containerd {folder}")
        self.pid, self.name = int(pid), "ctr " + re.match("[0-9.]*", version).group()
        self.environment = environment

    def command(self, *arguments):
        return [self.ctr_program, "--address", self.address, *arguments]

    def ctr(self, *arguments):
        done = subprocess.run(self.command(*arguments), env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            raise Failed(f"ctr {arguments[0]}: {done.stdout}")

    def case(self, layout, archive):
        self.ctr("images", "import", "--no-unpack", "--base-name", "bench", archive)

        def remove():
            self.ctr("snapshots", "--snapshotter", "overlayfs", "rm", layout.diff_ids[0])
            # Only removing an image can ask for a collection now.
            self.ctr("images", "tag", "--force", "bench:v1", "bench:gone")
            self.ctr("images", "rm", "--sync", "bench:gone")

        return Case(self.command("snapshots", "--snapshotter", "overlayfs", "unpack", layout.digest),
                    after=remove, server=self.pid)


class Bench:
    def __init__(self, programs, work):
        self.tool, self.extractor, run, self.bound_program = map(os.path.abspath, programs)
        self.work = work
        self.rounds = int(os.environ.get("BENCH_ROUNDS", "5"))
        self.apps = os.environ.get("BENCH_APPS", "S M L W B").split()
        self.peers = os.environ.get("OCIW_PEERS") or os.path.join(
            os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "oci-wasm-peers")
        self.peers = os.path.join(self.peers, "bin")
        self.environment = dict(os.environ, HOME=work, TMPDIR=work, CONTAINERD_TMP=work,
                                PATH=f"{os.environ['PATH']}:{self.peers}")
        self.environment.pop("XDG_CACHE_HOME", None)
        self.runner = Runner(run, self.environment)
        self.goals = Goals()
        self.out = self.path("out")
        self.pools = None

    def path(self, *parts):
        return os.path.join(self.work, *parts)

    def has(self, program):
        return shutil.which(program, path=self.environment["PATH"]) is not None

    def fresh(self, folder, make=False):
        shutil.rmtree(folder, ignore_errors=True)
        if make:
            os.makedirs(folder)

    def app(self, kind):
        folder = self.path(kind)
        if not os.path.isdir(folder):
            if not self.pools:
                self.pools = app.Pools(1, os.environ.get("BENCH_WASM"))
            app.make(kind, folder, self.pools)
        return os.path.realpath(folder)

    def layout(self, kind):
        folder = self.path(kind + ".layout")
        if not os.path.isdir(folder):
            image.make(self.app(kind), folder + ".new")
            os.rename(folder + ".new", folder)
        return image.Layout(folder)


# --- unpacking ----------------------------------------------------------------------------------


def unpackers(bench, layout):
    """Each into the folder out, which is gone before, or there and empty for tar."""
    out, name = bench.out, f"{layout.folder}:v1"
    commands = {
        "ours": [bench.extractor, f"oci:{name}", out],
        "ours, one thread": [bench.extractor, "--serial", f"oci:{name}", out],
        "umoci unpack": ["umoci", "unpack", "--image", name, out],
        "umoci raw unpack": ["umoci", "raw", "unpack", "--image", name, out],
    }
    if len(layout.layers) == 1:
        commands["tar -xz"] = ["tar", "-xzf", layout.layers[0], "-C", out]
        commands["bsdtar -x"] = ["bsdtar", "-xf", layout.layers[0], "-C", out]
    return {name: Case(command, before=lambda tar="tar" in command[0]: bench.fresh(out, tar))
            for name, command in commands.items() if bench.has(command[0])}


def bound_case(bench, layout):
    """Which no program can beat: the larger of inflate, and half of what must be done."""
    def run():
        done = subprocess.run([bench.bound_program, layout.layers[0], bench.out], check=True,
                              stdout=subprocess.PIPE)
        inflate, rest, made = (int(part) / 1e6 for part in done.stdout.split())
        return Sample(max(inflate, (inflate + rest + made) / 2), inflate + rest + made, 0)

    return Case(run, before=lambda: bench.fresh(bench.out, True))


def containerds(bench):
    found = []
    if os.geteuid() != 0:
        return found
    folders = [""] if bench.has("containerd") and bench.has("ctr") else []
    if os.access(os.path.join(bench.peers, "containerd"), os.X_OK):
        folders.append(bench.peers)
    for folder in folders if bench.has("runc") else []:
        try:
            found.append(Containerd(bench.environment, folder))
        except Failed as failed:
            print(f"containerd is left out: {failed}\n")
    return found


def part_unpack(bench):
    for kind in bench.apps:
        layout, archive = bench.layout(kind), bench.path("archive.tar")
        cases = {"two-core bound": bound_case(bench, layout), **unpackers(bench, layout)}
        servers = containerds(bench)
        try:
            subprocess.run(["tar", "-C", layout.folder, "-cf", archive, "."], check=True)
            cases.update((server.name, server.case(layout, archive)) for server in servers)
            os.remove(archive)
            results = bench.runner.rounds(cases, bench.rounds)
        finally:
            for server in servers:
                server.stop()
            bench.fresh(bench.out)
        report_unpack(bench, kind, layout, results)


def report_unpack(bench, kind, layout, results):
    ours, bound = results["ours"], results["two-core bound"]
    size = os.path.getsize(layout.layers[0]) / MIB
    table((f"unpack {kind} ({size:.1f} MiB of gzip)", "time", "x ours", "processor time", "x ours",
           "x bound", "peak memory"),
          [(name, seconds(median(samples, WALL)), times(ratio(samples, ours)), seconds(median(samples, CPU)),
            times(ratio(samples, ours, CPU)), times(ratio(samples, bound)),
            mebibytes(peak(samples)) if samples[0].memory else "") for name, samples in results.items()])

    def against(name, goal):
        for peer, samples in results.items():
            if peer.startswith(name):
                bench.goals.at_least(f"unpack {kind}: {peer} / ours", goal, ratio(samples, ours))

    if kind in "ML":
        against("umoci unpack", 5)
        against("ctr 1", 4)
        against("ctr 2", 2.8)  # as fast: this one takes 0.7 of the time of 1.6
        against("tar -xz", 2.5)
        bench.goals.at_most(f"unpack {kind}: ours / two-core bound", 1.4, ratio(ours, bound))
    if kind == "W":
        against("umoci unpack", 8)
    bench.goals.at_most(f"unpack {kind}: peak memory", 16 * MIB, peak(ours), mebibytes)


# --- from the start of the process ---------------------------------------------------------------


def part_start(bench):
    """Many short runs: a small app unpacked, and apps that the shared cache has already."""
    layout = bench.layout("S")
    cases = unpackers(bench, layout)
    cases["true"] = Case(["true"])
    for kind in bench.apps:
        hit = [bench.extractor, "--cache", bench.path("cache"), f"oci:{bench.layout(kind).folder}:v1"]
        bench.runner.run(hit)
        cases[f"cache hit, {kind}"] = Case(hit)
    results = bench.runner.rounds(cases, 7 * bench.rounds)
    bench.fresh(bench.out)
    bench.fresh(bench.path("cache"))
    table(("start to exit, app S", "time", "x ours", "processor time", "peak memory"),
          [(name, seconds(median(samples, WALL)), times(ratio(samples, results["ours"])),
            seconds(median(samples, CPU)), mebibytes(peak(samples))) for name, samples in results.items()])
    if "bsdtar -x" in results:
        bench.goals.at_most("start to tree of S: ours / bsdtar", 0.75,
                            ratio(results["ours"], results["bsdtar -x"]))
    for kind in bench.apps:
        bench.goals.at_most(f"cache hit, {kind}", 0.005, median(results[f"cache hit, {kind}"], WALL), seconds)


# --- many layers --------------------------------------------------------------------------------


def part_layers(bench):
    """Apps of several layers: how near the pipe comes to keeping two cores busy. Nobody else unpacks them."""
    rows = []
    for kind in bench.apps:
        for form in ("spin-node", "spin"):
            folder = bench.path("many.layout")
            bench.fresh(folder)
            bench.runner.run([bench.tool, "pack", "-q", "-f", bench.app(kind), "--format", form,
                              "-o", f"oci:{folder}:v1", "--cache-dir", bench.path("pack-cache")])
            layout = image.Layout(folder)
            cases = {name: case for name, case in unpackers(bench, layout).items() if "ours" in name}
            results = bench.runner.rounds(cases, bench.rounds)
            for name, samples in results.items():
                rows.append((f"{kind}, `{form}`, {len(layout.layers)} layers, {name}",
                             seconds(median(samples, WALL)), times(ratio(samples, results["ours"])),
                             seconds(median(samples, CPU)),
                             f"{median(samples, CPU) / median(samples, WALL):.2f}", mebibytes(peak(samples))))
            bench.fresh(folder)
            bench.fresh(bench.out)
            bench.fresh(bench.path("pack-cache"))
    table(("unpack several layers", "time", "x ours", "processor time", "cores busy", "peak memory"), rows)


# --- registries ---------------------------------------------------------------------------------


def registry_cases(bench, kind, server):
    """Everybody's first push goes to an empty registry; "pack+push" starts from spin.toml."""
    place, pulled = {}, bench.path("pulled")
    cache = bench.path("pack-cache")
    ready = bench.layout(kind).folder

    def empty(**more):
        place["at"], = server.start("registry")
        if more:
            bench.fresh(cache)

    def add(name, make, before=None):
        cases[name] = LateCase(bench, lambda: make(place["at"]), before)

    def add_push(peer, make):
        add(f"push, {peer}", make, empty)

    def add_pull(peer, make):
        add(f"pull, {peer}", make, lambda: bench.fresh(pulled))

    cases = {}
    add("pack+push, ours", lambda at: [bench.tool, "push", "-q", "-f", bench.app(kind), "--cache-dir", cache,
                                       f"{at}/app:v1"], lambda: empty(cache=True))
    add("pack+push again, ours", lambda at: [bench.tool, "push", "-q", "-f", bench.app(kind), "--cache-dir",
                                             cache, f"{at}/app:v1"])
    ours = lambda at: [bench.tool, "push", "-q", f"oci:{ready}:v1", f"{at}/ready:v1"]
    add_push("ours", ours)
    add("push again, ours", ours)
    add_pull("ours", lambda at: [bench.tool, "pull", "-q", f"{at}/ready:v1", f"oci:{pulled}:v1"])
    if bench.has("skopeo"):
        copy = ["skopeo", "copy", "-q", "--insecure-policy"]
        skopeo = lambda at: [*copy, "--dest-tls-verify=false", f"oci:{ready}:v1", f"docker://{at}/ready:v1"]
        add_push("skopeo", skopeo)
        add("push again, skopeo", skopeo)
        add_pull("skopeo", lambda at: [*copy, "--src-tls-verify=false", f"docker://{at}/ready:v1",
                                       f"oci:{pulled}:v1"])
    if bench.has("crane"):
        add_push("crane", lambda at: ["crane", "push", "--insecure", ready, f"{at}/ready:v1"])
        add_pull("crane", lambda at: ["crane", "pull", "--insecure", "--format", "oci", f"{at}/ready:v1", pulled])
    if bench.has("oras"):
        add_push("oras", lambda at: ["oras", "copy", "--from-oci-layout", "--to-plain-http", f"{ready}:v1",
                                     f"{at}/ready:v1"])
        add_pull("oras", lambda at: ["oras", "copy", "--from-plain-http", "--to-oci-layout", f"{at}/ready:v1",
                                     f"{pulled}:v1"])
    return cases


class LateCase(Case):
    """Whose command is known only when its registry runs."""

    def __init__(self, bench, make, before):
        super().__init__(lambda: bench.runner.run(make()), before)


def part_registry(bench):
    if not bench.has("docker-registry"):
        print("no docker-registry here: pushes and pulls are not measured\n")
        return
    for kind in bench.apps:
        server = Server(bench.environment)
        try:
            results = bench.runner.rounds(registry_cases(bench, kind, server), bench.rounds)
        finally:
            server.stop()
            bench.fresh(bench.path("pulled"))
            bench.fresh(bench.path("pack-cache"))
        report_registry(bench, kind, results)


def report_registry(bench, kind, results):
    def ours_of(name):
        what, _, peer = name.partition(", ")
        return None if peer == "ours" else results.get(f"{what}, ours")

    rows = []
    for name, samples in results.items():
        ours = ours_of(name)
        rows.append((name, seconds(median(samples, WALL)), times(ratio(ours, samples)) if ours else "",
                     seconds(median(samples, CPU)), times(ratio(ours, samples, CPU)) if ours else "",
                     mebibytes(peak(samples))))
    table((f"registry, {kind}", "time", "ours / it", "processor time", "ours / it", "peak memory"), rows)

    def against(what, peer, goal, other=None):
        theirs = results.get(f"{other or what}, {peer}")
        if theirs:
            bench.goals.at_most(f"{what} {kind}: ours / {peer}", goal, ratio(results[f"{what}, ours"], theirs))

    against("push", "crane", 1.0)
    against("push again", "skopeo", 0.4)
    if kind == "L":
        against("pull", "oras", 1.0)
    spin = {"M": 31 / 12, "L": 41 / 12}  # a twelfth of what Spin takes, in skopeo's first pushes
    if kind in spin:
        against("pack+push", "skopeo", spin[kind], "push")
        against("pack+push again", "skopeo", 3, "push again")
    bench.goals.at_most(f"push and pull {kind}: peak memory", 16 * MIB,
                        max(peak(results["push, ours"]), peak(results["pull, ours"])), mebibytes)
    bench.goals.at_most(f"pack+push {kind}: peak memory", 24 * MIB, peak(results["pack+push, ours"]), mebibytes)


# --- all of it ----------------------------------------------------------------------------------

PARTS = {"unpack": part_unpack, "start": part_start, "layers": part_layers, "registry": part_registry}


def about(bench):
    def first_line(*command):
        if not bench.has(command[0]):
            return f"no {command[0]}"
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=bench.environment, check=False)
        return (done.stdout.splitlines() or [command[0]])[0]

    modules = "real modules" if os.environ.get("BENCH_WASM") else "made modules"
    if any(os.path.isdir(bench.path(kind)) for kind in bench.apps):
        modules = "apps that were in BENCH_DIR"
    print(f"{len(os.sched_getaffinity(0))} cores, {platform.system()} {platform.release()}, load "
          f"{os.getloadavg()[0]:.1f}, {bench.rounds} rounds after a discarded one; "
          f"{modules}; others: "
          + ", ".join((first_line("umoci", "--version"), first_line("tar", "--version"),
                       first_line("bsdtar", "--version").partition(" - ")[0], first_line("skopeo", "--version"),
                       "crane " + first_line("crane", "version"),
                       "oras " + first_line("oras", "version").split()[-1])) + ".\n", flush=True)


def main():
    parts = os.environ.get("BENCH_PARTS", " ".join(PARTS)).split()
    for name in parts:
        if name not in PARTS:
            raise SystemExit(f"no part {name}: {' '.join(PARTS)}")
    work, kept = os.environ.get("BENCH_DIR"), True
    if not work:
        fast = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        work, kept = tempfile.mkdtemp(prefix="ociw-bench.", dir=fast), False
    os.makedirs(work, exist_ok=True)
    try:
        bench = Bench(sys.argv[1:], os.path.abspath(work))
        about(bench)
        for name in parts:
            PARTS[name](bench)
        bench.goals.print()
        print(f"Load at the end: {os.getloadavg()[0]:.1f}.")
    except Failed as failed:
        raise SystemExit(str(failed)) from None
    finally:
        if not kept:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
