#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# usage: roundtrip.py OCI_WASM examples FOLDER | random COUNT [FIRST]
# What is packed, extracted and packed again has the same digest: for every example manifest of a folder, and
# for apps made by chance, the same ones every time (FIRST is the number of the first, for a closer look).
import os, random, re, subprocess, sys, tempfile

COMPONENT = bytes.fromhex('0061736d0d000100')
MODULE = bytes.fromhex('0061736d01000000')
DIGEST = 'sha256:24eaf3439a60c96764c4f2c92a0a81b52bd4fe5d5b91f090184a0f6486b1bf29'


class Problem(Exception):
    pass


class Tool:
    def __init__(self, path, scratch):
        self.path = path
        self.env = {'PATH': os.environ['PATH'], 'HOME': scratch, 'LC_ALL': 'C.UTF-8'}

    def run(self, *args):
        r = subprocess.run([self.path, *args], capture_output=True, env=self.env, timeout=60)
        if r.returncode:
            raise Problem(f'{" ".join(args)}: {r.stderr.decode(errors="replace").strip()}')
        return r.stdout.decode().split()

    def pack(self, manifest, image, *options):
        return self.run('pack', '--quiet-traps', '--no-compose', '-f', manifest, '-o', f'oci:{image}:v1', *options)


def write(path, data, executable=False):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as f:
        f.write(data)
    os.chmod(path, 0o755 if executable else 0o644)


def round_trip(tool, app, scratch, *options, by_rootfs=False):
    first = tool.pack(f'{app}/spin.toml', f'{scratch}/image', *options)
    if by_rootfs:
        tool.pack(f'{app}/spin.toml', f'{scratch}/image', '--format', 'rootfs')
    tool.run('extract', f'oci:{scratch}/image:v1', f'{scratch}/tree')
    second = tool.pack(f'{scratch}/tree/spin.toml', f'{scratch}/again', *options)
    if first != second:
        raise Problem(f'{" ".join(options)}: {first} became {second}')


# --- examples ---

def prepare(text, app, cache):
    """Makes what a manifest names; wasm of a URL is there as if it had been fetched."""
    for path in re.findall(r'(?:source|path) = "([^"]+\.wasm)"', text):
        write(f'{app}/{path}', COMPONENT)
    for folder in re.findall(r'source = "([^"]+)", destination', text):
        write(f'{app}/{folder}/index.html', b'<p>hello</p>\n')
    write(f'{cache}/oci-wasm/wasm/{DIGEST[7:]}.wasm', COMPONENT)
    write(f'{app}/spin.toml', re.sub(r'sha256:[0-9a-f]{64}', DIGEST, text).encode())


def example(tool, manifest, scratch):
    with open(manifest) as f:
        text = f.read()
    prepare(text, f'{scratch}/app', f'{scratch}/.cache')
    # What only Spin can compose is in no manifest that can be written again.
    if 'dependencies.middleware' in text:
        tool.pack(f'{scratch}/app', f'{scratch}/image')
        return
    for i, layers in enumerate(('files', 'bundles')):
        round_trip(tool, f'{scratch}/app', f'{scratch}/{i}', '--layers', layers)


# --- chance ---

WHITEOUT = '.wh.gone'
NAMES = ['a', 'B', 'index.html', '.hidden', 'with space', 'naïve', '日本', 'a-b_c.d', "it's", 'x' * 200, '#', '{', '$HOME',
         WHITEOUT, '..almost', '-dash', 'back\\slash', 'quote"']
SIZES = [0, 1, 127, 128, 129, 1000, 70000]


