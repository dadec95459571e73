#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Other tools read the layouts and archives we write, and we read theirs: one digest all the way.
#
# usage: test-layouts.sh OCI_WASM skopeo|umoci
kind=$2
# shellcheck source=../support/skip.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/skip.sh"
command -v "$kind" >/dev/null || skip_all "no $kind here"
# shellcheck source=../cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cli/lib.sh"
cli_init "$@"
golden=$root/testdata/golden

digest_by_skopeo() {
    skopeo inspect --raw "$1" | sha256sum | sed 's/^\([0-9a-f]*\).*/sha256:\1/'
}

runs "we copy an app into a layout" oci-wasm copy "oci:$golden/layouts/spin-3.6.3:v1" oci:app:v1
app=$out
runs "and an image" oci-wasm copy "oci:$golden/layouts/buildah-rootfs:v2" oci:image:v2
image=$out

if [ "$kind" = umoci ]; then
    runs "umoci lists our layout" umoci ls --layout image
    same "and sees our name" v2 "$out"
    runs "umoci tags in our layout" umoci tag --image image:v2 theirs
    runs "we read its tag" oci-wasm resolve oci:image:theirs
    same "as the same image" "$image" "$out"
    runs "we add a name to its layout" oci-wasm tag oci:image:v2 ours
    runs "umoci lists all of them" umoci ls --layout image
    same "and has lost none" "ours theirs v2" "$(LC_ALL=C sort <<<"$out" | xargs)"
    runs "umoci removes garbage" umoci gc --layout image
    runs "and what is left is right" oci-wasm store verify image
    runs "umoci makes a layout" umoci init --layout theirs
    runs "and an image in it" umoci new --image theirs:new
    runs "we read it" oci-wasm copy oci:theirs:new oci:copied:new
    runs "and it is right" oci-wasm store verify copied
    cli_finish
fi

same "skopeo reads our layout" "$app" "$(digest_by_skopeo oci:app:v1)"
runs "we write an archive" oci-wasm copy oci:app:v1 oci-archive:app.tar:v1
same "skopeo reads our archive" "$app" "$(digest_by_skopeo oci-archive:app.tar:v1)"
runs "skopeo copies it into a layout" skopeo copy -q oci-archive:app.tar:v1 oci:theirs:v1
runs "we read its layout" oci-wasm resolve oci:theirs:v1
same "with our digest" "$app" "$out"
runs "skopeo writes an archive" skopeo copy -q oci:image:v2 oci-archive:theirs.tar:v2
runs "we read its archive" oci-wasm resolve oci-archive:theirs.tar:v2
same "with our digest" "$image" "$out"
runs "skopeo writes a docker archive" skopeo copy -q oci:image:v2 docker-archive:docker.tar:host/app:v2
runs "we read it" oci-wasm copy oci-archive:docker.tar oci:docker:v2
runs "and everything in it is right" oci-wasm store verify docker
runs "its tree is the same" oci-wasm extract oci:docker:v2 one
runs "as that of the image" oci-wasm extract oci:image:v2 two
same "file by file" "$(tree_digest one)" "$(tree_digest two)"

# A name goes over to the newest image, whoever gave it last.
runs "we take over a name in its layout" oci-wasm copy oci:image:v2 oci:theirs:v1
same "skopeo sees it" "$image" "$(digest_by_skopeo oci:theirs:v1)"
runs "skopeo takes it back" skopeo copy -q oci:app:v1 oci:theirs:v1
runs "we see it" oci-wasm resolve oci:theirs:v1
same "with the digest of the app" "$app" "$out"
cli_finish
