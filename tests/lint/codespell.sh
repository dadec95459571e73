#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Looks for common misspellings in everything people read. Unit tests misspell on purpose.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
command -v codespell >/dev/null || { echo "no codespell here" && exit 77; }
exec codespell --quiet-level=2 --skip='*.wasm,*.tar,*.json,*.sum,*/golden/*,*/corpus/*,SHA256SUMS,codespell.sh' \
    --ignore-words-list=crate,fo,wit \
    README.md CHANGELOG.md docs liboci-wasm tools fuzz testdata/README.md .ci \
    tests/cli tests/interop tests/lint tests/support
