/* SPDX-License-Identifier: Apache-2.0 */
#include "apps.h"

#include <sys/resource.h>

#define D "sha256:8f130c368901b6a1a48ad421cf506120ab51333017be8b95dce9f6462a505035"
#define HEAD "{\"spin_lock_version\":0,\"triggers\":[],\"components\":["
#define SOURCE "\"source\":{\"content_type\":\"application/wasm\",\"digest\":\"" D "\"}"
#define COMPONENT(rest) HEAD "{\"id\":\"a\"," SOURCE rest "}]}"
#define FILE_ENTRY(text) COMPONENT(",\"files\":[" text "]")

static int parse(const char *text, ociwp_lock **lock, ociw_error **err)
{
	return ociwp_lock_parse((ociw_span){text, strlen(text)}, NULL, lock, err);
}

static ociwp_lock *parsed(const char *text)
{
	ociwp_lock *lock = NULL;
	ociw_error *err = NULL;
	cr_assert_eq(parse(text, &lock, &err), 0, "%s", err ? ociw_error_message(err) : "");
	return lock;
}

static void assert_bad(const char *text, ociw_code code, const char *part)
{
	ociwp_lock *lock = NULL;
	ociw_error *err = NULL;
	int r = parse(text, &lock, &err);
	cr_assert_eq(r, code, "%d for %s", r, text);
	cr_assert_not_null(strstr(ociw_error_message(err), part), "%s", ociw_error_message(err));
	ociw_error_free(err);
}

/* spin.md 2.2 */
Test(lock_read, versions_up_to_one_are_known)
{
	ociwp_lock_free(parsed("{\"spin_lock_version\":1,\"triggers\":[],\"components\":[]}"));
	assert_bad("{\"spin_lock_version\":2,\"triggers\":[],\"components\":[]}",
	           OCIW_ERR_UNSUPPORTED, "version 2");
	assert_bad("{\"spin_lock_version\":\"0\",\"triggers\":[],\"components\":[]}",
	           OCIW_ERR_FORMAT, "spin_lock_version");
	assert_bad("{\"triggers\":[],\"components\":[]}", OCIW_ERR_FORMAT, "spin_lock_version");
	assert_bad("[]", OCIW_ERR_FORMAT, "not an object");
}

Test(lock_read, triggers_and_components_are_needed)
{
	assert_bad("{\"spin_lock_version\":0,\"triggers\":[]}", OCIW_ERR_FORMAT, "components");
	assert_bad("{\"spin_lock_version\":0,\"components\":[]}", OCIW_ERR_FORMAT, "triggers");
	assert_bad("{\"spin_lock_version\":0,\"triggers\":[{}],\"components\":[]}", OCIW_ERR_FORMAT,
	           "triggers[0]");
}

Test(lock_read, unknown_fields_are_ignored)
{
	ociwp_lock *lock = parsed(
	        "{\"spin_lock_version\":0,\"new\":{\"x\":[1]},\"triggers\":[],\"components\":"
	        "[{\"id\":\"a\",\"new\":1," SOURCE "}]}");
	cr_assert_str_eq(lock->components[0].id, "a");
	ociwp_lock_free(lock);
}

Test(lock_read, what_must_be_understood_is_checked)
{
	assert_bad("{\"spin_lock_version\":1,\"must_understand\":[\"flying\"],\"triggers\":[],"
	           "\"components\":[]}",
	           OCIW_ERR_UNSUPPORTED, "\"flying\"");
	assert_bad("{\"spin_lock_version\":1,\"must_understand\":[1],\"triggers\":[],"
	           "\"components\":[]}",
	           OCIW_ERR_UNSUPPORTED, "must be understood");
}

Test(lock_read, host_requirements_are_known_or_optional)
{
	ociwp_lock *lock = parsed(COMPONENT(",\"host_requirements\":{\"new\":\"optional\","
	                                    "\"middleware\":\"required\"}"));
	cr_assert_eq(json_object_size(lock->components[0].host_requirements), 1);
	ociwp_lock_free(lock);
	assert_bad(COMPONENT(",\"host_requirements\":{\"new\":\"required\",\"b\":1}"),
	           OCIW_ERR_UNSUPPORTED, "\"new\", \"b\"");
	assert_bad("{\"spin_lock_version\":1,\"host_requirements\":{\"z\":true},\"triggers\":[],"
	           "\"components\":[]}",
	           OCIW_ERR_UNSUPPORTED, "\"z\"");
}

