#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds again what testdata/ holds in binary form, from the sources beside it. Needs Debian 12's
# clang, lld, wasi-libc and libclang-rt-14-dev-wasm32; components also need node and npm.
# Other compiler versions give other bytes: look at `git diff --stat` before committing.
#
# usage: testdata/regenerate.sh [modules|components|sums]...       (no word: all of them)
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
jco_version=1.35.0

build_modules() {
	local name
	for name in api site count; do
		clang --target=wasm32-wasi -Os -flto -Wall -Wextra -Wl,--strip-all -Wl,--lto-O2 \
			-o "apps/notes/$name.wasm" "apps/notes/src/$name.c"
		chmod 644 "apps/notes/$name.wasm"
	done
	cp apps/notes/site.wasm apps/static-site/site.wasm
	cp apps/notes/count.wasm apps/slight/app.wasm
	cp apps/notes/api.wasm apps/wws/api.wasm
	cp apps/notes/count.wasm bare/module.wasm
}

build_components() {
	local scratch modules name
	scratch=$(mktemp -d)
	# shellcheck disable=SC2064  # the folder of this very call
	trap "rm -rf '$scratch'" RETURN
	npm install --silent --no-fund --no-audit --prefix "$scratch" "@bytecodealliance/jco@$jco_version"
	modules=$scratch/node_modules
	node component.mjs "$modules" command apps/notes/api.wasm apps/parts/cgi.wasm
	node component.mjs "$modules" command apps/notes/count.wasm apps/parts/count.wasm
	clang --target=wasm32 -Os -nostdlib -Wall -Wextra -Wl,--no-entry -Wl,--strip-all \
		-Wl,-z,stack-size=4096 -o "$scratch/greeter.wasm" apps/parts/src/greeter.c
	node component.mjs "$modules" world "$scratch/greeter.wasm" apps/parts/greeter.wasm \
		apps/parts/src/greeter.wit
	cp apps/parts/greeter.wasm bare/component.wasm
	for name in main dep other deny; do
		"$modules/.bin/jco" parse "compose/$name.wat" -o "compose/$name.wasm"
	done
}

# The recorded cases must never change: a difference is a finding about our code.
build_sums() {
	find golden corpus apps bare compose -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum >SHA256SUMS
}

[ $# -gt 0 ] || set -- modules components sums
for part in "$@"; do
	case $part in
	modules | components | sums) "build_$part" ;;
	*)
		echo "usage: regenerate.sh [modules|components|sums]..." >&2
		exit 2
		;;
	esac
done
