# SPDX-License-Identifier: Apache-2.0
#
# The flows that the fault campaigns run, and what must hold after each run of one, whatever happened
# in it: the destination is absent or whole, the store verifies, the next run succeeds and removes what
# was left. Each run has a folder of its own. Knows nothing about the faults.

import hashlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading

ACCEPT = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"
# What an error may end with (docs/errors.md); 3 and 10 come from the state of things, not from a fault.
PATIENCE = 30
STATUSES = {1, 3, 4, 5, 6, 7, 8, 9, 10}


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def load(path):
    with open(path, "rb") as file:
        return file.read()


def remove(path):
    """A tree, also one whose directories are read-only."""
    def again(call, name, _):
        os.chmod(os.path.dirname(name), 0o700)
        if os.path.isdir(name) and not os.path.islink(name):
            os.chmod(name, 0o700)
        call(name)
    if os.path.lexists(path):
        shutil.rmtree(path, onerror=again)


def listing(top, volatile=None):
    """Every name below top with kind, mode and content; of volatile ones only name and kind."""
    found = {}
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            short = os.path.relpath(path, top)
            info = os.lstat(path)
            what = [stat.S_IFMT(info.st_mode)]
            if not (volatile and volatile.search(short)):
                what.append(info.st_mode & 0o7777)
                if stat.S_ISLNK(info.st_mode):
                    what.append(os.readlink(path))
                elif stat.S_ISREG(info.st_mode):
                    what.append(sha256(load(path)))
            found[short] = tuple(what)
    return found


def differences(want, got):
    return sorted(
        [f"missing {name}" for name in want.keys() - got.keys()]
        + [f"left over {name}" for name in got.keys() - want.keys()]
        + [f"changed {name}" for name in want.keys() & got.keys() if want[name] != got[name]])


