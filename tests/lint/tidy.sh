#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs clang-tidy over the library and the tools, two files at a time, with the compile commands
# of a build directory. With names, only files whose path matches one of them.
#
# usage: tests/lint/tidy.sh BUILD_DIR [REGEX...]
set -euo pipefail

build=$(cd "$1" && pwd)
shift
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
command -v clang-tidy >/dev/null || { echo "no clang-tidy here" && exit 77; }

mapfile -t files < <(
    python3 - "$build/compile_commands.json" "${@:-.}" <<'END'
import json, os, re, sys
root = os.getcwd() + os.sep
wanted = sys.argv[2:]
seen = set()
for entry in json.load(open(sys.argv[1])):
    path = os.path.normpath(os.path.join(entry['directory'], entry['file']))
    name = path[len(root):] if path.startswith(root) else ''
    if re.match(r'(liboci-wasm|tools)/.*\.c$', name) and any(re.search(w, name) for w in wanted):
        seen.add(name)
print('\n'.join(sorted(seen)))
END
)
[ -n "${files[0]:-}" ] || { echo "no file to look at" && exit 1; }
# gcc's command lines hold warnings that clang does not know.
printf '%s\0' "${files[@]}" | xargs -0 -n 4 -P "$(nproc)" clang-tidy --quiet -p "$build" \
    --extra-arg=-Wno-unknown-warning-option