/* spin.md 7.3 item 5, 4.3: ids, digests, paths. */
Test(lock_read, ids_are_one_component_of_a_path)
{
	static const char *const bad[] = {"", ".", "..", "../x", "a/b", "/etc"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(bad); i++) {
		char text[400];
		snprintf(text, sizeof(text), HEAD "{\"id\":\"%s\"," SOURCE "}]}", bad[i]);
		assert_bad(text, OCIW_ERR_UNSAFE, "component id");
	}
	assert_bad(HEAD "{\"id\":\"a\"," SOURCE "},{\"id\":\"a\"," SOURCE "}]}", OCIW_ERR_FORMAT,
	           "two components have the id");
}

Test(lock_read, digests_are_sha256_in_lower_hex)
{
	static const char *const bad[] = {
	        "../../etc/passwd",
	        "sha256:",
	        "sha256:zz",
	        "sha512:8f130c368901b6a1a48ad421cf506120ab51333017be8b95dce9f6462a505035",
	        "sha256:8F130c368901b6a1a48ad421cf506120ab51333017be8b95dce9f6462a505035",
	        D "0"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(bad); i++) {
		char text[500];
		snprintf(text, sizeof(text), FILE_ENTRY("{\"digest\":\"%s\",\"path\":\"p\"}"),
		         bad[i]);
		assert_bad(text, OCIW_ERR_UNSAFE, "components[0].files[0]: digest");
		snprintf(text, sizeof(text),
		         HEAD
		         "{\"id\":\"a\",\"source\":{\"content_type\":\"x\",\"digest\":\"%s\"}}]}",
		         bad[i]);
		assert_bad(text, OCIW_ERR_UNSAFE, "digest");
	}
}

Test(lock_read, paths_have_normal_parts_only)
{
	static const char *const bad[] = {"",    "/",  "/a",   "../a", "a/../b",
	                                  "./a", "a/", "a//b", "a/.",  "."};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(bad); i++) {
		char text[400];
		snprintf(text, sizeof(text), FILE_ENTRY("{\"digest\":\"" D "\",\"path\":\"%s\"}"),
		         bad[i]);
		assert_bad(text, OCIW_ERR_UNSAFE, "invalid file mount");
	}
	assert_bad(FILE_ENTRY("{\"digest\":\"" D "\"}"), OCIW_ERR_FORMAT, "path");
}

Test(lock_read, an_escaped_path_is_judged_unescaped)
{
	assert_bad(FILE_ENTRY("{\"digest\":\"" D "\",\"path\":\"\\u002e\\u002e/x\"}"),
	           OCIW_ERR_UNSAFE, "invalid file mount");
	ociwp_lock *lock = parsed(FILE_ENTRY("{\"digest\":\"" D "\",\"path\":\"a\\u0062\\\"\"}"));
	cr_assert_str_eq(lock->components[0].files[0].path, "ab\"");
	ociwp_lock_free(lock);
}

Test(lock_read, inline_is_padded_or_not)
{
	ociwp_lock *lock =
	        parsed(FILE_ENTRY("{\"inline\":\"YQ\",\"path\":\"a\"},{\"inline\":\"YQ==\","
	                          "\"path\":\"b\"},{\"inline\":\"\",\"path\":\"c\"}"));
	const ociwp_lock_file *files = lock->components[0].files;
	cr_assert_eq(lock->components[0].file_count, 3);
	cr_assert(files[0].content.bytes_len == 1 && *(char *)files[0].content.bytes == 'a');
	cr_assert_eq(files[1].content.bytes_len, 1);
	cr_assert(files[2].content.bytes != NULL && files[2].content.bytes_len == 0);
	ociwp_lock_free(lock);
	assert_bad(FILE_ENTRY("{\"inline\":\"Y!\",\"path\":\"a\"}"), OCIW_ERR_FORMAT, "base64");
}

Test(lock_read, content_must_be_named)
{
	assert_bad(FILE_ENTRY("{\"path\":\"a\"}"), OCIW_ERR_FORMAT, "no content is named");
	assert_bad(FILE_ENTRY("{\"digest\":null,\"path\":\"a\"}"), OCIW_ERR_FORMAT,
	           "no content is named");
	assert_bad(HEAD "{\"id\":\"a\",\"source\":{\"content_type\":\"x\"}}]}", OCIW_ERR_FORMAT,
	           "no content is named");
	assert_bad(HEAD "{\"id\":\"a\"}]}", OCIW_ERR_FORMAT, "source");
}

Test(lock_read, files_are_a_strict_list)
{
	static const char *const bad[] = {"1",
	                                  "{}",
	                                  "{\"digest\":\"" D "\",\"path\":\"a\"},",
	                                  "{\"digest\":\"" D "\",\"path\":\"a\"} {\"path\":\"b\"}",
	                                  "{\"path\":\"a\",\"path\":\"b\",\"digest\":\"" D "\"}",
	                                  "{\"path\":[,\"digest\":\"" D "\"}"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(bad); i++) {
		char text[700];
		snprintf(text, sizeof(text), FILE_ENTRY("%s"), bad[i]);
		ociwp_lock *lock = NULL;
		cr_assert_eq(parse(text, &lock, NULL), OCIW_ERR_FORMAT, "%s", bad[i]);
	}
}

