/* SPDX-License-Identifier: Apache-2.0 */
#include "apps.h"

#include <oci-wasm/spin.h>

TestSuite(print, .init = scratch_make, .fini = scratch_remove);

static char *printed(uint32_t flags)
{
	ociwp_buf buf = OCIWP_BUF_INIT;
	ociw_writer *writer = NULL;
	ociw_error *err = NULL;
	ociw_spin_options options = OCIW_SPIN_OPTIONS_INIT;
	options.flags = flags;
	cr_assert_eq(ociwp_writer_new_buf(&buf, 1 << 20, &writer, NULL), 0);
	int r = ociw_spin_lock(scratch, &options, writer, &err);
	cr_assert_eq(r, 0, "%s", err ? ociw_error_message(err) : "");
	cr_assert_eq(ociw_writer_commit(writer, NULL), 0);
	return ociwp_buf_steal(&buf);
}

/* spin.md 2.4: the local form. */
Test(print, content_is_named_by_file_urls)
{
	put("spin.toml",
	    ONE "files = [\"f.txt\"]\n[component.a.dependencies]\n\"x:y\" = { path = \"d.wasm\" }\n"
	        "\"x:z\" = { url = \"https://u\", digest = \"sha256:0\" }\n");
	put("f.txt", "f");
	char *text = printed(OCIW_SPIN_COMPACT);
	char want[300];
	snprintf(want, sizeof(want), "\"origin\":\"file://%s/spin.toml\"", scratch);
	cr_assert_not_null(strstr(text, want), "%s", text);
	snprintf(want, sizeof(want),
	         "\"content_type\":\"application/wasm\",\"source\":\"file://%s/a.wasm\"", scratch);
	cr_assert_not_null(strstr(text, want), "%s", text);
	snprintf(want, sizeof(want),
	         "\"files\":[{\"source\":\"file://%s/f.txt\",\"path\":\"f.txt\"}]", scratch);
	cr_assert_not_null(strstr(text, want), "%s", text);
	snprintf(want, sizeof(want), "\"source\":\"file://%s/d.wasm\"", scratch);
	cr_assert_not_null(strstr(text, want), "%s", text);
	cr_assert_not_null(strstr(text, "\"source\":\"https://u\",\"digest\":\"sha256:0\""), "%s",
	                   text);
	free(text);
}

Test(print, it_is_indented_unless_compact)
{
	put("spin.toml", ONE);
	char *text = printed(0);
	cr_assert_eq(strncmp(text, "{\n  \"spin_lock_version\": 0,\n", 28), 0, "%s", text);
	free(text);
}

Test(print, unknown_options_are_refused)
{
	struct {
		ociw_spin_options options;
		int more;
	} newer = {OCIW_SPIN_OPTIONS_INIT, 1};
	newer.options.size = sizeof(newer);
	cr_assert_eq(ociw_spin_lock(scratch, &newer.options, NULL, NULL), OCIW_ERR_INVALID);
}
