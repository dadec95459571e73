# SPDX-License-Identifier: Apache-2.0
#
# Reads lines "ROUND CASE SECONDS USER SYSTEM KIB" (tabs) of compare.sh and prints for each case the median
# time, processor time and peak memory, and for "X, PEER" the median of the in-round ratios ours / peer.
#
# usage: ratios.py TIMES
import statistics
import sys

# What is not compared with a peer's case of the same name.
PEER_CASE = {"pack+push": "push", "pack+push again": "push again"}


def main():
    cases = {}
    with open(sys.argv[1], encoding="utf-8") as file:
        for line in file:
            number, name, wall, user, system, memory = line.rstrip("\n").split("\t")
            if int(number):
                cases.setdefault(name, []).append((float(wall), float(user) + float(system), int(memory)))
    for name, values in cases.items():
        wall, cpu, memory = (statistics.median(column) for column in zip(*values))
        print(f"{name:26} {wall:7.2f} s  cpu {cpu:7.2f} s  {memory / 1024:6.1f} MiB")
    print()
    for name, values in cases.items():
        what, _, who = name.partition(", ")
        if who != "ours":
            continue
        for peer, others in cases.items():
            if peer.startswith(PEER_CASE.get(what, what) + ", ") and not peer.endswith(", ours"):
                ratios = [a[0] / b[0] for a, b in zip(values, others) if b[0]]
                if ratios:
                    print(f"{what:18} ours / {peer.partition(', ')[2]:8} {statistics.median(ratios):6.2f}")


main()
