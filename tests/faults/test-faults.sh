#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs one of the fault campaigns, with a registry for the flows that need one.
#
# usage: test-faults.sh CAMPAIGN OCI_WASM OCI_WASM_EXTRACT [ARGUMENT]...
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
campaign=$1 tool=$2 extractor=$3
shift 3
# shellcheck source=../support/registry.sh
source "$here/../support/registry.sh"
registry_require docker-registry curl python3
registry_init
registry_start plain || exit 1
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY
export PYTHONDONTWRITEBYTECODE=1
# What a campaign that is killed leaves goes with the registry, and its mounts go with their namespace.
export TMPDIR=$REGISTRY_ROOT
with=()
if [ "$campaign" = full ] && unshare --mount true 2>/dev/null; then
    with=(unshare --mount)
fi
"${with[@]}" python3 "$here/$campaign.py" "$tool" "$extractor" "$REGISTRY_ADDRESS" "$@"
