#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Writes an app to measure with: the same seed, kind and modules give the same tree, byte for byte and
# in its times. Standard library only.
#
# usage: app.py [--seed N] [--wasm FOLDER] KIND FOLDER     KIND is S, M, L, W or B
#
# FOLDER of --wasm holds real modules (*.wasm) to cut from; without it code-like bytes are made that
# compress as real ones do. Static files are text (html, js, css, json) and, a quarter of the bytes,
# noise that stands for images and fonts.
import argparse
import itertools
import math
import os
import random

MIB = 1 << 20
MTIME = 1_600_000_000
POOL = 6 * MIB


class Kind:
    def __init__(self, wasm, files, mean, low, high):
        self.wasm, self.files, self.mean, self.low, self.high = wasm, files, mean, low, high


KINDS = {
    "S": Kind([2], 20, 16_000, 300, 120_000),
    "M": Kind([2, 8, 20], 2_000, 30_500, 200, 2 * MIB),
    "L": Kind([5, 15, 30, 40, 60], 20_000, 20_500, 200, 2 * MIB),
    "W": Kind([1], 50_000, None, 200, 4_096),  # sizes evenly spread
    "B": Kind([300], 0, None, 0, 0),
}


def ranked(rng, items, count, flatness):
    """Items drawn with a frequency of 1 / (rank + flatness), as words and instructions are."""
    limits = list(itertools.accumulate(1 / (rank + flatness) for rank in range(len(items))))
    return rng.choices(items, cum_weights=limits, k=count)


def fill(rng, items, flatness):
    parts, size = [], 0
    while size < POOL:
        part = b"".join(ranked(rng, items, 50_000, flatness))
        parts.append(part)
        size += len(part)
    return b"".join(parts)[:POOL]


def code_pool(rng):
    """Runs of instructions with small operands, common ones often: about 3.5 : 1 by gzip."""
    opcodes = b"\x20\x21\x22\x28\x36\x41\x6a\x6b\x71\x10\x0b\x0d\x45\x46\x02\x03\x40"
    runs = []
    drawn = iter(ranked(rng, opcodes, 5_000 * 24, 3))
    for _ in range(5_000):
        run = bytearray()
        for opcode in itertools.islice(drawn, rng.randint(3, 24)):
            run += bytes((opcode, min(127, int(rng.expovariate(0.1)))))
        runs.append(bytes(run))
    return fill(rng, runs, 5)


def text_pool(rng, frames):
    """Lines of made-up words in the frames of one language: about 3 : 1 by gzip."""
    syllables = "an be co da en fi go ha in ju ka lo mi ne or pa qui re so te un ver wi xi ya zu".split()
    words = ["".join(rng.choices(syllables, k=rng.randint(1, 4))) for _ in range(12_000)]
    drawn = iter(ranked(rng, words, 40_000 * 6, 4))
    lines = []
    for _ in range(40_000):
        picked = itertools.islice(drawn, 6)
        lines.append((rng.choice(frames) % (*picked, rng.randrange(10_000))).encode())
    return fill(rng, lines, 20_000)


FRAMES = {
    "html": ['<div class="%s %s"><p id="%s">%s %s %s</p> %d</div>\n', '<a href="/%s/%s">%s</a> %s, %s %s. %d\n'],
    "js": ["function %s(%s,%s){return %s.%s(%s,%d)}\n", 'const %s={%s:"%s",%s:[%s,%s,%d]};\n'],
    "css": [".%s-%s:hover,#%s>%s{%s:%s;margin:%dpx}\n", ".%s .%s{%s:%s(%s,%s);top:%dem}\n"],
    "json": ['{"%s":"%s","%s":["%s","%s","%s"],"id":%d},\n'],
}
NOISE = ("png", "woff2")
PARTS = "abcde"


class Pools:
    """What files are cut from; the same for all kinds of app."""

    def __init__(self, seed=1, wasm_folder=None):
        rng = random.Random(seed)
        self.seed = seed
        self.code = real_modules(wasm_folder) if wasm_folder else code_pool(rng)
        self.text = {name: text_pool(rng, frames) for name, frames in FRAMES.items()}
        self.noise = rng.randbytes(4 * MIB)


class Maker:
    def __init__(self, pools, kind):
        self.rng = random.Random(f"{pools.seed} {kind}")
        self.pools = pools

    def cut(self, pool, size):
        start = self.rng.randrange(max(1, len(pool) - size))
        return pool[start:start + size]

    def module(self, size):
        """A module of one custom section: tiles of code, each with some bytes of its own."""
        data, left = [], size - 32
        while left > 0:
            tile = bytearray(self.cut(self.pools.code, min(left, self.rng.randint(64 << 10, MIB))))
            for _ in range(len(tile) >> 12):
                tile[self.rng.randrange(len(tile))] = self.rng.randrange(256)
            data.append(tile)
            left -= len(tile)
        body = b"\x05bench" + b"".join(data)
        return b"\0asm\1\0\0\0\0" + leb128(len(body)) + body

    def static(self, size):
        if self.rng.random() < 0.25:
            return self.rng.choice(NOISE), self.cut(self.pools.noise, size)
        kind = self.rng.choice(tuple(FRAMES))
        return kind, self.cut(self.pools.text[kind], size)

    def sizes(self, kind):
        if kind.mean is None:
            return [self.rng.randint(kind.low, kind.high) for _ in range(kind.files)]
        spread = 1.2  # of the log-normal: few large files, many small ones
        middle = math.log(kind.mean) - spread * spread / 2
        drawn = [self.rng.lognormvariate(middle, spread) for _ in range(kind.files)]
        scale = kind.mean * kind.files / sum(drawn)
        return [max(kind.low, min(kind.high, int(size * scale))) for size in drawn]


def leb128(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes((value,))


def real_modules(folder):
    found = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".wasm"):
                with open(os.path.join(place, name), "rb") as file:
                    found.append(file.read())
    found = [data for data in dict.fromkeys(found) if len(data) > 100_000]
    if not found:
        raise SystemExit(f"no modules below {folder}")
    return b"".join(found)


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    os.utime(path, (MTIME, MTIME))


def manifest(kind):
    text = 'spin_manifest_version = 2\n\n[application]\nname = "bench"\nversion = "1.0.0"\n'
    for part in PARTS[:len(kind.wasm)]:
        text += f'\n[[trigger.http]]\nroute = "/{part}/..."\ncomponent = "part-{part}"\n'
        text += f'\n[component.part-{part}]\nsource = "part-{part}/main.wasm"\n'
        if kind.files:
            text += f'files = [{{ source = "part-{part}/site", destination = "/" }}]\n'
    return text


def make(name, folder, pools):
    kind, maker = KINDS[name], Maker(pools, name)
    for part, size in zip(PARTS, kind.wasm):
        write(os.path.join(folder, f"part-{part}", "main.wasm"), maker.module(size * MIB))
    for number, size in enumerate(maker.sizes(kind)):
        part, group = PARTS[number % len(kind.wasm)], number // 60
        suffix, data = maker.static(size)
        path = f"part-{part}/site/{group % 23:02}/{group // 23:03}/file-{number}.{suffix}"
        write(os.path.join(folder, path), data)
    write(os.path.join(folder, "spin.toml"), manifest(kind).encode())
    for place, _, _ in os.walk(folder, topdown=False):
        os.utime(place, (MTIME, MTIME))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wasm")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("folder")
    args = parser.parse_args()
    make(args.kind, args.folder, Pools(args.seed, args.wasm))


if __name__ == "__main__":
    main()
