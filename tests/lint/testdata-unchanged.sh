#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Recorded cases are evidence: every file below testdata's listed folders must be the one in
# SHA256SUMS, none may be missing, none may be extra, and the generated site must not drift.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../../testdata"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0

LC_ALL=C sha256sum --check --quiet --strict SHA256SUMS || status=1

# Python leaves its cache beside the checkers; it is no part of the data.
find golden corpus apps bare compose -name __pycache__ -prune -o -type f -print | LC_ALL=C sort >"$scratch/there"
cut -c 67- SHA256SUMS | LC_ALL=C sort >"$scratch/listed"
diff --label listed --label there "$scratch/listed" "$scratch/there" || status=1

if [ ! -x golden/spin/file-mode/app/run.sh ]; then
	echo "golden/spin/file-mode/app/run.sh lost its executable bit"
	status=1
fi

apps/static-site/generate.sh "$scratch/site"
want=4581c94301d5e927f1b2032ecca58ba6826628d04eb014704e956dcf5866af8f
got=$(cd "$scratch/site" && find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum)
if [ "${got%% *}" != "$want" ]; then
	echo "apps/static-site/generate.sh writes other bytes than it did: ${got%% *}"
	status=1
fi
exit "$status"
