/* SPDX-License-Identifier: Apache-2.0
 *
 * Each known trap is named once, and good images have none.
 */
#include "base/buf.h"
#include "codec/mediatype.h"
#include "format/detect.h"
#include "ops/inspect-model.h"
#include <criterion/criterion.h>
#include <string.h>

#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define DIGEST "sha256:" HEX
#define DESC(type) "{\"mediaType\":\"" type "\",\"digest\":\"" DIGEST "\",\"size\":2}"
#define MANIFEST(config, layers)                                                                    \
	"{\"schemaVersion\":2,\"mediaType\":\"" OCIWP_MT_OCI_MANIFEST "\",\"config\":" DESC(config)   \
	",\"layers\":[" layers "]}"
#define SPIN MANIFEST(OCIWP_MT_OCI_CONFIG, DESC(OCIWP_MT_SPIN_WASM) "," DESC(OCIWP_MT_SPIN_LOCK))
#define NODE                                                                                        \
	MANIFEST(OCIWP_MT_OCI_CONFIG, DESC(OCIWP_MT_OCI_LAYER) "," DESC(OCIWP_MT_SPIN_LOCK))
#define RUNWASI(more) MANIFEST(OCIWP_MT_OCI_CONFIG, DESC(OCIWP_MT_RUNWASI_WASM) more)
#define ROOTFS MANIFEST(OCIWP_MT_OCI_CONFIG, DESC(OCIWP_MT_OCI_LAYER))
#define WASM(more) MANIFEST(OCIWP_MT_WASM_CONFIG, DESC(OCIWP_MT_WASM) more)
#define LABEL "\"Labels\":{\"com.fermyon.spin.lockedAppDigest\":\"" DIGEST "\"}"
#define ENTRY "\"Entrypoint\":[\"/\"]"
#define CONFIG(architecture, process, ids)                                                          \
	"{\"architecture\":\"" architecture "\",\"os\":\"wasip1\",\"config\":{" process "},"            \
	"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[" ids "]}}"

struct row {
	const char *manifest, *config, *root;
	const char *warning; /* part of the only warning, or NULL for none */
};

static void check(const struct row *row)
{
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = NULL;
	OCIWP_AUTO(config) ociwp_config *config = NULL;
	ociwp_inspect i;
	cr_assert_eq(ociwp_manifest_parse((ociw_span){row->manifest, strlen(row->manifest)}, NULL,
					  NULL, &manifest, NULL),
		     0, "%s", row->manifest);
	if (row->config)
		cr_assert_eq(ociwp_config_parse((ociw_span){row->config, strlen(row->config)}, NULL,
						&config, NULL),
			     0, "%s", row->config);
	cr_assert_eq(ociwp_inspect_init(&i, NULL, NULL, NULL), 0);
	if (row->root) {
		json_decref(i.root);
		i.root = json_loads(row->root, 0, NULL);
	}
	i.format = ociwp_format_detect(manifest, config);
	ociwp_inspect_traps(&i, manifest, config);
	cr_expect_eq(json_array_size(i.warnings), row->warning ? 1 : 0, "%s %s: %zu", row->manifest,
		     row->config, json_array_size(i.warnings));
	const char *text = json_string_value(json_array_get(i.warnings, 0));
	if (row->warning)
		cr_expect(text && strstr(text, row->warning), "%s: %s", row->warning, text);
	ociwp_inspect_deinit(&i);
}

