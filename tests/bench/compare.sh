#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Pushes and pulls an app by oci-wasm and by what is installed of skopeo, crane and oras, all in the same
# rounds and against one registry of the run: medians, in-round ratios to ours, peak memory.
#
# usage: compare.sh OCI_WASM APP [ROUNDS]     APP has a spin.toml; TMPDIR should be on a tmpfs
#
# "pack+push" starts from spin.toml with an empty pack cache; the others start from a ready layout, so
# they do less. Each first push goes to an emptied registry. The first round is thrown away.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tool=$(realpath -e "${1:?which oci-wasm}") app=$(realpath -e "${2:?which app}") rounds=${3:-3}
PATH=${OCIW_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/oci-wasm-peers}/bin:$PATH
# shellcheck source=../support/registry.sh
source "$here/../support/registry.sh"
registry_require docker-registry curl tar gzip python3
[ -x /usr/bin/time ] || {
    echo "no /usr/bin/time here" >&2
    exit 77
}
registry_init
work=$REGISTRY_ROOT/compare
mkdir "$work"
cd "$work"
export HOME=$work

# The ready image: the whole app as one tar+gzip layer.
python3 "$here/one_layer.py" "$app" ready
"$tool" store verify ready >/dev/null

has() { command -v "$1" >/dev/null; }

# measure CASE COMMAND...
measure() {
    local name=$1
    shift
    /usr/bin/time -a -o times -f "$round	$name	%e	%U	%S	%M" "$@" >log 2>&1 || {
        echo "$name failed:" >&2
        cat log >&2
        exit 1
    }
}

fresh_registry() {
    [ -z "${REGISTRY_NAME:-}" ] || {
        registry_stop "$REGISTRY_NAME"
        rm -rf "$REGISTRY_STORAGE"
    }
    registry_start plain
    at=$REGISTRY_ADDRESS
}

push_skopeo() { measure "$1" skopeo copy -q --dest-tls-verify=false oci:ready:v1 "docker://$at/ready:v1"; }

for ((round = 0; round <= rounds; round++)); do
    rm -rf cache
    fresh_registry
    measure "pack+push, ours" "$tool" push -q -f "$app" --cache-dir cache "$at/app:v1"
    measure "pack+push again, ours" "$tool" push -q -f "$app" --cache-dir cache "$at/app:v1"
    fresh_registry
    measure "push, ours" "$tool" push -q oci:ready:v1 "$at/ready:v1"
    measure "push again, ours" "$tool" push -q oci:ready:v1 "$at/ready:v1"
    rm -rf pulled
    measure "pull, ours" "$tool" pull -q "$at/ready:v1" oci:pulled:v1
    if has skopeo; then
        fresh_registry
        push_skopeo "push, skopeo"
        push_skopeo "push again, skopeo"
        rm -rf pulled
        measure "pull, skopeo" skopeo copy -q --src-tls-verify=false "docker://$at/ready:v1" oci:pulled:v1
    fi
    if has crane; then
        fresh_registry
        measure "push, crane" crane push --insecure ready "$at/ready:v1"
        rm -rf pulled
        measure "pull, crane" crane pull --insecure --format oci "$at/ready:v1" pulled
    fi
    if has oras; then
        fresh_registry
        measure "push, oras" oras copy --from-oci-layout --to-plain-http ready:v1 "$at/ready:v1"
        rm -rf pulled
        measure "pull, oras" oras copy --from-plain-http --to-oci-layout "$at/ready:v1" pulled:v1
    fi
done
python3 "$here/ratios.py" times
