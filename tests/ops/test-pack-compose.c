/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of ops/pack-compose: what the callback is handed, and what becomes of its work.
 */
#include "pack-fixture.h"
#include <dirent.h>

TestSuite(pack_compose, .fini = app_end);

#define DEPENDENCIES                                                                               \
	"[component.a.dependencies]\n\"acme:dep\" = { path = \"dep.wasm\"%s }\n"                   \
	"pick = { path = \"other.wasm\", export = \"choose\" }\n"

static void take(const char *from, const char *to)
{
	char path[512], bytes[4096];
	snprintf(path, sizeof(path), "%s/compose/%s", getenv("OCIW_TESTDATA"), from);
	FILE *file = fopen(path, "rb");
	cr_assert_not_null(file, "%s", path);
	size_t len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	write_bytes(to, bytes, len);
}

/* What the callback saw. */
struct seen {
	char id[32], parts[1024], script[2048];
	bool script_file; /* there is one already */
	int warnings;
	char warning[1024];
};

static int compose(const ociw_composition *what, void *user_data, ociw_error **err)
{
	struct seen *seen = user_data;
	size_t len = 0;
	(void)err;
	cr_assert_eq(what->size, sizeof(*what));
	snprintf(seen->id, sizeof(seen->id), "%s", what->component_id);
	snprintf(seen->script, sizeof(seen->script), "%s", what->script);
	seen->script_file = access(what->script_path, F_OK) == 0;
	for (size_t i = 0; i < what->part_count; i++)
		len += (size_t)snprintf(seen->parts + len, sizeof(seen->parts) - len, "%s=%s\n",
		                        what->parts[i].package, what->parts[i].path);
	FILE *file = fopen(what->script_path, "w");
	fputs(what->script, file);
	fclose(file);
	file = fopen(what->out_path, "w");
	fwrite("\0asm\x0d\0\1\0\0\2\1c", 1, 12, file);
	fclose(file);
	return 0;
}

static int hear(const ociw_event *event, void *user_data)
{
	struct seen *seen = user_data;
	if (event->kind == OCIW_EVENT_WARNING) {
		seen->warnings++;
		snprintf(seen->warning, sizeof(seen->warning), "%s", event->message);
	}
	return 0;
}

static ociw_op op = OCIW_OP_INIT;

/* An app of the three components; @p more goes into the first dependency. */
static ociw_pack_options begin(const char *more, struct seen *seen)
{
	char text[512];
	*seen = (struct seen){0};
	snprintf(text, sizeof(text), DEPENDENCIES, more);
	app_begin(text);
	take("main.wasm", "a.wasm");
	take("dep.wasm", "dep.wasm");
	take("other.wasm", "other.wasm");
	take("deny.wasm", "deny.wasm");
	cr_assert_eq(mkdir(in_app("tmp"), 0755), 0);
	ociw_pack_options options = pack_options();
	op.event = hear;
	op.user_data = seen;
	options.op = &op;
	options.temp_dir = in_app("tmp");
	options.compose = OCIW_COMPOSE_CALLBACK;
	options.compose_cb = compose;
	options.compose_data = seen;
	return options;
}

