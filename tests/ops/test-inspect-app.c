/* SPDX-License-Identifier: Apache-2.0
 *
 * What inspect tells of a locked app (spin.md 2.1-2.3).
 */
#include "codec/mediatype.h"
#include "ops/inspect-model.h"
#include <criterion/criterion.h>
#include <string.h>

#define A "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define B "sha256:9e2ec912af5dff2a72300863864fc4da04e81999339d9fac5c7590ba8a3f4e11"
#define LAYER(type, digest, size)                                                                   \
	"{\"mediaType\":\"" type "\",\"digest\":\"" digest "\",\"size\":" size "}"
#define MANIFEST(layers)                                                                            \
	"{\"schemaVersion\":2,\"config\":" LAYER("a/b", A, "7") ",\"layers\":[" layers "]}"
#define WASM LAYER(OCIWP_MT_SPIN_WASM, A, "7")
#define COMPONENT(more)                                                                             \
	"{\"spin_lock_version\":0,\"triggers\":[],\"components\":[{\"id\":\"c\",\"source\":{"           \
	"\"content_type\":\"application/wasm\",\"digest\":\"" A "\"}" more "}]}"

static void inspect(ociwp_inspect *i, const char *lock_text, const char *manifest_text)
{
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = NULL;
	OCIWP_AUTO(lock) ociwp_lock *lock = NULL;
	ociw_error *err = NULL;
	cr_assert_eq(ociwp_manifest_parse((ociw_span){manifest_text, strlen(manifest_text)}, NULL,
					  NULL, &manifest, NULL),
		     0);
	cr_assert_eq(ociwp_lock_parse((ociw_span){lock_text, strlen(lock_text)}, NULL, &lock, &err),
		     0, "%s", ociw_error_message(err));
	cr_assert_eq(ociwp_inspect_init(i, NULL, NULL, NULL), 0);
	ociwp_inspect_app(i, lock, manifest);
	cr_assert_not(i->nomem);
}

static void expect_app(const char *lock, const char *manifest, const char *app)
{
	ociwp_inspect i;
	inspect(&i, lock, manifest);
	char *text = json_dumps(json_object_get(i.root, "app"), JSON_COMPACT);
	cr_expect_str_eq(text, app);
	free(text);
	cr_expect_eq(json_array_size(i.warnings), 0);
	ociwp_inspect_deinit(&i);
}

Test(inspect_app, tells_triggers_components_and_files)
{
	expect_app(
		"{\"spin_lock_version\":0,\"metadata\":{\"name\":\"n\",\"version\":\"1\",\"authors\":[\"x\"]},"
		"\"triggers\":[{\"id\":\"t\",\"trigger_type\":\"http\",\"trigger_config\":{\"component\":"
		"\"c\",\"route\":\"/...\"}}],\"components\":[{\"id\":\"c\",\"metadata\":{"
		"\"allowed_outbound_hosts\":[\"h\"],\"databases\":[\"d\"]},\"source\":{\"content_type\":"
		"\"application/wasm\",\"digest\":\"" A "\"},\"env\":{\"E\":\"1\"},\"files\":[{\"inline\":"
		"\"Ym9keQo\",\"digest\":\"" B "\",\"path\":\"a.css\"}],\"config\":{\"k\":\"{{ v }}\"}}]}",
		MANIFEST(WASM),
		"{\"name\":\"n\",\"version\":\"1\",\"authors\":[\"x\"],\"lockVersion\":0,\"triggers\":[{"
		"\"id\":\"t\",\"type\":\"http\",\"address\":\"/...\",\"component\":\"c\",\"config\":{"
		"\"component\":\"c\",\"route\":\"/...\"}}],\"components\":[{\"id\":\"c\","
		"\"allowedOutboundHosts\":[\"h\"],\"sqliteDatabases\":[\"d\"],\"source\":{\"contentType\":"
		"\"application/wasm\",\"digest\":\"" A "\",\"size\":7},\"environment\":{\"E\":\"1\"},"
		"\"variables\":{\"k\":\"{{ v }}\"},\"files\":[{\"path\":\"a.css\",\"digest\":\"" B
		"\",\"size\":5,\"inline\":true}],\"fileCount\":1,\"fileBytes\":5}]}");
}

Test(inspect_app, sizes_of_files_come_from_their_layers)
{
	ociwp_inspect i;
	inspect(&i, COMPONENT(",\"files\":[{\"digest\":\"" B "\",\"path\":\"a\"}]"),
		MANIFEST(WASM "," LAYER(OCIWP_MT_SPIN_DATA, B, "1000")));
	const json_t *component = json_array_get(
		json_object_get(json_object_get(i.root, "app"), "components"), 0);
	cr_expect_eq(json_integer_value(json_object_get(component, "fileBytes")), 1000);
	cr_expect_eq(json_array_size(i.warnings), 0);
	ociwp_inspect_deinit(&i);
}

static void expect_warning(const char *lock, const char *manifest, const char *warning)
{
	ociwp_inspect i;
	inspect(&i, lock, manifest);
	const char *text = json_string_value(json_array_get(i.warnings, 0));
	cr_expect(text && strstr(text, warning), "%s: %s", warning, text);
	ociwp_inspect_deinit(&i);
}

Test(inspect_app, missing_content_is_a_warning)
{
	expect_warning(COMPONENT(""), MANIFEST(""), "no layer holds its wasm");
	expect_warning(COMPONENT(",\"files\":[{\"digest\":\"" B "\",\"path\":\"a\"}]"), MANIFEST(WASM),
		       "no layer holds 1 of its 1 files");
}

Test(inspect_app, bundles_may_hold_any_file)
{
	ociwp_inspect i;
	inspect(&i, COMPONENT(",\"files\":[{\"digest\":\"" B "\",\"path\":\"a\"}]"),
		MANIFEST(WASM "," LAYER(OCIWP_MT_SPIN_BUNDLE, A, "7")));
	cr_expect_eq(json_array_size(i.warnings), 0);
	ociwp_inspect_deinit(&i);
}

Test(inspect_app, defaults_of_secrets_are_not_shown)
{
	const char *lock = "{\"spin_lock_version\":0,\"variables\":{\"s\":{\"default\":\"hunter2\","
			   "\"secret\":true},\"v\":{\"default\":\"x\"},\"r\":{}},\"triggers\":[],"
			   "\"components\":[]}";
	ociwp_inspect i;
	inspect(&i, lock, MANIFEST(WASM));
	char *text = json_dumps(i.root, JSON_COMPACT);
	cr_expect_null(strstr(text, "hunter2"));
	cr_expect(strstr(text, "{\"name\":\"v\",\"required\":false,\"secret\":false,\"default\":\"x\"}"),
		  "%s", text);
	cr_expect(strstr(text, "{\"name\":\"r\",\"required\":true,\"secret\":false}"), "%s", text);
	free(text);
	ociwp_inspect_deinit(&i);
	expect_warning(lock, MANIFEST(WASM), "a secret has its default in the image");
}
