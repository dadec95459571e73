#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# registry.sh itself: every kind of registry starts, wants what it should want, and is gone after.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=SCRIPTDIR/registry.sh
source "$here/registry.sh"
registry_init

# The HTTP status of the version check; the last line that curl prints.
status_of() {
    curl --silent --noproxy '*' --max-time 10 --output /dev/null --write-out '%{http_code}' "$@" || true
}

expect() {
    [ "$2" = "$3" ] || {
        echo "$1: $3, expected $2"
        registry_log "$REGISTRY_NAME"
        exit 1
    }
}

registry_start plain
expect "plain" 200 "$(status_of "http://$REGISTRY_ADDRESS/v2/")"
first=$REGISTRY_NAME first_address=$REGISTRY_ADDRESS storage=$REGISTRY_STORAGE

for kind in tls-auth nginx; do
    registry_start "$kind"
    url=https://$REGISTRY_ADDRESS/v2/
    expect "$kind without the authority" 000 "$(status_of "$url")"
    expect "$kind without a password" 401 "$(status_of --cacert "$REGISTRY_CA" "$url")"
    expect "$kind with a wrong password" 401 \
        "$(status_of --cacert "$REGISTRY_CA" --user "$REGISTRY_USER:x" "$url")"
    expect "$kind" 200 \
        "$(status_of --cacert "$REGISTRY_CA" --user "$REGISTRY_USER:$REGISTRY_PASSWORD" "$url")"
done

registry_start readonly "$storage"
expect "an upload to a read-only registry" 405 \
    "$(status_of --request POST "http://$REGISTRY_ADDRESS/v2/a/blobs/uploads/")"

registry_stop "$first"
expect "a registry that was stopped" 000 "$(status_of "http://$first_address/v2/")"
