# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the end-to-end tests of the tools share: a scratch folder, an isolated environment, runs of
# the tool with their output kept, and TAP on stdout.
#
#   source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
#   cli_init "$@"                $1 is the tool; $work is the scratch folder and cwd, $root the source
#   runs NAME COMMAND...         the command must succeed
#   fails STATUS NAME COMMAND... it must end with STATUS and say something on stderr
#   under BENCH_RUN KIB NAME COMMAND...    it must succeed, and take less memory, by tests/bench/run.c
#   same NAME WANT GOT           two texts must be equal
#   holds NAME COMMAND...        a check of the test itself, not of the tool
#   skips NAME REASON            a test that cannot run here
#   cli_finish                   the plan, and the exit status
# After runs and fails, $out and $err hold what was printed.

cli_init() {
    # shellcheck disable=SC2034  # for the tests
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
    # Functions of registry.sh own the EXIT trap where that is used.
    if [ -z "${REGISTRY_ROOT:-}" ]; then
        work=$(mktemp -d)
        trap 'cli_cleanup' EXIT
    else
        work=$REGISTRY_ROOT/cli
        mkdir "$work"
    fi
    mkdir "$work/home" "$work/bin"
    # Under its own name: messages and usage are the same whatever the build folder is.
    ln -s "$(realpath -e "${1:?the tool is missing}")" "$work/bin/oci-wasm" || exit 1
    cd "$work" || exit 1
    PATH=$work/bin:$PATH
    export HOME=$work/home
    unset XDG_CACHE_HOME XDG_DATA_HOME XDG_CONFIG_HOME XDG_STATE_HOME XDG_RUNTIME_DIR DOCKER_CONFIG \
        REGISTRY_AUTH_FILE SOURCE_DATE_EPOCH SPIN_OCI_ARCHIVE_LAYERS http_proxy https_proxy \
        HTTPS_PROXY all_proxy ALL_PROXY
    cli_count=0 cli_failed=0 out='' err=''
    echo "TAP version 13"
}

cli_cleanup() {
    chmod -R u+rwX "$work" 2>/dev/null
    rm -rf "$work"
}

cli_result() {
    local verdict=$1 name=$2
    cli_count=$((cli_count + 1))
    if [ "$verdict" = ok ]; then
        echo "ok $cli_count - $name"
        return 0
    fi
    cli_failed=$((cli_failed + 1))
    echo "not ok $cli_count - $name"
    shift 2
    printf '%s\n' "$@" | sed 's/^/#   /'
    return 0
}

cli_run() {
    local status=0
    "$@" >"$work/.out" 2>"$work/.err" </dev/null || status=$?
    out=$(cat "$work/.out")
    err=$(cat "$work/.err")
    return "$status"
}

runs() {
    local name=$1 status=0
    shift
    cli_run "$@" || status=$?
    if [ "$status" -eq 0 ]; then
        cli_result ok "$name"
    else
        cli_result bad "$name" "$*" "exit status $status" "$err"
    fi
}

fails() {
    local want=$1 name=$2 status=0
    shift 2
    cli_run "$@" || status=$?
    if [ "$status" -ne "$want" ]; then
        cli_result bad "$name" "$*" "exit status $status, expected $want" "$err"
    elif [ -z "$err" ]; then
        cli_result bad "$name" "$*" "failed without a message"
    else
        cli_result ok "$name"
    fi
}

under() {
    local measure=$1 most=$2 name=$3 peak
    shift 3
    runs "$name" "$measure" "$work/.usage" "$@"
    peak=$(cut -d ' ' -f 4 "$work/.usage")
    echo "# $name: $peak KiB"
    holds "$name in under $most KiB" test "$peak" -lt "$most"
}

same() {
    if [ "$2" = "$3" ]; then
        cli_result ok "$1"
    else
        cli_result bad "$1" "expected: $2" "got:      $3"
    fi
}

holds() {
    local name=$1
    shift
    if "$@" >/dev/null 2>&1; then
        cli_result ok "$name"
    else
        cli_result bad "$name" "$*" "out: $out" "err: $err"
    fi
}

skips() {
    cli_count=$((cli_count + 1))
    echo "ok $cli_count - $1 # SKIP $2"
}

cli_finish() {
    echo "1..$cli_count"
    [ "$cli_failed" -eq 0 ]
    exit
}

# Neither output holds the text.
lacks() {
    ! grep -qF -- "$1" <<<"$out$err"
}

# Digest of a tree: names, kinds, modes, link targets and content.
tree_digest() {
    (cd "$1" && find . -printf '%y %m %p %l\n' | LC_ALL=C sort &&
        find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum) | sha256sum
}
