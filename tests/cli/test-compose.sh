#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Component dependencies: refused by default, packed as they are with --no-compose, composed by an
# external program with --compose. The program here only writes down what it was asked.
#
# usage: test-compose.sh OCI_WASM
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cli_init "$@"

mkdir app fake
cp "$root/testdata/bare/component.wasm" app/main.wasm
cp "$root/testdata/bare/component.wasm" app/dep.wasm
cp "$root/testdata/bare/module.wasm" composed.wasm
cat >app/spin.toml <<'END'
spin_manifest_version = 2
[application]
name = "composed"
[[trigger.http]]
route = "/..."
component = "main"
[component.main]
source = "main.wasm"
dependencies = { "acme:dep/api" = { path = "dep.wasm" } }
END
cat >fake/wac <<END
#!/bin/bash
printf '%s\n' "\$@" >"$work/asked"
cat >"$work/stdin"
echo "talk of wac"
[ -z "\$WAC_FAILS" ] || exit 3
while [ "\$1" != -o ]; do shift; done
cp "$work/composed.wasm" "\$2"
END
chmod +x fake/wac

fails 7 "dependencies are refused by default" oci-wasm pack --no-cache -f app -o oci:image:v1
holds "one error names both choices" grep -q -- 'component "main".*--compose=wac.*--no-compose' <<<"$err"
same "in one line" 1 "$(wc -l <<<"$err")"

runs "--no-compose packs them as layers" oci-wasm pack --no-cache --no-compose -f app -o oci:image:v1
plain=$out
runs "--compose=none is the same" oci-wasm pack --no-cache --compose=none -f app -o oci:image:v2
same "to the same digest" "$plain" "$out"

PATH=$work/fake:$PATH
runs "--compose=wac runs wac from PATH" oci-wasm pack --no-cache --compose=wac -f app -o oci:image:v3
composed=$out
holds "stdout is the digest alone" grep -qxE 'sha256:[0-9a-f]{64}' <<<"$out"
holds "what wac says goes to stderr" grep -q 'talk of wac' <<<"$err"
same "it is asked to plug" "plug --plug $work/app/dep.wasm -o OUT $work/app/main.wasm" \
    "$(sed '5s/.*/OUT/' asked | paste -sd' ')"
same "with nothing on stdin" 0 "$(wc -c <stdin)"
runs "the composed image is extracted" oci-wasm extract oci:image:v3 tree
holds "and has what was composed" bash -c "find tree -type f | xargs cmp -s '$work/composed.wasm' ||
    find tree -name '*.wasm' -exec cmp '$work/composed.wasm' {} \;"
runs "a path names a program too" oci-wasm pack --no-cache --compose="$work/fake/wac" -f app -o oci:image:v4
same "to the same digest" "$composed" "$out"
holds "no temporary file is left" test -z "$(find /tmp -maxdepth 1 -name 'oci-wasm-*' -newer asked -user "$(id -u)")"

fails 3 "a missing program is told" oci-wasm pack --no-cache --compose=no-such-program -f app -o oci:none:v1
holds "with the choices" grep -q 'no program no-such-program.*--no-compose' <<<"$err"
fails 7 "a program that fails is told" env WAC_FAILS=1 oci-wasm pack --no-cache --compose=wac -f app -o oci:none:v1
holds "with component and status" grep -q 'compose component "main".*status 3' <<<"$err"
printf 'no wasm' >composed.wasm
fails 7 "what is composed must be wasm" oci-wasm pack --no-cache --compose=wac -f app -o oci:none:v1
fails 2 "both choices at once are a usage error" oci-wasm pack --no-compose --compose=wac -f app -o oci:none:v1
sed -i 's/^dependencies = .*//; s/^component = .*/&\ndependencies.middleware = [{ path = "dep.wasm" }]/' app/spin.toml
fails 7 "trigger dependencies are for Spin alone to compose" oci-wasm pack --no-cache --compose=wac -f app -o oci:none:v1
holds "and the error says so" grep -q 'trigger dependencies, which only Spin itself can compose.*--no-compose' <<<"$err"
holds "a failure leaves no layout" test ! -e none

cli_finish