static int entries(const char *path)
{
	DIR *dir = opendir(path);
	int count = 0;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

Test(pack_compose, a_composed_component_replaces_its_parts)
{
	OCIWP_AUTO(content) ociw_content *content = NULL;
	struct seen seen;
	char want[1024];
	ociw_pack_options options = begin(", inherit_configuration = true", &seen);
	cr_assert_eq(ociw_pack(&options, &content, NULL), 0);
	snprintf(want, sizeof(want),
	         "oci:main=%s/a.wasm\noci:dependency0=%s/other.wasm\n"
	         "oci:dependency1=%s/dep.wasm\n",
	         app_dir, app_dir, app_dir);
	cr_assert_str_eq(seen.id, "a");
	cr_assert_str_eq(seen.parts, want);
	cr_assert_not(seen.script_file);
	cr_assert(strstr(seen.script, "\"acme:dep/api@1.0.0\": "
	                              "dependency1[\"acme:dep/api@1.0.0\"],"));
	cr_assert(strstr(seen.script, "\"acme:dep/extra@1.0.0\": dependency1["));
	cr_assert(strstr(seen.script, "\"pick\": dependency0[\"choose\"],"));
	cr_assert_eq(seen.warnings, 0, "%s", seen.warning);
	cr_assert_eq(entries(in_app("tmp")), 0, "nothing is left behind");
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = manifest_of(content, NULL);
	cr_assert_eq(manifest->layer_count, 2);
	cr_assert_eq(manifest->layers[0]->size, 12);
	void *bytes = NULL;
	size_t len = 0;
	cr_assert_eq(
	        ociw_content_read(content, manifest->layers[1], 4096, NULL, &bytes, &len, NULL), 0);
	cr_assert_null(memmem(bytes, len, "dependencies", 12));
	ociw_free(bytes);
}

Test(pack_compose, a_dependency_that_inherits_nothing_is_told_without_an_adapter)
{
	struct seen seen;
	ociw_pack_options options = begin("", &seen);
	free(pack_digest(&options));
	cr_assert_eq(seen.warnings, 1, "the other one imports nothing");
	cr_assert(strstr(seen.warning, "component \"a\": dependency \"acme:dep\" inherits no "
	                               "configuration, but its 1 import "
	                               "(\"fermyon:test/level@0.2.1\")"),
	          "%s", seen.warning);
}

Test(pack_compose, an_adapter_is_a_part_and_denies_what_is_not_inherited)
{
	struct seen seen;
	ociw_pack_options options = begin("", &seen);
	options.compose_deny = in_app("deny.wasm");
	free(pack_digest(&options));
	cr_assert_eq(seen.warnings, 0, "%s", seen.warning);
	cr_assert(strstr(seen.parts, "oci:deny="));
	cr_assert(strstr(seen.script, "let deny1 = new oci:deny { ... };\n"
	                              "let dependency1 = new oci:dependency1 {\n"
	                              "    \"fermyon:test/level@0.2.1\": "
	                              "deny1[\"fermyon:test/level@0.2.0\"],\n"),
	          "%s", seen.script);
	app_end();
	options = begin(", inherit_configuration = true", &seen);
	options.compose_deny = in_app("deny.wasm");
	free(pack_digest(&options));
	cr_assert_null(strstr(seen.script, "new oci:deny"));
}

Test(pack_compose, a_part_of_the_configuration_cannot_be_composed)
{
	struct seen seen;
	ociw_pack_options options = begin(", inherit_configuration = [\"files\"]", &seen);
	OCIWP_AUTO(str) char *text = pack_failure(&options, OCIW_ERR_UNSUPPORTED);
	cr_assert(strstr(text, "dependency \"acme:dep\" inherits a part"), "%s", text);
}

Test(pack_compose, core_modules_cannot_be_composed)
{
	static const char *const names[] = {"a.wasm", "dep.wasm"};
	for (size_t i = 0; i < 2; i++) {
		struct seen seen;
		ociw_pack_options options = begin("", &seen);
		write_bytes(names[i], "\0asm\1\0\0\0", 8);
		OCIWP_AUTO(str) char *text = pack_failure(&options, OCIW_ERR_UNSUPPORTED);
		cr_assert(strstr(text, names[i]) && strstr(text, "is a core module"), "%s", text);
		app_end();
	}
}

Test(pack_compose, a_name_that_matches_nothing_is_told_before_anything_runs)
{
	struct seen seen;
	ociw_pack_options options = begin("", &seen);
	take("other.wasm", "a.wasm");
	OCIWP_AUTO(str) char *text = pack_failure(&options, OCIW_ERR_FORMAT);
	cr_assert(strstr(text, "compose component \"a\": dependency"), "%s", text);
	cr_assert_str_eq(seen.id, "");
}