Test(lock_read, keys_written_with_escapes_are_the_same_keys)
{
	ociwp_lock *lock =
	        parsed("{\"spin_lock_version\":0,\"triggers\":[],\"\\u0063omponents\":[{\"id\":"
	               "\"a\"," SOURCE ",\"files\":[{\"digest\":\"" D "\",\"path\":\"p\"}]}]}");
	cr_assert_eq(lock->components[0].file_count, 1);
	ociwp_lock_free(lock);
	lock = parsed(COMPONENT(",\"\\u0066iles\":[{\"digest\":\"" D "\",\"path\":\"p\"}]"));
	cr_assert_eq(lock->components[0].file_count, 1);
	ociwp_lock_free(lock);
	assert_bad(COMPONENT(",\"files\":[],\"\\u0066iles\":[]"), OCIW_ERR_FORMAT, "");
}

Test(lock_read, values_of_env_and_config_are_text)
{
	assert_bad(COMPONENT(",\"env\":{\"A\":1}"), OCIW_ERR_FORMAT, "env");
	assert_bad(COMPONENT(",\"config\":{\"A\":null}"), OCIW_ERR_FORMAT, "config");
}

Test(lock_read, dependencies_are_checked_too)
{
	assert_bad(COMPONENT(",\"dependencies\":{\"x\":{\"source\":{\"content_type\":\"x\","
	                     "\"digest\":\"../x\"}}}"),
	           OCIW_ERR_UNSAFE, "digest");
	assert_bad(COMPONENT(",\"trigger_dependencies\":{\"m\":[{\"source\":{\"content_type\":"
	                     "\"x\",\"digest\":"
	                     "\"../x\"}}]}"),
	           OCIW_ERR_UNSAFE, "digest");
	assert_bad(COMPONENT(",\"trigger_dependencies\":{\"m\":1}"), OCIW_ERR_FORMAT, "no list");
	assert_bad(COMPONENT(",\"dependencies\":{\"x\":1}"), OCIW_ERR_FORMAT, "no object");
}

Test(lock_read, size_and_number_are_limited)
{
	ociw_limits limits = OCIW_LIMITS_INIT;
	ociw_op op = OCIW_OP_INIT;
	ociwp_lock *lock = NULL;
	op.limits = &limits;
	static const char text[] = FILE_ENTRY(
	        "{\"digest\":\"" D "\",\"path\":\"a\"},{\"digest\":\"" D "\",\"path\":\"b\"}");
	limits.max_entries = 1;
	cr_assert_eq(ociwp_lock_parse((ociw_span){text, strlen(text)}, &op, &lock, NULL),
	             OCIW_ERR_LIMIT);
	limits.max_entries = 0;
	limits.max_lock_bytes = 100;
	cr_assert_eq(ociwp_lock_parse((ociw_span){text, strlen(text)}, &op, &lock, NULL),
	             OCIW_ERR_LIMIT);
}

/* The figure of the project: at most 8 times the size of the text. */
Test(lock_read, twenty_thousand_files_need_little_memory)
{
	ociwp_buf text = OCIWP_BUF_INIT;
	ociwp_buf_puts(&text, HEAD "{\"id\":\"a\"," SOURCE ",\"files\":[");
	for (int i = 0; i < 20000; i++)
		ociwp_buf_printf(
		        &text,
		        "%s{\"digest\":\"sha256:%064x\",\"path\":\"dir%03d/sub/file%05d.html\"}",
		        i ? "," : "", i, i % 100, i);
	ociwp_buf_puts(&text, "]}]}");
	struct rusage before, after;
	getrusage(RUSAGE_SELF, &before);
	ociwp_lock *lock = NULL;
	cr_assert_eq(ociwp_lock_parse(ociwp_buf_span(&text), NULL, &lock, NULL), 0);
	getrusage(RUSAGE_SELF, &after);
	cr_assert_eq(lock->components[0].file_count, 20000);
	cr_assert_str_eq(lock->components[0].files[19999].path, "dir099/sub/file19999.html");
	/* Sanitizers keep freed memory and pad what is used. */
#if !defined(__SANITIZE_ADDRESS__)
	cr_assert_lt((size_t)(after.ru_maxrss - before.ru_maxrss) * 1024, 8 * text.len);
#endif
	ociwp_lock_free(lock);
	ociwp_buf_deinit(&text);
}
