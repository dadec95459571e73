# SPDX-License-Identifier: Apache-2.0
#
# Fails each system call of each flow once with each error: the n-th call, for n from 1 to how many there
# are; and kills the flow at every third of them. Of flows that are made of others each call fails with
# one error, by turns. Prints TAP.
#
# usage: calls.py OCI_WASM OCI_WASM_EXTRACT REGISTRY FAIL_CALL
# environment: FAULT_FLOWS, FAULT_ERRORS

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import flows

ERRORS = os.environ.get("FAULT_ERRORS", "EIO ENOSPC EMFILE EINTR KILL").split()
# What a signal can really interrupt (signal(7)): it is called again and the run goes through. Opening
# and syncing files of a local disk is not among it.
RESTARTED = {"read", "write", "pread64", "pwrite64", "readv", "writev", "getrandom", "flock", "poll", "recvfrom",
             "sendto", "recvmsg", "sendmsg", "fallocate", "copy_file_range"}
fail_call = os.path.realpath(sys.argv[4])


def one(flow, n, error):
    """Problems, the call's name, whether the run went through."""
    world, folder = flow.world, flow.fresh()
    report = folder + ".report"
    done = world.run(folder, [fail_call, report, str(n), error, *flow.argv(folder)])
    call = flows.load(report).decode().strip()
    os.unlink(report)
    problems = flow.judge(folder, done.returncode, done.stderr)
    # Only a signal that is to end the tool interrupts its output.
    if error == "EINTR" and call in RESTARTED and done.returncode != flow.success and "standard output" not in done.stderr:
        problems.append(f"not tried again: {done.stderr.strip()}")
    flows.remove(folder)
    return [f"call {n}, {call}, {error}: {x}" for x in problems], call, done.returncode == flow.success


def count(flow):
    folder = flow.fresh()
    flow.world.run(folder, [fail_call, folder + ".report", "0", "EIO", *flow.argv(folder)])
    line = flows.load(folder + ".report").decode().split()
    flows.remove(folder)
    return int(line[1])


def campaign(flow, pool):
    # Threads take turns as they like: another run may make some calls more.
    total = max(count(flow) for _ in range(3))
    total += total // 50
    errors = [x for x in ERRORS if x in (flow.errors or ERRORS)]
    work = [(n, error) for n in range(1, total + 1) for i, error in enumerate(errors)
            if n % (len(errors) if flow.sampled else 3 if error == "KILL" else 1) == (i if flow.sampled else 0)]
    problems, names, through = [], set(), 0
    for found, call, succeeded in pool.map(lambda x: one(flow, *x), work):
        problems += found
        names.add(call.split()[0])
        through += succeeded
    flow.world.result(f"{flow.name}: each of {total} calls fails, {len(names - {'-'})} kinds "
                      f"({len(work)} runs, {through} went through)", problems)


def main():
    world = flows.World(*flows.arguments())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for flow in flows.chosen(world):
            campaign(flow, pool)
    world.finish()


main()
