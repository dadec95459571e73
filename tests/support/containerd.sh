# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A bash library that starts a private containerd for tests, away from any that the machine runs:
# own socket, root and state below a temporary folder, native snapshotter. Needs root.
#
#   containerd_require             the script is skipped where containerd cannot run
#   containerd_start [BIN_DIR]     Debian's, or the programs in BIN_DIR; sets CONTAINERD_VERSION,
#                                  CONTAINERD_ADDRESS
#   containerd_ctr ARGUMENT...     that version's ctr, talking to it
#   containerd_stop                ends it; callers do that from their EXIT trap

# shellcheck source=skip.sh
source "$(dirname "${BASH_SOURCE[0]}")/skip.sh"

containerd_require() {
    local tool
    for tool in containerd ctr runc; do
        command -v "$tool" >/dev/null || skip_all "no $tool here"
    done
    [ "$(id -u)" -eq 0 ] || skip_all "containerd needs root"
}

containerd_start() {
    # A socket's path has at most 107 bytes: not in a deep TMPDIR.
    CONTAINERD_ROOT=$(mktemp -d "${CONTAINERD_TMP:-/tmp}/ociw-ctd.XXXXXX")
    CONTAINERD_ADDRESS=$CONTAINERD_ROOT/sock
    CONTAINERD_PATH=${1:+$1:}$PATH
    cat >"$CONTAINERD_ROOT/config.toml" <<-END
	version = 2
	root = "$CONTAINERD_ROOT/root"
	state = "$CONTAINERD_ROOT/state"
	disabled_plugins = [
	    "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
	    "io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri",
	    "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.blockfile",
	    "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
	    "io.containerd.snapshotter.v1.erofs", "io.containerd.snapshotter.v1.zfs",
	]
	[grpc]
	address = "$CONTAINERD_ADDRESS"
	[[plugins."io.containerd.transfer.v1.local".unpack_config]]
	platform = "linux/amd64"
	snapshotter = "native"
	END
    PATH=$CONTAINERD_PATH containerd --config "$CONTAINERD_ROOT/config.toml" \
        >"$CONTAINERD_ROOT/log" 2>&1 </dev/null &
    CONTAINERD_PID=$!
    local left=200
    until containerd_ctr version >/dev/null 2>&1; do
        left=$((left - 1))
        if [ "$left" -eq 0 ] || ! kill -0 "$CONTAINERD_PID" 2>/dev/null; then
            tail -n 20 "$CONTAINERD_ROOT/log" >&2
            return 1
        fi
        sleep 0.05
    done
    # shellcheck disable=SC2034  # for the tests
    CONTAINERD_VERSION=$(containerd_ctr version | sed -nE '/^Server/,$s/^ +Version: +v?//p')
}

containerd_ctr() {
    PATH=$CONTAINERD_PATH ctr --address "$CONTAINERD_ADDRESS" "$@"
}

containerd_stop() {
    [ -n "${CONTAINERD_ROOT:-}" ] || return 0
    kill "$CONTAINERD_PID" 2>/dev/null || true
    wait "$CONTAINERD_PID" 2>/dev/null || true
    # A run that was interrupted leaves mounts behind.
    local point
    while read -r _ point _; do
        case $point in
        "$CONTAINERD_ROOT"/*) umount -l "$point" 2>/dev/null || true ;;
        esac
    done </proc/mounts
    rm -rf "${CONTAINERD_ROOT:?}"
    CONTAINERD_ROOT=
}
