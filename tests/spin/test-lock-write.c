/* SPDX-License-Identifier: Apache-2.0 */
#include "apps.h"

static ociwp_lock *parsed(const char *text)
{
	ociwp_lock *lock = NULL;
	ociw_error *err = NULL;
	int r = ociwp_lock_parse((ociw_span){text, strlen(text)}, NULL, &lock, &err);
	cr_assert_eq(r, 0, "%s", err ? ociw_error_message(err) : "");
	return lock;
}

static void assert_same(const char *text)
{
	ociwp_lock *lock = parsed(text);
	char *got = lock_text(lock, false);
	cr_assert_str_eq(got, text);
	free(got);
	ociwp_lock_free(lock);
}

#define D "sha256:8f130c368901b6a1a48ad421cf506120ab51333017be8b95dce9f6462a505035"
#define SOURCE                                                                                     \
	"\"source\":{\"content_type\":\"application/"                                              \
	"wasm\",\"inline\":\"AGFzbQ0AAQA\",\"digest\":\"" D "\"}"

/* spin.md 2.1, everything at once, in Spin's order. */
Test(lock_write, a_full_lock_is_written_as_it_was_read)
{
	assert_same("{\"spin_lock_version\":1,\"must_understand\":[\"host_requirements\","
	            "\"component_host_requirements\"],\"metadata\":{\"a\":1,\"b\":{\"x\":[]}},"
	            "\"host_requirements\":{\"local_service_chaining\":\"required\"},\"variables\":"
	            "{\"v\":{"
	            "\"description\":\"d\",\"default\":\"x\",\"secret\":true}},\"triggers\":[{"
	            "\"id\":\"t\","
	            "\"trigger_type\":\"http\",\"trigger_config\":{\"route\":\"/"
	            "\"},\"trigger_dependencies\":"
	            "{\"r\":[]}}],\"components\":[{\"id\":\"a\",\"metadata\":{\"m\":1}," SOURCE
	            ",\"env\":{\"E\":\"1\"},\"files\":[{\"inline\":\"\",\"digest\":\"" D
	            "\",\"path\":\"e\"},{\"digest\":\"" D
	            "\",\"path\":\"f/g\"}],\"config\":{\"c\":\"1\"},"
	            "\"dependencies\":{\"x:y\":{" SOURCE
	            ",\"export\":null,\"inherit\":{\"Some\":[\"files\"]}},"
	            "\"x:z\":{" SOURCE
	            ",\"export\":\"e\",\"inherit\":\"All\"}},\"trigger_dependencies\":{"
	            "\"middleware\":[{\"source\":{\"content_type\":\"application/"
	            "wasm\",\"source\":\"file:///m\"},"
	            "\"export\":null}]},\"host_requirements\":{\"middleware\":\"required\"}}]}");
}

Test(lock_write, empty_things_are_left_out)
{
	ociwp_lock *lock = parsed(
	        "{\"spin_lock_version\":1,\"must_understand\":[],\"metadata\":{},"
	        "\"host_requirements\":{\"x\":\"optional\"},\"variables\":{},\"triggers\":[],"
	        "\"components\":[{\"id\":\"a\",\"metadata\":{}," SOURCE ",\"env\":{},"
	        "\"files\":[],\"config\":{},\"dependencies\":{},\"host_requirements\":{}}]}");
	char *text = lock_text(lock, false);
	cr_assert_str_eq(
	        text,
	        "{\"spin_lock_version\":0,\"triggers\":[],\"components\":[{\"id\":\"a\"," SOURCE
	        "}]}");
	free(text);
	ociwp_lock_free(lock);
}

Test(lock_write, maps_are_sorted_by_bytes_at_every_level)
{
	ociwp_lock *lock =
	        parsed("{\"spin_lock_version\":0,\"metadata\":{\"b\":{\"y\":1,\"Z\":2},\"a\":1},"
	               "\"triggers\":[],\"components\":[]}");
	char *text = lock_text(lock, false);
	cr_assert_not_null(strstr(text, "{\"a\":1,\"b\":{\"Z\":2,\"y\":1}}"));
	free(text);
	ociwp_lock_free(lock);
}

Test(lock_write, pretty_is_two_spaces)
{
	ociwp_lock *lock = parsed("{\"spin_lock_version\":0,\"triggers\":[],\"components\":[]}");
	char *text = lock_text(lock, true);
	cr_assert_str_eq(
	        text,
	        "{\n  \"spin_lock_version\": 0,\n  \"triggers\": [],\n  \"components\": []\n}");
	free(text);
	ociwp_lock_free(lock);
}

static int refuse(void *self, const void *buf, size_t len, ociw_error **err)
{
	(void)self;
	(void)buf;
	(void)len;
	return ociwp_fail(err, OCIW_ERR_IO, "disk full");
}

static int commit(void *self, ociw_error **err)
{
	(void)self;
	(void)err;
	return 0;
}

static void aborted(void *self)
{
	(void)self;
}

Test(lock_write, a_failing_writer_fails_both_forms)
{
	static const ociw_writer_ops ops = {sizeof(ops), refuse, commit, aborted};
	ociwp_lock *lock = parsed("{\"spin_lock_version\":0,\"triggers\":[],\"components\":[]}");
	for (int i = 0; i < 2; i++) {
		ociw_writer *writer = NULL;
		cr_assert_eq(ociw_writer_new(&ops, NULL, &writer, NULL), 0);
		cr_assert_eq(ociwp_lock_write(lock, i == 1, writer, NULL), OCIW_ERR_IO);
		ociw_writer_abort(writer);
	}
	ociwp_lock_free(lock);
}
