#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the Go programs that interop tests run against, at pinned versions, into a cache
# folder, and prints that folder. A peer that is already there is not built again. Nothing
# of the product needs them: a test that misses one is skipped, and CI lists it.
#
# usage: tests/support/peers.sh [--dir DIR] [NAME...]      (no NAME: all of them)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=${OCIW_PEERS:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/oci-wasm-peers}
if [ "${1:-}" = --dir ]; then
	dir=${2:?--dir needs a folder}
	shift 2
fi
if [ $# -eq 0 ]; then
	set -- referrers-registry crane regctl oras registry cosign containerd
fi

# Go older than this cannot build the pinned versions.
need_major=1 need_minor=25

say() { printf 'peers: %s\n' "$*" >&2; }

go_is_new_enough() {
	local version major minor
	command -v go >/dev/null || return 1
	version=$(GOTOOLCHAIN=local go env GOVERSION) || return 1
	version=${version#go}
	major=${version%%.*}
	minor=${version#*.}
	minor=${minor%%[!0-9]*}
	[ "$major" -gt "$need_major" ] || { [ "$major" -eq "$need_major" ] && [ "$minor" -ge "$need_minor" ]; }
}

# install PACKAGE@VERSION [BUILD OPTION...]: into $staging, so that a broken build leaves nothing.
install() {
	local package=$1
	shift
	GOBIN=$staging CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-buildvcs=false \
		go install -trimpath -ldflags='-s -w' "$@" "$package"
}

build_crane() { install github.com/google/go-containerregistry/cmd/crane@v0.22.1; }
build_regctl() { install github.com/regclient/regclient/cmd/regctl@v0.11.7; }
build_cosign() { install github.com/sigstore/cosign/v2/cmd/cosign@v2.6.5; }
build_registry() { install github.com/distribution/distribution/v3/cmd/registry@v3.1.2; }

build_containerd() {
	local tool
	for tool in containerd ctr containerd-shim-runc-v2; do
		install "github.com/containerd/containerd/v2/cmd/$tool@v2.4.2" -tags=no_btrfs,no_devmapper,no_zfs
	done
}

# oras refuses `go install` (its go.mod has a replace line): build it as a dependency of nothing.
build_oras() {
	local module=$scratch/oras
	mkdir "$module"
	(
		cd "$module"
		export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-mod=mod
		go mod init throwaway 2>/dev/null
		go get oras.land/oras@v1.2.3 2>/dev/null
		go build -trimpath -ldflags='-s -w' -o "$staging/oras" oras.land/oras/cmd/oras
	)
}

build_referrers-registry() {
	(
		cd "$here/referrers-registry"
		CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-buildvcs=false \
			go build -trimpath -ldflags='-s -w' -o "$staging/referrers-registry" .
	)
}

go_is_new_enough || {
	say "no Go $need_major.$need_minor or newer here: nothing built"
	exit 77
}
mkdir -p "$dir/bin"
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
exec 9>"$dir/.lock"
flock 9

failed=0
for name in "$@"; do
	declare -F "build_$name" >/dev/null || {
		say "no peer named $name"
		exit 2
	}
	[ ! -x "$dir/bin/$name" ] || continue
	say "building $name"
	staging=$scratch/bin-$name
	mkdir "$staging"
	# Not under `if`: that would switch errexit off inside the builder.
	set +e
	(
		set -e
		"build_$name"
	)
	status=$?
	set -e
	if [ "$status" -ne 0 ] || [ ! -x "$staging/$name" ]; then
		say "$name could not be built"
		failed=1
		continue
	fi
	# The file the check above looks at comes last, so an interrupted move is built again.
	for file in "$staging"/*; do
		[ "${file##*/}" = "$name" ] || mv "$file" "$dir/bin/"
	done
	mv "$staging/$name" "$dir/bin/"
done
printf '%s\n' "$dir/bin"
exit "$failed"
