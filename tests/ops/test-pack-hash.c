/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of ops/pack-hash: every source once, whatever the threads; errors name component and role.
 */
#include "ops/pack-private.h"
#include "pack-fixture.h"
#include "spin/app.h"

TestSuite(pack_hash, .fini = app_end);

#define LOCK                                                                                       \
	"{\"spin_lock_version\":0,\"triggers\":[],\"components\":[{\"id\":\"a\",\"source\":{"      \
	"\"content_type\":\"application/wasm\",\"source\":\"file:///x\"},\"dependencies\":{"       \
	"\"plain\":{\"source\":{\"content_type\":\"application/wasm\",\"source\":\"file:///y\"},"  \
	"\"export\":null}}}]}"

static ociwp_draft draft;
static ociwp_lock *lock;
static ociwp_pack pack = {.threads = 4};
static ociwp_app_source dependency_source = {.at = {12, 1}};
static ociwp_app_component app_component = {.id = "a",
                                            .source = {.at = {8, 10}},
                                            .dependency_sources = &dependency_source,
                                            .dependency_count = 1};
static ociwp_app app = {
        .shown = (char *)"spin.toml", .components = &app_component, .component_count = 1};

static ociwp_source of_file(const char *name)
{
	return (ociwp_source){
	        .kind = OCIWP_SOURCE_FILE, .fd = -1, .from.path = strdup(in_app(name))};
}

/* One component with a wasm, a dependency and two files, none hashed. */
static void begin(void)
{
	app_begin("");
	write_wasm("b.wasm");
	write_text("f1", "one");
	write_text("f2", "two");
	cr_assert_eq(ociwp_lock_parse((ociw_span){LOCK, strlen(LOCK)}, NULL, &lock, NULL), 0);
	cr_assert_eq(ociwp_draft_init(&draft, lock, NULL), 0);
	ociwp_draft_component *component = &draft.components[0];
	component->wasm = of_file("a.wasm");
	component->dependencies = ociwp_calloc(1, sizeof(ociwp_source));
	component->dependencies[0] = of_file("b.wasm");
	component->dependency_count = 1;
	component->files = ociwp_calloc(2, sizeof(ociwp_file));
	component->files[0] = (ociwp_file){"f1", of_file("f1")};
	component->files[1] = (ociwp_file){"f2", of_file("f2")};
	component->file_count = 2;
}

static void end(void)
{
	ociwp_draft_component *component = &draft.components[0];
	free((char *)component->wasm.from.path);
	free((char *)component->dependencies[0].from.path);
	free((char *)component->files[0].source.from.path);
	free((char *)component->files[1].source.from.path);
	ociwp_draft_deinit(&draft);
	ociwp_lock_free(lock);
}

Test(pack_hash, everything_is_known_afterwards)
{
	begin();
	cr_assert_eq(ociwp_pack_hash(&pack, &app, &draft, NULL, NULL, NULL), 0);
	const ociwp_draft_component *component = &draft.components[0];
	cr_assert(component->wasm.known && component->dependencies[0].known);
	cr_assert(component->files[0].source.known && component->files[1].source.known);
	cr_assert_arr_eq(component->files[1].source.bytes, "two", 3);
	end();
}

static void expect(const char *name, const char *text, const char *message)
{
	ociw_error *err = NULL;
	begin();
	if (text)
		write_text(name, text);
	else
		unlink(in_app(name));
	cr_assert_lt(ociwp_pack_hash(&pack, &app, &draft, NULL, NULL, &err), 0);
	cr_assert(strstr(ociw_error_message(err), message), "%s", ociw_error_message(err));
	ociw_error_free(err);
	end();
}

Test(pack_hash, errors_say_which_source_it_was)
{
	expect("a.wasm", "text", "spin.toml:8:10: component \"a\": wasm source: ");
}

Test(pack_hash, errors_say_which_dependency_it_was)
{
	expect("b.wasm", "text", "spin.toml:12:1: component \"a\": dependency \"plain\": ");
}

Test(pack_hash, errors_say_which_file_it_was)
{
	expect("f2", NULL, "f2");
}

Test(pack_hash, a_file_that_became_a_link_to_elsewhere_is_not_read)
{
	ociw_error *err = NULL;
	ociwp_beneath beneath;
	begin();
	cr_assert_eq(unlink(in_app("f2")), 0);
	cr_assert_eq(symlink("/etc/passwd", in_app("f2")), 0);
	cr_assert_eq(ociwp_beneath_init(&beneath, app_dir, NULL), 0);
	cr_assert_eq(ociwp_pack_hash(&pack, &app, &draft, NULL, &beneath, &err), OCIW_ERR_UNSAFE);
	cr_assert(strstr(ociw_error_message(err), "component \"a\": file: "));
	ociw_error_free(err);
	ociwp_beneath_deinit(&beneath);
	end();
}

Test(pack_hash, wasm_may_be_anywhere)
{
	ociwp_beneath beneath;
	begin();
	size_t files = draft.components[0].file_count;
	draft.components[0].file_count = 0;
	cr_assert_eq(mkdir(in_app("sub"), 0700), 0);
	cr_assert_eq(ociwp_beneath_init(&beneath, in_app("sub"), NULL), 0);
	cr_assert_eq(ociwp_pack_hash(&pack, &app, &draft, NULL, &beneath, NULL), 0);
	ociwp_beneath_deinit(&beneath);
	draft.components[0].file_count = files;
	end();
}
