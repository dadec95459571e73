#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# `ninja lint`: every linter, slow ones too; all of them run even when one finds something.
#
# usage: tests/lint/lint.sh BUILD_DIR
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
status=0
for name in shellcheck codespell cppcheck tidy; do
    echo "== $name"
    "$here/$name.sh" "$1" || status=1
done
exit "$status"
