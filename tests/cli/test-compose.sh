#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Component dependencies: refused by default, packed as they are with --no-compose, composed by an
# external program with --compose. The program here only writes down what it was asked; the real one is
# in tests/interop/test-compose.sh.
#
# usage: test-compose.sh OCI_WASM
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cli_init "$@"

mkdir app fake
for part in main dep other deny; do
    cp "$root/testdata/compose/$part.wasm" "app/$part.wasm"
done
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
[component.main.dependencies]
"acme:dep" = { path = "dep.wasm" }
pick = { path = "other.wasm", export = "choose" }
END
cat >fake/wac <<END
#!/bin/bash
printf '%s\n' "\$@" >"$work/asked"
cat >"$work/stdin"
cp "\${!#}" "$work/script"
echo "talk of wac"
[ -z "\$WAC_FAILS" ] || exit 3
[ -z "\$WAC_KILLS" ] || { kill -KILL "\$PPID"; exit; }
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
same "it is asked to compose" \
    "compose --dep oci:main=$work/app/main.wasm --dep oci:dependency0=$work/app/other.wasm --dep oci:dependency1=$work/app/dep.wasm -o OUT SCRIPT" \
    "$(sed '9s/.*/OUT/; 10s/.*/SCRIPT/' asked | paste -sd' ')"
holds "the script wires a whole package" grep -qF '"acme:dep/extra@1.0.0": dependency1["acme:dep/extra@1.0.0"],' script
holds "and an export of another name" grep -qF '"pick": dependency0["choose"],' script
holds "a dependency that should inherit nothing is a warning" \
    grep -q 'warning: component "main": dependency "acme:dep" inherits no configuration.*--compose-deny' <<<"$err"
same "with nothing on stdin" 0 "$(wc -c <stdin)"
runs "the composed image is extracted" oci-wasm extract oci:image:v3 tree
holds "and has what was composed" bash -c "find tree -type f | xargs cmp -s '$work/composed.wasm' ||
    find tree -name '*.wasm' -exec cmp '$work/composed.wasm' {} \;"
runs "an adapter denies" oci-wasm pack --no-cache --compose=wac --compose-deny app/deny.wasm -f app -o oci:image:v5
holds "in the script" grep -qF '"fermyon:test/level@0.2.1": deny1["fermyon:test/level@0.2.0"],' script
holds "as one of the parts" grep -qx 'oci:deny=app/deny.wasm' asked
same "and nothing is warned about" 0 "$(grep -c warning <<<"$err")"
fails 2 "an adapter alone is a usage error" oci-wasm pack --compose-deny app/deny.wasm -f app -o oci:none:v1
runs "a path names a program too" oci-wasm pack --no-cache --compose="$work/fake/wac" -f app -o oci:image:v4
same "to the same digest" "$composed" "$out"
mkdir temporary
export TMPDIR=$work/temporary
runs "temporary files go where TMPDIR says" oci-wasm pack --no-cache --compose=wac -f app -o oci:image:v4
holds "and none is left" test -z "$(ls -A temporary)"
fails 137 "a pack that is killed while it composes" env WAC_KILLS=1 oci-wasm pack --no-cache --compose=wac -f app -o oci:none:v1
holds "can only leave its folder" test -n "$(ls -A temporary)"
runs "which the next one removes" oci-wasm pack --no-cache --compose=wac -f app -o oci:image:v4
holds "with all that is in it" test -z "$(ls -A temporary)"
unset TMPDIR

fails 3 "a missing program is told" oci-wasm pack --no-cache --compose=no-such-program -f app -o oci:none:v1
holds "with the choices" grep -q 'no program no-such-program.*--no-compose' <<<"$err"
fails 7 "a program that fails is told" env WAC_FAILS=1 oci-wasm pack --no-cache --compose=wac -f app -o oci:none:v1
holds "with component and status" grep -q 'compose component "main".*status 3' <<<"$err"
printf 'no wasm' >composed.wasm
fails 7 "what is composed must be wasm" oci-wasm pack --no-cache --compose=wac -f app -o oci:none:v1
fails 2 "both choices at once are a usage error" oci-wasm pack --no-compose --compose=wac -f app -o oci:none:v1
cp "$root/testdata/bare/module.wasm" app/dep.wasm
fails 7 "a core module cannot be composed" oci-wasm pack --no-cache --compose=wac -f app -o oci:none:v1
holds "and is told by name" grep -q 'dependency ".*/app/dep.wasm" is a core module' <<<"$err"
sed -i 's/^"acme:dep"/"acme:missing"/' app/spin.toml
cp "$root/testdata/compose/dep.wasm" app/dep.wasm
fails 7 "a dependency that matches no import is told" oci-wasm pack --no-cache --compose=wac -f app -o oci:none:v1
holds "with the imports there are" grep -q '"acme:missing" is none of its imports; they are "acme:dep/api@1.0.0"' <<<"$err"
sed -i '/^\[component.main.dependencies/,$d; s/^component = .*/&\ndependencies.middleware = [{ path = "dep.wasm" }]/' app/spin.toml
fails 7 "trigger dependencies are for Spin alone to compose" oci-wasm pack --no-cache --compose=wac -f app -o oci:none:v1
holds "and the error says so" grep -q 'trigger dependencies, which only Spin itself can compose.*--no-compose' <<<"$err"
holds "a failure leaves no layout" test ! -e none

cli_finish