def quoted(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def random_files(r, app, folder, executable):
    names = [name for name in NAMES if name != WHITEOUT] if executable else NAMES
    taken = set()
    for _ in range(r.randrange(12)):
        parts = [r.choice(names) for _ in range(r.randrange(1, 4))]
        path = '/'.join(parts)
        if any(other == path or other.startswith(path + '/') or path.startswith(other + '/') for other in taken):
            continue
        taken.add(path)
        write(f'{app}/{folder}/{path}', r.randbytes(r.choice(SIZES)), executable and r.random() < 0.2)
    os.makedirs(f'{app}/{folder}', exist_ok=True)


def random_component(r, app, name, executable):
    lines = [f'[component.{name}]', f'source = "{name}.wasm"']
    write(f'{app}/{name}.wasm', r.choice([COMPONENT, MODULE]) + custom_section(r))
    if r.random() < 0.8:
        random_files(r, app, f'{name}-files', executable)
        lines.append(f'files = [{{ source = "{name}-files", destination = {quoted(r.choice(["/", "/data", "a/b"]))} }}]')
    if r.random() < 0.5:
        lines.append('environment = { A = ' + quoted(r.choice(NAMES)) + ', B = "2" }')
    if r.random() < 0.5:
        lines.append('variables = { v = "{{ app_var }}!" }')
    if r.random() < 0.5:
        lines.append('allowed_outbound_hosts = ["https://example.org", "redis://*:*"]')
    if r.random() < 0.3:
        lines.append('key_value_stores = ["default"]\nsqlite_databases = ["rows"]\nai_models = ["llama2-chat"]')
    if r.random() < 0.3:
        lines.append('description = ' + quoted(r.choice(NAMES)))
    if r.random() < 0.3:
        lines.append(f'[component.{name}.build]\ncommand = ["make", {quoted(r.choice(NAMES))}]\nworkdir = "w"')
    return lines


def custom_section(r):
    name, body = b'pad', r.randbytes(r.choice([0, 50, 200, 3000]))
    content = bytes([len(name)]) + name + body
    size, out = len(content), bytearray()
    while True:
        out.append(size & 127 | (128 if size > 127 else 0))
        size >>= 7
        if not size:
            return b'\0' + bytes(out) + content


def random_app(seed, app, executable):
    r = random.Random(seed)
    names = [f'c{i}' for i in range(r.randrange(1, 5))]
    lines = ['spin_manifest_version = 2', '[application]', f'name = {quoted(r.choice(NAMES))}']
    if r.random() < 0.5:
        lines.append('version = "1.2.3"\nauthors = ["Ana", "Bo"]\ndescription = "x"')
    if r.random() < 0.3:
        lines.append('[application.trigger.http]\nbase = "/base"')
    lines.append('[variables]\napp_var = { default = "d" }\nother = { required = true, secret = true }')
    for name in names:
        for i in range(r.randrange(1, 3)):
            if r.random() < 0.7:
                lines.append(f'[[trigger.http]]\nroute = "/{name}/{i}/..."\ncomponent = "{name}"')
            else:
                lines.append(f'[[trigger.redis]]\nchannel = "{name}{i}"\ncomponent = "{name}"\n'
                             'opaque = { b = [1, 2.5, true], a = "x" }')
    for name in names:
        lines += random_component(r, app, name, executable)
    write(f'{app}/spin.toml', '\n'.join(lines).encode() + b'\n')


def chance(tool, seed, scratch):
    app = f'{scratch}/app'
    # Spin images have no modes to extract, rootfs images none of whiteouts: each has its half of the apps.
    executable = seed % 2 == 0
    random_app(seed, app, executable)
    round_trip(tool, app, f'{scratch}/files', '--layers', 'files')
    for layers in ('bundles', 'archives'):
        round_trip(tool, app, f'{scratch}/{layers}', '--layers', layers, by_rootfs=executable)
    # The node image has all that the spin image has, and tells of it by its subject.
    both = tool.pack(f'{app}/spin.toml', f'{scratch}/both', '--format', 'spin,spin-node')
    tool.run('convert', f'oci:{scratch}/both:v1-node', f'oci:{scratch}/back:v1', '--format', 'spin', '--layers', 'bundles')
    again = tool.run('resolve', f'oci:{scratch}/back:v1')
    if again[0] != both[0]:
        raise Problem(f'{both[0]} became {again[0]} by way of a node image')


def cases(kind, args):
    if kind == 'examples':
        names = sorted(n for n in os.listdir(args[0]) if n.endswith('.toml'))
        return [(name, example, os.path.join(args[0], name)) for name in names]
    first = int(args[1]) if len(args) > 1 else 1
    return [(f'app {i}', chance, i) for i in range(first, first + int(args[0]))]


def main():
    path, failed = os.path.abspath(sys.argv[1]), 0
    todo = cases(sys.argv[2], sys.argv[3:])
    # Layouts are synced to disk when they are written: much faster where there is none.
    memory = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
    for name, test, what in todo:
        with tempfile.TemporaryDirectory(prefix='ociw-round-', dir=memory) as scratch:
            for part in ('0', '1', 'files', 'bundles', 'archives'):
                os.mkdir(os.path.join(scratch, part))
            try:
                test(Tool(path, scratch), what, scratch)
            except Problem as problem:
                failed += 1
                print(f'FAIL {name}: {problem}'.replace(scratch, '.'))
    print(f'{len(todo) - failed} passed, {failed} failed')
    return 1 if failed or not todo else 0


if __name__ == '__main__':
    sys.exit(main())
