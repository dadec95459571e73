#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# A fuzz campaign with a ledger. The text below is its help.
"""Runs the fuzz targets in turns, each until it has had its minutes of processor time.

The corpora grow in a folder of the campaign, beside a ledger of the time each target has had, so that
a campaign can be stopped and gone on with. `--merge` then writes the smallest set of inputs that reaches
the same code into fuzz/corpus. docs/fuzzing.md says when and how.

usage: fuzz-campaign.py BUILD_DIR CAMPAIGN_DIR [--minutes 10] [--slice 60] [--jobs N] [--merge] [NAME...]
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = ROOT / "fuzz" / "corpus"
# What earlier campaigns have spent on the corpora that are kept.
SPENT = ROOT / "fuzz" / "campaign.json"
# Inputs larger than this are left out of what is checked in.
MAX_INPUT = 16 * 1024


class Campaign:
    def __init__(self, build, folder, names):
        self.build = build / "fuzz"
        self.folder = folder
        self.ledger_path = folder / "ledger.json"
        self.lock = threading.Lock()
        found = sorted(p.name[5:] for p in self.build.glob("fuzz-*") if p.is_file() and os.access(p, os.X_OK))
        self.names = names or found
        unknown = set(self.names) - set(found)
        if unknown or not found:
            sys.exit(f"no such target in {self.build}: {', '.join(sorted(unknown)) or 'none at all'}")
        before = self.ledger_path if self.ledger_path.exists() else SPENT
        self.ledger = json.loads(before.read_text()) if before.exists() else {}
        self.running = set()
        self.failed = set()

    def spent(self, name):
        return self.ledger.get(name, {}).get("cpu", 0.0)

    def note(self, name, cpu, runs):
        with self.lock:
            entry = self.ledger.setdefault(name, {"cpu": 0.0, "runs": 0})
            entry["cpu"] += cpu
            entry["runs"] += runs
            draft = self.ledger_path.with_suffix(".new")
            draft.write_text(json.dumps(self.ledger, indent=1, sort_keys=True) + "\n")
            draft.replace(self.ledger_path)

    def command(self, name, *options):
        dictionary = ROOT / "fuzz" / "dict" / f"{name}.dict"
        given = [f"-dict={dictionary}"] if dictionary.exists() else []
        return [str(self.build / f"fuzz-{name}"), "-timeout=25", "-rss_limit_mb=2048", *given, *options]

    def run_slice(self, name, seconds):
        corpus = self.folder / "corpus" / name
        findings = self.folder / "findings"
        corpus.mkdir(parents=True, exist_ok=True)
        findings.mkdir(exist_ok=True)
        log = self.folder / f"{name}.log"
        with log.open("wb") as out:
            child = subprocess.Popen(
                self.command(name, f"-max_total_time={seconds}", "-print_final_stats=1",
                             f"-artifact_prefix={findings}/{name}-", str(corpus), str(CORPUS / name)),
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        text = log.read_text(errors="replace")
        runs = [int(line.split()[-1]) for line in text.splitlines()
                if line.startswith("stat::number_of_executed_units:")]
        self.note(name, usage.ru_utime + usage.ru_stime, runs[0] if runs else 0)
        if child.returncode != 0:
            kept = log.with_suffix(f".{len(list(self.folder.glob(f'{name}.*.failed')))}.failed")
            shutil.copyfile(log, kept)
            print(f"FAILED {name}: {kept}", flush=True)
            self.failed.add(name)

    def take(self, limit):
        """The target that has had least so far, or None when all have had their time."""
        with self.lock:
            ready = [n for n in self.names
                     if n not in self.running and n not in self.failed and self.spent(n) < limit]
            if not ready:
                return None
            name = min(ready, key=self.spent)
            self.running.add(name)
            return name

    def work(self, limit, seconds):
        while (name := self.take(limit)) is not None:
            self.run_slice(name, seconds)
            with self.lock:
                self.running.discard(name)

    def run(self, minutes, seconds, jobs):
        threads = [threading.Thread(target=self.work, args=(minutes * 60, seconds)) for _ in range(jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def merge(self, name):
        """What is checked in stays, whether or not it reaches new code: it was put there for a reason."""
        grown = self.folder / "corpus" / name
        target = CORPUS / name
        if not grown.is_dir() or target.is_symlink():
            return
        subprocess.run(self.command(name, "-merge=1", f"-max_len={MAX_INPUT}", str(target), str(grown)),
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def table(self):
        for name in self.names:
            entry = self.ledger.get(name, {"cpu": 0, "runs": 0})
            inputs = sum(1 for _ in (CORPUS / name).glob("*"))
            print(f"| `{name}` | {entry['cpu'] / 60:.1f} | {entry['runs'] / 1e6:.2f} | {inputs} |")
        print(f"| all | {sum(self.spent(n) for n in self.names) / 60:.0f} | | |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("campaign", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--minutes", type=float, default=10, help="processor time each target gets in all")
    parser.add_argument("--slice", type=int, default=60, help="seconds of a turn")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--merge", action="store_true", help="write the minimised corpora to fuzz/corpus")
    args = parser.parse_args()
    args.campaign.mkdir(parents=True, exist_ok=True)
    campaign = Campaign(args.build.resolve(), args.campaign.resolve(), args.names)
    campaign.run(args.minutes, args.slice, args.jobs)
    if args.merge:
        for name in campaign.names:
            campaign.merge(name)
        shutil.copyfile(campaign.ledger_path, SPENT)
    campaign.table()
    return 1 if campaign.failed else 0


if __name__ == "__main__":
    sys.exit(main())
