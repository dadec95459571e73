/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of format/lock-layer: digests and inline bytes in, nothing left behind in the lock.
 */
#include "format/lock-layer.h"
#include "codec/mediatype.h"
#include "fixture.h"

#define LOCK                                                                                       \
	"{\"spin_lock_version\":0,\"triggers\":[],\"components\":[{\"id\":\"web\",\"source\":{"    \
	"\"content_type\":\"application/wasm\",\"source\":\"file:///x/web.wasm\"}}]}"
#define HEAD                                                                                       \
	"{\"spin_lock_version\":0,\"triggers\":[],\"components\":[{\"id\":\"web\",\"source\":{"    \
	"\"content_type\":\"application/wasm\",\"inline\":\"AGFzbQ0AAQA\",\"digest\":\"sha256:"    \
	"24eaf3439a60c96764c4f2c92a0a81b52bd4fe5d5b91f090184a0f6486b1bf29\"}"

static char *lock_text(ociwp_draft *draft, ociwp_lock *lock, const ociwp_lock_pick *picks)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	cr_assert_eq(ociwp_lock_layer_add(draft, picks, &desc, NULL), 0);
	cr_assert_str_eq(desc->media_type, OCIWP_MT_SPIN_LOCK);
	cr_assert_eq(lock->components[0].file_count, 0, "the lock keeps nothing of the draft");
	OCIWP_AUTO(content) ociw_content *content = draft_end(draft, lock);
	return read_text(content, desc);
}

Test(lock_layer, sources_and_small_files_go_inline)
{
	ociwp_draft draft;
	ociwp_lock *lock = NULL;
	draft_begin(&draft, &lock, LOCK);
	add_file(&draft.components[0], "empty", 0, 0);
	add_file(&draft.components[0], "large", 129, 1);
	OCIWP_AUTO(str) char *text = lock_text(&draft, lock, NULL);
	cr_assert(strstr(text, HEAD ",\"files\":[{\"inline\":\"\",\"digest\":\"sha256:"
	                            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852"
	                            "b855\",\"path\":\"empty\"},{\"digest\":\"sha256:") == text,
	          "%s", text);
	cr_assert(ociwp_ends_with(text, ",\"path\":\"large\"}]}]}"), "%s", text);
}

Test(lock_layer, a_component_without_files_has_no_key)
{
	ociwp_draft draft;
	ociwp_lock *lock = NULL;
	draft_begin(&draft, &lock, LOCK);
	OCIWP_AUTO(str) char *text = lock_text(&draft, lock, NULL);
	cr_assert_str_eq(text, HEAD "}]}");
}

Test(lock_layer, picks_name_some_files_and_the_marker_where_it_sorts)
{
	ociwp_draft draft;
	ociwp_lock *lock = NULL;
	size_t files[] = {0, 2};
	ociwp_lock_pick pick = {files, 2, true};
	draft_begin(&draft, &lock, LOCK);
	add_file(&draft.components[0], ".a", 1, 0);
	add_file(&draft.components[0], "b", 1, 1);
	add_file(&draft.components[0], "c", 1, 2);
	OCIWP_AUTO(str) char *text = lock_text(&draft, lock, &pick);
	const char *a = strstr(text, "\"path\":\".a\""), *marker = strstr(text, ".oci-wasm"),
	           *c = strstr(text, "\"path\":\"c\"");
	cr_assert(a && marker && c && a < marker && marker < c, "%s", text);
	cr_assert_not(strstr(text, "\"path\":\"b\""), "%s", text);
}

static void add_many(ociwp_draft_component *component)
{
	static char names[3000][16];
	for (size_t i = 0; i < 3000; i++) {
		snprintf(names[i], sizeof(names[i]), "f%05zu", i);
		add_file(component, names[i], 3, (unsigned)i);
	}
}

Test(lock_layer, a_lock_of_many_files_is_spooled_and_equal_with_any_threads)
{
	OCIWP_AUTO(str) char *first = NULL;
	for (size_t threads = 1; threads <= 2; threads++) {
		ociwp_draft draft;
		ociwp_lock *lock = NULL;
		draft_begin(&draft, &lock, LOCK);
		draft.threads = threads;
		add_many(&draft.components[0]);
		OCIWP_AUTO(str) char *text = lock_text(&draft, lock, NULL);
		OCIWP_AUTO(lock) ociwp_lock *again = NULL;
		cr_assert_eq(ociwp_lock_parse((ociw_span){text, strlen(text)}, NULL, &again, NULL), 0);
		cr_assert_eq(again->components[0].file_count, 3000);
		cr_assert_str_eq(again->components[0].files[2999].path, "f02999");
		if (first)
			cr_assert_str_eq(text, first);
		else
			first = ociwp_steal(&text);
	}
}

Test(lock_layer, one_that_is_given_up_ends_with_its_thread)
{
	ociwp_draft draft;
	ociwp_lock *lock = NULL;
	ociwp_lock_layer layer;
	draft_begin(&draft, &lock, LOCK);
	add_many(&draft.components[0]);
	cr_assert_eq(ociwp_lock_layer_begin(&draft, NULL, &layer, NULL), 0);
	ociwp_lock_layer_deinit(&layer);
	ociwp_lock_layer_deinit(&layer);
	ociw_content_free(draft_end(&draft, lock));
}

Test(lock_layer, a_failure_beside_is_told_at_the_end)
{
	ociwp_draft draft;
	ociwp_lock *lock = NULL;
	ociwp_lock_layer layer;
	ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;
	draft_begin(&draft, &lock, LOCK);
	add_many(&draft.components[0]);
	draft.temp_dir = "/nowhere/at/all";
	cr_assert_eq(ociwp_lock_layer_begin(&draft, NULL, &layer, NULL), 0);
	cr_assert_lt(ociwp_lock_layer_end(&layer, draft.memory, &desc, &err), 0);
	cr_assert(strstr(ociw_error_message(err), "locked app"), "%s", ociw_error_message(err));
	cr_assert(strstr(ociw_error_message(err), "/nowhere/at/all"), "%s", ociw_error_message(err));
	ociw_error_free(err);
	ociwp_lock_layer_deinit(&layer);
	ociw_content_free(draft_end(&draft, lock));
}
