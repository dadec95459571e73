# SPDX-License-Identifier: Apache-2.0
#
# Running commands in rounds, and what is made of the figures: medians, ratios of the same round,
# Markdown tables, goals. Knows no program. Standard library only.
import collections
import os
import statistics
import subprocess
import sys
import tempfile

# Seconds, seconds, bytes.
Sample = collections.namedtuple("Sample", "wall cpu memory")
COLUMNS = Sample(0, 1, 2)


class Failed(Exception):
    """A program does not do what it was asked for."""


class Case:
    """A command of a round, what makes it ready, and what cleans up after it."""

    def __init__(self, command, before=None, after=None, server=None):
        self.command, self.before, self.after, self.server = command, before, after, server


class Runner:
    def __init__(self, program, environment):
        self.program, self.environment = program, environment

    def run(self, command):
        with tempfile.NamedTemporaryFile("r") as figures:
            done = subprocess.run([self.program, figures.name, *command], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.environment,
                                  check=False)
            if done.returncode:
                raise Failed(f"{' '.join(command)}: {done.stdout.decode(errors='replace').strip()}")
            wall, user, system, memory = map(int, figures.read().split())
        return Sample(wall / 1e9, (user + system) / 1e6, memory * 1024)

    def sample(self, case):
        """A case in which a server does the work counts its time and its memory too."""
        if callable(case.command):
            return case.command()
        if case.server is None:
            return self.run(case.command)
        before = server_time(case.server)
        own = self.run(case.command)
        return Sample(own.wall, own.cpu + server_time(case.server) - before,
                      own.memory + server_memory(case.server))

    def once(self, case):
        if case.before:
            case.before()
        sample = self.sample(case)
        if case.after:
            case.after()
        return sample

    def rounds(self, cases, count):
        """Every case once a round; the first round is not kept, nor a peer that fails in it."""
        results = {}
        for number in range(count + 1):
            for name in list(cases if number == 0 else results):
                try:
                    sample = self.once(cases[name])
                except Failed as failed:
                    if number or "ours" in name:
                        raise
                    print(f"{name} is left out, as it fails here: {failed}\n")
                    continue
                print(f"  round {number}: {name}: {sample.wall:.4f} s", file=sys.stderr)
                results.setdefault(name, [])
                if number:
                    results[name].append(sample)
        return results


def server_time(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def server_memory(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))


def median(samples, column):
    return statistics.median(sample[column] for sample in samples)


def ratio(above, below, column=COLUMNS.wall):
    """The median of the ratios inside the rounds; None where there is nothing to divide."""
    found = [a[column] / b[column] for a, b in zip(above, below) if b[column]]
    return statistics.median(found) if found else None


def peak(samples):
    return max(sample.memory for sample in samples)


# --- text ---------------------------------------------------------------------------------------


def seconds(value):
    return f"{value * 1000:.1f} ms" if value < 0.1 else f"{value:.2f} s"


def times(value):
    if value is None:
        return ""
    return f"{value:.2f}x" if value < 10 else f"{value:.0f}x"


def mebibytes(value):
    return f"{value / (1 << 20):.1f} MiB"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    print("\n".join(lines) + "\n", flush=True)


class Goals:
    """What was asked for beside what was found. A goal is missed in print only: nothing fails."""

    def __init__(self):
        self.rows = []

    def at_most(self, text, limit, value, show=times):
        self.add(text, f"at most {show(limit)}", value, value is not None and value <= limit, show)

    def at_least(self, text, limit, value, show=times):
        self.add(text, f"at least {show(limit)}", value, value is not None and value >= limit, show)

    def add(self, text, wanted, value, met, show):
        if value is not None:
            self.rows.append((text, wanted, show(value), "met" if met else "**missed**"))

    def print(self):
        table(("goal", "wanted", "found", ""), self.rows)
