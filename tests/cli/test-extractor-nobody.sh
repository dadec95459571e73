#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What only a normal user meets: files and directories that are closed to their owner, here with
# extended attributes and in the cache (extraction.md D12). As root it becomes "nobody" first; where that
# one may not read the build folder, all is skipped.
#
# usage: test-extractor-nobody.sh OCI_WASM_EXTRACT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tool=$(realpath -e "$1") || exit 1
if [ "$(id -u)" -eq 0 ]; then
    if ! setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$tool" -a -r "${BASH_SOURCE[0]}"; then
        echo "1..0 # SKIP nobody may not read the build folder"
        exit 0
    fi
    exec setpriv --reuid 65534 --regid 65534 --clear-groups env PYTHONDONTWRITEBYTECODE=1 "$(realpath "${BASH_SOURCE[0]}")" "$tool"
fi
cli_init "$tool"
# Temporary layouts and trees; tmpfs has room for many attributes.
export TMPDIR=$work
layers() { /usr/bin/python3 "$root/tests/support/extract-layers.py" "$tool" --media-type application/vnd.oci.image.layer.v1.tar "$@"; }

/usr/bin/python3 - <<'END' || exit 1
import io
import tarfile

with tarfile.open("layer.tar", "w", format=tarfile.PAX_FORMAT) as tar:
    def add(name, mode, data=None, **pax):
        info = tarfile.TarInfo(name)
        info.mode, info.pax_headers = mode, {f"SCHILY.xattr.user.{key}": value for key, value in pax.items()}
        info.type, info.size = (tarfile.DIRTYPE, 0) if data is None else (tarfile.REGTYPE, len(data))
        tar.addfile(info, io.BytesIO(data or b""))

    add("readonly", 0o444, b"text", colour="blue")
    add("shut", 0o000, colour="red")
    add("shut/inside", 0o644, b"text")
END
colour='import os, sys; sys.exit(os.getxattr(sys.argv[1], "user.colour") != sys.argv[2].encode())'

if /usr/bin/python3 -c 'import os; open("probe", "w").close(); os.setxattr("probe", "user.x", b"y")' 2>/dev/null; then
    runs "attributes of read-only files are set" layers --to "$work/plain" --xattrs "$work/layer.tar"
    holds "as the layer says" /usr/bin/python3 -c "$colour" plain/readonly blue
else
    skips "attributes of read-only files are set" "no attributes in $work"
fi
runs "a tree with closed directories extracts" layers --to "$work/without" "$work/layer.tar"
same "with their modes" "444 0" "$(stat -c %a without/readonly without/shut | xargs)"
fails 1 "what is closed to us cannot be copied from a cache" layers --to "$work/linked" --cache="$work/cache" "$work/layer.tar"
holds "and the name is told" grep -qE 'cached (file|directory) "(readonly|shut)"' <<<"$err"
cached=$(find cache -path '*/tree' -print -quit)
same "caching opens nothing up" "444 0" "$(stat -c %a "$cached/readonly" "$cached/shut" | xargs)"

cli_finish
