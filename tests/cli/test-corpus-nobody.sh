#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs the layer corpus as a normal user, where modes such as 0000 and 0555 get in the way. As root it
# becomes "nobody" first; where that one may not read the build folder, the test is skipped.
#
# usage: test-corpus-nobody.sh CHECK_KNOWN LIST CHECKER ARGUMENT...
set -u

check_known=$1 list=$2
shift 2
user=()
[ "$(id -u)" -ne 0 ] || user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
"${user[@]}" test -r "$1" -a -r "$list" -a -r "$check_known" || {
    echo "nobody may not read $1"
    exit 77
}
# The python of this environment may lie in root's home.
exec "${user[@]}" /usr/bin/python3 "$check_known" "$list" /usr/bin/python3 "$@"