class World:
    """The tools, a registry, an app and images of it; all of it is only read by the flows."""

    def __init__(self, tool, extractor, registry, files=0, size=0):
        self.tool, self.extractor = tool, extractor
        self.top = tempfile.mkdtemp(prefix="ociw-faults-")
        self.runs = os.path.join(self.top, "runs")
        os.mkdir(self.runs)
        self.seed = int(os.environ.get("FAULT_SEED", random.SystemRandom().randrange(1 << 31)))
        self.count, self.lock, self.failed = 0, threading.Lock(), 0
        self.runs_made = 0
        self.make_app(files, size)
        self.source = os.path.join(self.top, "source")
        fresh = self.folder()
        for file, format_, name in ((self.app, "spin", "v1"), (self.app, "rootfs", "fs"),
                                    (self.app + "/api.wasm", "wasm", "wasm")):
            self.must(fresh, [tool, "pack", "-q", "--format", format_, "-f", file,
                              "-o", f"oci:{self.source}:{name}"])
        self.digest = self.must(fresh, [tool, "resolve", f"oci:{self.source}:v1"]).strip()
        self.other = self.must(fresh, [tool, "resolve", f"oci:{self.source}:fs"]).strip()
        self.repository = f"{registry}/faults{os.getpid()}"
        self.must(fresh, [tool, "push", "-q", f"oci:{self.source}:v1", f"{self.repository}/app:v1"])
        remove(fresh)

    def make_app(self, files, size):
        root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
        self.app = os.path.join(self.top, "app")
        shutil.copytree(os.path.join(root, "testdata", "apps", "shop", "app"), self.app)
        rng = random.Random(7)
        for i in range(files):
            folder = os.path.join(self.app, "img", f"d{i % 7}")  # all of which is packed
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, f"f{i}"), "wb") as file:
                file.write(rng.randbytes(rng.randrange(2 * size)))

    def close(self):
        remove(self.top)

    def folder(self):
        with self.lock:
            self.runs_made += 1
            number = self.runs_made
        path = os.path.join(self.runs, f"run{number}")
        for name in ("", "tmp", "home"):
            os.mkdir(os.path.join(path, name))
        return path

    def environment(self, folder):
        return {"PATH": os.environ["PATH"], "HOME": folder + "/home", "TMPDIR": folder + "/tmp",
                "LC_ALL": "C.UTF-8", "ASAN_OPTIONS": "detect_leaks=0"}

    def run(self, folder, argv):
        try:
            return subprocess.run(argv, cwd=folder, env=self.environment(folder), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                                  errors="backslashreplace", timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(argv, 124, "", f"hangs for {PATIENCE} seconds")

    def start(self, folder, argv):
        return subprocess.Popen(argv, cwd=folder, env=self.environment(folder), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def must(self, folder, argv):
        done = self.run(folder, argv)
        if done.returncode != 0:
            sys.exit(f"{argv}: status {done.returncode}: {done.stderr}")
        return done.stdout

    # --- TAP ---

    def result(self, name, problems):
        with self.lock:
            self.count += 1
            self.failed += bool(problems)
            print(("not ok" if problems else "ok"), self.count, "-", name)
            most = int(os.environ.get("FAULT_LINES", "20"))
            for line in problems[:most]:
                print("#  ", line.replace("\n", " "))
            if len(problems) > most:
                print(f"#   and {len(problems) - most} more")
            sys.stdout.flush()

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}")

    def finish(self):
        print(f"1..{self.count}")
        self.close()
        sys.exit(1 if self.failed else 0)


class Flow:
    """One command on one destination. Subclasses say what that is."""

    name = ""
    success = 0  # its status without a fault
    errors = None  # all of them, or these
    sampled = False  # where the parts are flows too
    prepared_each_time = False  # where a copy of what was prepared once would not do
    volatile = re.compile(r"^home/\.cache/oci-wasm/pack/[^/]*/index$")

    def __init__(self, world):
        self.world = world
        self.verified = set()
        self.lock = threading.Lock()
        self.template = None
        if not self.prepared_each_time:
            self.template = world.folder()
            self.prepare(self.template)
        folder = self.fresh()
        self.complain_unless_done(folder, world.run(folder, self.argv(folder)))
        self.complain_unless_done(folder, self.again(folder))
        self.reference = listing(folder, self.volatile)
        remove(folder)

    def complain_unless_done(self, folder, done):
        problems = [done.stderr] if done.returncode != self.success else self.absent_or_whole(folder, True)
        if problems:
            sys.exit(f"{self.name} fails without a fault: {problems}")

    def fresh(self):
        folder = self.world.folder()
        if self.template:
            shutil.copytree(self.template, folder, symlinks=True, dirs_exist_ok=True)
        else:
            self.prepare(folder)
        return folder

    def prepare(self, folder):
        """What is there before the run."""

    def argv(self, folder):
        raise NotImplementedError

    def absent_or_whole(self, folder, succeeded):
        """Problems of what is there; it must be whole when the run said that it succeeded."""
        raise NotImplementedError

    def again(self, folder):
        return self.world.run(folder, self.argv(folder))

    def judge(self, folder, status, errors, mend=None):
        """All problems after a run that ended like this; mend() is called before the next run. The
        folder is used up."""
        problems = self.judge_end(status, errors)
        state = listing(folder)
        key = (status == self.success, tuple(sorted(state.items())))
        with self.lock:
            known = key in self.verified
        if known and not problems and self.only_here():
            return []
        problems += self.absent_or_whole(folder, status == self.success)
        if mend:
            mend()
        done = self.again(folder)
        if done.returncode != self.success:
            problems.append(f"the next run fails: {done.stderr.strip()}")
        else:
            problems += [f"after the next run: {x}" for x in self.absent_or_whole(folder, True)]
            problems += [f"after the next run: {x}"
                         for x in differences(self.reference, listing(folder, self.volatile))]
        if not problems:
            with self.lock:
                self.verified.add(key)
        return problems

    def judge_end(self, status, errors):
        if status in (self.success, 128 + signal.SIGKILL, -signal.SIGKILL):
            return []
        lines = [x for x in errors.splitlines() if re.match(r"oci-wasm(-extract)?: .*\S", x)]
        if status not in STATUSES:
            return [f"status {status}: {errors.strip()}"]
        if len(lines) != 1 or len(errors.splitlines()) != 1:
            return [f"not one clear error: {errors.strip()!r}"]
        return []

    def only_here(self):
        """True when the folder says all about the state, so that equal folders need no second look."""
        return True

    # --- what several flows look at ---

    def layout_problems(self, folder, name, need, names):
        """A layout is absent, or every name in it is one of those and stands for what it should."""
        path = os.path.join(folder, name)
        if not os.path.lexists(os.path.join(path, "index.json")):
            return [f"{name} has no index.json"] if need else []
        problems = []
        try:
            index = json.loads(load(os.path.join(path, "index.json")))
        except ValueError as error:
            return [f"{name}/index.json: {error}"]
        got = {x.get("annotations", {}).get("org.opencontainers.image.ref.name"): x["digest"]
               for x in index["manifests"]}
        for key, digest in got.items():
            if names.get(key) != digest:
                problems.append(f"{name} has {key} as {digest}")
        problems += [f"{name} lost {key}" for key in need if key not in got]
        done = self.world.run(folder, [self.world.tool, "store", "verify", "-q", path])
        if done.returncode != 0:
            problems.append(f"store verify {name}: {done.stdout} {done.stderr}")
        return problems

    def tree_problems(self, path, need, want):
        if not os.path.lexists(path):
            return ["no tree"] if need else []
        return [f"tree: {x}" for x in differences(want, listing(path))]


class Pack(Flow):
    name = "pack to a layout"

    def argv(self, folder):
        return [self.world.tool, "pack", "-q", "-f", self.world.app, "-o", f"oci:{folder}/out:v1"]

    def absent_or_whole(self, folder, succeeded):
        return self.layout_problems(folder, "out", ["v1"] if succeeded else [], {"v1": self.world.digest})


class PackArchive(Flow):
    name = "pack to an archive"

    def argv(self, folder):
        return [self.world.tool, "pack", "-q", "--format", "rootfs", "-f", self.world.app,
                "-o", f"oci-archive:{folder}/out.tar:v1"]

    def absent_or_whole(self, folder, succeeded):
        path = os.path.join(folder, "out.tar")
        if not os.path.lexists(path):
            return ["no archive"] if succeeded else []
        if not hasattr(self, "bytes"):
            self.bytes = sha256(load(path))
        return [] if sha256(load(path)) == self.bytes else ["another archive"]


class Push(Flow):
    name = "push"
    sampled = True

    def argv(self, folder):
        return [self.world.tool, "push", "-q", "-f", self.world.app,
                f"{self.world.repository}/{os.path.basename(folder)}:v1"]

    def only_here(self):
        return False

    def absent_or_whole(self, folder, succeeded):
        host, _, path = self.world.repository.partition("/")
        path = f"/v2/{path}/{os.path.basename(folder)}"
        connection = http.client.HTTPConnection(host, timeout=20)
        try:
            status, manifest = self.ask(connection, "GET", path + "/manifests/v1")
            if status == 404 and not succeeded:
                return []
            if status != 200 or sha256(manifest) != self.world.digest:
                return [f"another image, status {status}"]
            document = json.loads(manifest)
            problems = []
            for blob in [document["config"]] + document["layers"]:
                # The registry looked at the digest when it was sent.
                status, _ = self.ask(connection, "HEAD", f"{path}/blobs/{blob['digest']}")
                if status != 200:
                    problems.append(f"no {blob['digest']}, status {status}")
            return problems
        finally:
            connection.close()

    def ask(self, connection, method, path):
        connection.request(method, path, headers={"Accept": ACCEPT})
        answer = connection.getresponse()
        return answer.status, answer.read()


class Pull(Flow):
    """Into a layout that has another image already."""
    name = "pull"

    def prepare(self, folder):
        self.world.must(folder, [self.world.tool, "copy", "-q", f"oci:{self.world.source}:fs", f"oci:{folder}/out:old"])

    def argv(self, folder):
        return [self.world.tool, "pull", "-q", f"{self.world.repository}/app:v1", f"oci:{folder}/out:v1"]

    def absent_or_whole(self, folder, succeeded):
        return self.layout_problems(folder, "out", ["old", "v1"] if succeeded else ["old"],
                                    {"old": self.world.other, "v1": self.world.digest})


class Extract(Flow):
    name = "extract files of an app"
    image = "v1"

    def __init__(self, world):
        self.want = {}
        super().__init__(world)

    def argv(self, folder):
        return [self.world.extractor, "-q", "--file-url-root=/x", f"oci:{self.world.source}:{self.image}",
                folder + "/out"]

    def again(self, folder):
        remove(folder + "/out")
        return super().again(folder)

    def absent_or_whole(self, folder, succeeded):
        if not self.want:
            self.want = listing(folder + "/out")
        return self.tree_problems(folder + "/out", succeeded, self.want)


class ExtractRootfs(Extract):
    name = "extract a rootfs"
    image = "fs"


class ExtractShim(Extract):
    name = "extract for the Spin shim"
    errors = ["EIO", "EINTR"]

    def argv(self, folder):
        return super().argv(folder) + ["--mode=spin-cache"]


class ExtractArtifact(Extract):
    name = "extract an artifact"
    image = "wasm"
    errors = ["EIO", "EINTR"]


class ExtractPulled(Extract):
    name = "extract from a registry"
    sampled = True

    def argv(self, folder):
        return [self.world.tool, "extract", "-q", "--file-url-root=/x", f"{self.world.repository}/app:v1", folder + "/out"]


class Cache(Flow):
    """Extracts into the shared cache and says where."""
    name = "extract into the cache"
    prepared_each_time = True  # records have inodes and times
    volatile = re.compile(r"^cache/[0-9a-f]*/record$")
    extra = ["--check"]

    def __init__(self, world):
        self.want = {}
        super().__init__(world)

    def argv(self, folder):
        return [self.world.extractor, "-q", "--file-url-root=/x", "--cache", folder + "/cache", *self.extra,
                f"oci:{self.world.source}:v1"]

    def again(self, folder):
        """A hit looks at nothing but its entry: what else there is goes with the next build or collection."""
        done = super().again(folder)
        return done if done.returncode != 0 else self.world.run(
            folder, [self.world.extractor, "-q", "--cache", folder + "/cache", "--gc"])

    def trees(self, folder):
        cache = folder + "/cache"
        if not os.path.isdir(cache):
            return []
        return [f"{cache}/{x}/tree" for x in os.listdir(cache) if re.fullmatch("[0-9a-f]{64}", x)]

    def absent_or_whole(self, folder, succeeded):
        trees = self.trees(folder)
        if not self.want and trees:
            self.want = listing(trees[0])
        problems = [] if trees or not succeeded else ["no entry"]
        for tree in trees:
            problems += self.tree_problems(tree, True, self.want)
        return problems


class CacheCopy(Cache):
    """Out of a cache that has it."""
    name = "copy out of the cache"

    def prepare(self, folder):
        self.world.must(folder, super().argv(folder))

    def argv(self, folder):
        return super().argv(folder) + [folder + "/out"]

    def again(self, folder):
        remove(folder + "/out")
        return super().again(folder)

    def absent_or_whole(self, folder, succeeded):
        return super().absent_or_whole(folder, True) + self.tree_problems(folder + "/out", succeeded, self.want)


class CacheGc(Cache):
    """Two entries and what a dead run left, all to go."""
    name = "collect garbage in the cache"
    extra = []

    def prepare(self, folder):
        for more in ([], ["--mode=spin-cache"]):
            self.world.must(folder, super().argv(folder) + more)
        os.makedirs(folder + "/cache/.x.0123456789abcdef.partial/d")

    def argv(self, folder):
        return [self.world.extractor, "-q", "--cache", folder + "/cache", "--gc", "--max-size", "1"]

    def absent_or_whole(self, folder, succeeded):
        if not self.want:
            self.want = {"spin.json": None}
        # What a collection cannot lock it takes for used and leaves to the next one, after which the
        # folder has to be as after a run without a fault.
        done = self.world.run(folder, super().argv(folder))
        tree = done.stdout.strip()
        problems = [] if done.returncode == 0 and os.path.isdir(tree) else [f"the image cannot be had: {done.stderr}"]
        if tree and not problems:
            remove(os.path.dirname(tree))
        return problems


class StoreGc(Flow):
    """Of a layout with an image that is to stay, one that lost its name, and a dead writer's rest."""
    name = "collect garbage in a layout"

    def prepare(self, folder):
        tool, world = self.world.tool, self.world
        for image, name in (("v1", "v1"), ("fs", "fs")):
            world.must(folder, [tool, "copy", "-q", f"oci:{world.source}:{image}", f"oci:{folder}/out:{name}"])
        world.must(folder, [tool, "delete", "-q", f"oci:{folder}/out:fs"])
        os.mkdir(folder + "/out/ingest")
        with open(folder + "/out/ingest/partial-sha256-" + "0" * 64, "wb") as file:
            file.write(b"x")

    def argv(self, folder):
        return [self.world.tool, "store", "gc", "-q", "--any-age", "--delete", folder + "/out"]

    def absent_or_whole(self, folder, succeeded):
        problems = self.layout_problems(folder, "out", ["v1"], {"v1": self.world.digest})
        if succeeded and len(os.listdir(folder + "/out/blobs/sha256")) != len(self.blobs()):
            problems.append("garbage is left")
        return problems

    def blobs(self):
        manifest = json.loads(load(f"{self.world.source}/blobs/sha256/{self.world.digest[7:]}"))
        return {self.world.digest, manifest["config"]["digest"]} | {x["digest"] for x in manifest["layers"]}


class Verify(Flow):
    """Of a layout with a blob that nothing needs and that is damaged, which no fault may hide."""
    name = "verify a damaged layout"
    success = 6
    errors = ["EIO", "EINTR"]

    def prepare(self, folder):
        self.world.must(folder, [self.world.tool, "copy", "-q", f"oci:{self.world.source}:v1", f"oci:{folder}/out:v1"])
        with open(folder + "/out/blobs/sha256/" + "0" * 64, "wb") as file:
            file.write(b"x")

    def argv(self, folder):
        return [self.world.tool, "store", "verify", "-q", folder + "/out"]

    def absent_or_whole(self, folder, succeeded):
        return []


FLOWS = [Pack, PackArchive, Push, Pull, Extract, ExtractRootfs, ExtractShim, ExtractArtifact,
         ExtractPulled, Cache, CacheCopy, CacheGc, StoreGc, Verify]


def arguments():
    """Tools and the registry's address from the command line."""
    return [os.path.realpath(sys.argv[1]), os.path.realpath(sys.argv[2]), sys.argv[3]]


def chosen(world, kinds=None):
    """Of these flows (all by default) the ones that FAULT_FLOWS, a regular expression, names."""
    wanted = re.compile(os.environ.get("FAULT_FLOWS", ""))
    return [flow(world) for flow in kinds or FLOWS if wanted.search(flow.name)]
