#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The top level of the repository holds what is named here and nothing else: a file that a test or a
# build left there would travel with `git add`.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
git rev-parse --is-inside-work-tree >/dev/null 2>&1 || exit 77

known=(.ci .clang-format .clang-tidy .editorconfig .gitattributes .gitignore .shellcheckrc
    CHANGELOG.md LICENSE README.md docs fuzz liboci-wasm meson.build meson_options.txt testdata tests tools)
tracked=$(git ls-files | sed 's|^"||; s|/.*||' | sort -u)
stray=$(grep -vxF -f <(printf '%s\n' "${known[@]}") <<<"$tracked" || true)
[ -z "$stray" ] || {
    printf 'not for the top level of the repository: %s\n' "$stray"
    exit 1
}