Test(inspect_traps, spin)
{
	static const struct row rows[] = {
		{SPIN, CONFIG("wasm", ENTRY "," LABEL, ""), NULL, NULL},
		{SPIN, NULL, NULL, NULL},
		{SPIN, CONFIG("amd64", ENTRY "," LABEL, ""), NULL, "architecture is \"amd64\""},
		{SPIN, CONFIG("wasm", LABEL, ""), NULL, "no Entrypoint or Cmd"},
		{SPIN, CONFIG("wasm", ENTRY, ""), NULL, "no label"},
		{SPIN,
		 CONFIG("wasm", ENTRY ",\"Labels\":{\"com.fermyon.spin.lockedAppDigest\":\"x\"}", ""),
		 NULL, "is not the digest of the locked app"},
		{SPIN, CONFIG("wasm", ENTRY "," LABEL, "\"" DIGEST "\""), NULL,
		 "1 diff_ids for 0 tar layers"},
		{NODE, CONFIG("wasm", ENTRY "," LABEL, "\"" DIGEST "\""), NULL, "made for nodes"},
		{MANIFEST(OCIWP_MT_OCI_CONFIG, DESC(OCIWP_MT_SPIN_LOCK) "," DESC(OCIWP_MT_SPIN_LOCK)),
		 NULL, NULL, "2 locked apps"},
	};
	for (size_t n = 0; n < OCIWP_ARRAY_LEN(rows); n++)
		check(&rows[n]);
}

Test(inspect_traps, runwasi)
{
	static const struct row rows[] = {
		{RUNWASI(""), CONFIG("wasm", ENTRY, ""), NULL, NULL},
		{RUNWASI(""), CONFIG("amd64", ENTRY, ""), NULL, "architecture"},
		{RUNWASI(""), CONFIG("wasm", "", ""), NULL, "app.wasm"},
		{RUNWASI("," DESC(OCIWP_MT_WASM)), CONFIG("wasm", ENTRY, ""), NULL, "2 wasm layers"},
		{MANIFEST(OCIWP_MT_OCI_CONFIG, DESC(OCIWP_MT_SPIN_WASM)), CONFIG("wasm", ENTRY, ""),
		 NULL, "passes it over"},
	};
	for (size_t n = 0; n < OCIWP_ARRAY_LEN(rows); n++)
		check(&rows[n]);
}

Test(inspect_traps, wasm_and_rootfs)
{
	static const struct row rows[] = {
		{WASM(""), NULL, NULL, NULL},
		{WASM("," DESC(OCIWP_MT_WASM)), NULL, NULL, "2 layers"},
		{WASM(""), NULL, "{\"wasm\":{\"layerDigests\":[\"" DIGEST "\"]}}", NULL},
		{WASM(""), NULL, "{\"wasm\":{\"layerDigests\":[\"x\"]}}", "layerDigests"},
		{WASM(""), NULL, "{\"wasm\":{\"kind\":\"component\"}}", "core modules too"},
		{"{\"schemaVersion\":2,\"config\":" DESC(OCIWP_MT_WASM_CONFIG) ",\"layers\":["
		 DESC(OCIWP_MT_WASM) "]}",
		 NULL, NULL, "no mediaType"},
		{ROOTFS,
		 "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{" ENTRY "},\"rootfs\":{"
		 "\"type\":\"layers\",\"diff_ids\":[\"" DIGEST "\"]}}",
		 NULL, NULL},
		{ROOTFS, CONFIG("wasm", ENTRY, "\"" DIGEST "\""), NULL, "does not unpack"},
	};
	for (size_t n = 0; n < OCIWP_ARRAY_LEN(rows); n++)
		check(&rows[n]);
}

Test(inspect_traps, any_format)
{
	static const struct row rows[] = {
		{"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" OCIWP_MT_WASM_CONFIG_LEGACY
		 "\",\"digest\":\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8"
		 "55\",\"size\":0},\"layers\":[]}",
		 NULL, NULL, "empty blob"},
		{MANIFEST(OCIWP_MT_OCI_EMPTY, ""), NULL, NULL, "without artifactType"},
		{MANIFEST(OCIWP_MT_OCI_CONFIG,
			  DESC("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")),
		 NULL, NULL, "non-distributable"},
	};
	for (size_t n = 0; n < OCIWP_ARRAY_LEN(rows); n++)
		check(&rows[n]);
}
