#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Starts the servers of one measurement for bench.py, which says on stdin what it wants, a line each, and
# gets a line back; all end when stdin does.
#
#   registry           an empty docker-registry, instead of the last one: ADDRESS
#   containerd [BIN]   Debian's, or the programs in BIN: ADDRESS PID VERSION
set -euo pipefail
support=$(dirname "${BASH_SOURCE[0]}")/../support
# shellcheck source=../support/registry.sh
source "$support/registry.sh"
# shellcheck source=../support/containerd.sh
source "$support/containerd.sh"
registry_init
trap 'containerd_stop; registry_cleanup' EXIT

while read -r what where; do
    case $what in
    registry)
        if [ -n "${REGISTRY_NAME:-}" ]; then
            registry_stop "$REGISTRY_NAME"
            rm -rf "$REGISTRY_STORAGE"
        fi
        registry_start plain
        echo "$REGISTRY_ADDRESS"
        ;;
    containerd)
        containerd_start ${where:+"$where"}
        echo "$CONTAINERD_ADDRESS $CONTAINERD_PID $CONTAINERD_VERSION"
        ;;
    esac
done
