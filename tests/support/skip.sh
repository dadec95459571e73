# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# How a TAP script as a whole is skipped. meson takes the exit status 77 of such a script for an error.
#
#   skip_all REASON...             says so and ends the script

skip_all() {
    echo "1..0 # SKIP $*"
    exit 0
}
