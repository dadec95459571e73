# SPDX-License-Identifier: Apache-2.0
#
# SIGKILL at random points of the flows, 500 times in all. Each flow is killed at moments spread evenly
# over a little more than the time that it takes. Prints TAP.
#
# usage: kills.py OCI_WASM OCI_WASM_EXTRACT REGISTRY
# environment: FAULT_KILLS (500), FAULT_SEED, FAULT_FLOWS

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

import flows


def one(flow, delay):
    """Problems, and whether the kill came before the end."""
    world, folder = flow.world, flow.fresh()
    process = world.start(folder, flow.argv(folder))
    time.sleep(delay)
    process.kill()
    errors = process.communicate()[1]
    problems = flow.judge(folder, process.returncode, errors)
    flows.remove(folder)
    return [f"after {delay * 1000:.1f} ms: {x}" for x in problems], process.returncode < 0


def duration(flow):
    times = []
    for _ in range(3):
        folder = flow.fresh()
        begun = time.monotonic()
        flow.world.start(folder, flow.argv(folder)).communicate()
        times.append(time.monotonic() - begun)
        flows.remove(folder)
    return sorted(times)[1]


def main():
    world = flows.World(*flows.arguments(), files=20, size=50000)
    kills = int(os.environ.get("FAULT_KILLS", "500"))
    rng = random.Random(world.seed)
    print(f"# FAULT_SEED={world.seed}")
    all_flows = flows.chosen(world)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for i, flow in enumerate(all_flows):
            most = duration(flow) * 1.2
            share = kills * (i + 1) // len(all_flows) - kills * i // len(all_flows)
            delays = [rng.uniform(0, most) for _ in range(share)]
            problems, early = [], 0
            for found, killed in pool.map(lambda x, flow=flow: one(flow, x), delays):
                problems += found
                early += killed
            world.result(f"{flow.name}: killed {share} times, {early} of them before its end", problems)
    world.finish()


main()
