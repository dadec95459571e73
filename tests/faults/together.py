# SPDX-License-Identifier: Apache-2.0
#
# Two and eight processes on one destination, alone and beside garbage collection. Prints TAP.
#
# usage: together.py OCI_WASM OCI_WASM_EXTRACT REGISTRY
# environment: FAULT_ROUNDS (4), FAULT_FLOWS

import os

import flows

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "4"))
EXISTS = BUSY = 10


def race(flow, count, beside=None):
    """Statuses and messages of that many at once; and problems of those that ran beside them."""
    world, folder = flow.world, flow.fresh()
    processes = [world.start(folder, flow.argv(folder)) for _ in range(count)]
    others = [world.start(folder, beside(folder)) for _ in range(count if beside else 0)]
    ends = [(x.communicate()[1].strip(), x.returncode) for x in processes]
    problems = [f"beside: status {x.returncode}: {errors.strip()}" for x in others
                if (errors := x.communicate()[1], x.returncode)[1] not in (0, BUSY)]
    return folder, ends, problems


def one_wins(flow, count):
    folder, ends, problems = race(flow, count)
    codes = sorted(code for _, code in ends)
    if codes != [0] + [EXISTS] * (count - 1):
        problems.append(f"one should win: {ends}")
    return problems + settle(flow, folder)


def all_win(flow, count, beside=None, allowed=(0,)):
    folder, ends, problems = race(flow, count, beside)
    problems += [f"status {code}: {errors}" for errors, code in ends if code not in allowed]
    return problems + settle(flow, folder, beside is None)


def some_wait(flow, count):
    """A collection that finds another at work says so and leaves it to that."""
    return all_win(flow, count, None, (0, BUSY))


def settle(flow, folder, finished=True):
    """What they left together is what one leaves."""
    problems = flow.absent_or_whole(folder, finished)
    done = flow.again(folder)
    if done.returncode != 0:
        problems.append(f"the next run fails: {done.stderr.strip()}")
    problems += flows.differences(flow.reference, flows.listing(folder, flow.volatile))
    flows.remove(folder)
    return problems


def store_gc(world):
    return lambda folder: [world.tool, "store", "gc", "-q", "--any-age", "--delete", folder + "/out"]


def cache_gc(world):
    return lambda folder: [world.extractor, "-q", "--cache", folder + "/cache", "--gc", "--max-size", "1"]


def main():
    world = flows.World(*flows.arguments(), files=20, size=50000)
    races = [(flows.Pack, all_win, None), (flows.PackArchive, all_win, None), (flows.Push, all_win, None),
             (flows.Pull, all_win, None), (flows.Pull, all_win, store_gc), (flows.Extract, one_wins, None),
             (flows.ExtractRootfs, one_wins, None), (flows.Cache, all_win, None),
             (flows.Cache, all_win, cache_gc), (flows.CacheCopy, one_wins, None),
             (flows.CacheGc, all_win, None), (flows.StoreGc, some_wait, None)]
    known = {type(x): x for x in flows.chosen(world)}
    for kind, judge, beside in races:
        if kind not in known:
            continue
        flow = known[kind]
        for count in (2, 8):
            problems = []
            for _ in range(ROUNDS):
                problems += judge(flow, count, beside(world)) if beside else judge(flow, count)
            world.result(f"{flow.name}: {count} at once{' and as many that collect garbage' if beside else ''}",
                         problems)
    world.finish()


main()
