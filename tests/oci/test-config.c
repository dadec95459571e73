/* SPDX-License-Identifier: Apache-2.0
 *
 * Image configs (CFG-1, CFG-2, CFG-5). Rows re-expressed after image-spec's schema/config_test.go,
 * with the repairs of oci-client.md D7.
 */
#include "oci/manifest.h"
#include <criterion/criterion.h>
#include <string.h>

#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define D "\"sha256:" HEX "\""

static int parse(const char *text, ociwp_config **out, ociw_error **err)
{
	return ociwp_config_parse((ociw_span){text, strlen(text)}, NULL, out, err);
}

Test(config, gives_what_is_used)
{
	OCIWP_AUTO(config) ociwp_config *c = NULL;
	cr_assert_eq(parse("{\"architecture\":\"wasm\",\"os\":\"wasip1\",\"variant\":\"v1\","
			   "\"config\":{\"Entrypoint\":[\"/\"],\"Cmd\":[\"a\",\"b\"],"
			   "\"Env\":[\"A=1\",\"B=\"],\"WorkingDir\":\"/w\",\"Labels\":{\"k\":\"v\"}},"
			   "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[" D "," D "]}}",
			   &c, NULL),
		     0);
	cr_expect_str_eq(c->architecture, "wasm");
	cr_expect_str_eq(c->os, "wasip1");
	cr_expect_str_eq(c->variant, "v1");
	cr_expect_str_eq(c->entrypoint[0], "/");
	cr_expect_null(c->entrypoint[1]);
	cr_expect_str_eq(c->cmd[1], "b");
	cr_expect_str_eq(c->env[1], "B=");
	cr_expect_str_eq(c->working_dir, "/w");
	cr_expect_eq(c->diff_id_count, 2);
	cr_expect_str_eq(c->diff_ids[0], "sha256:" HEX);
	cr_expect_str_eq(ociwp_annotations_get(&c->labels, "k"), "v");
}

Test(config, absent_and_null_members_are_empty)
{
	static const char *const rows[] = {
		"{}",
		"{\"architecture\":null,\"config\":null,\"rootfs\":null}",
		("{\"config\":{\"Entrypoint\":null,\"Cmd\":null,\"Env\":null,\"Labels\":null,"
		 "\"WorkingDir\":null},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":null}}"),
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		OCIWP_AUTO(config) ociwp_config *c = NULL;
		cr_assert_eq(parse(rows[i], &c, NULL), 0, "%s", rows[i]);
		cr_expect_str_eq(c->architecture, "");
		cr_expect_str_eq(c->os, "");
		cr_expect_null(c->entrypoint);
		cr_expect_null(c->working_dir);
		cr_expect_eq(c->diff_id_count, 0);
		cr_expect_eq(c->labels.count, 0);
	}
}

Test(config, refuses_wrong_members)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"[]", "not a JSON object"},
		{"{\"os\":123}", "os is an integer"},
		{"{\"architecture\":[]}", "architecture is an array"},
		{"{\"config\":[]}", "config is an array"},
		{"{\"config\":{\"Entrypoint\":\"/x\"}}", "config.Entrypoint is a string"},
		{"{\"config\":{\"Cmd\":[1]}}", "config.Cmd[0] is not a string"},
		{"{\"config\":{\"Env\":[\"A=1\",7]}}", "config.Env[1] is not a string"},
		{"{\"config\":{\"Env\":[\"foo\"]}}", "config.Env[0] is no NAME=value"},
		{"{\"config\":{\"Env\":[\"=x\"]}}", "config.Env[0] is no NAME=value"},
		{"{\"config\":{\"Labels\":{\"k\":1}}}", "config.Labels: value of \"k\""},
		{"{\"rootfs\":{\"type\":\"disk\"}}", "rootfs.type is \"disk\""},
		{"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"x\"]}}",
		 "rootfs.diff_ids[0] is no digest"},
		{"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[1]}}",
		 "rootfs.diff_ids[0] is not a string"},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		ociwp_config *c = NULL;
		ociw_error *err = NULL;
		cr_expect_eq(parse(rows[i].text, &c, &err), OCIW_ERR_FORMAT, "%s", rows[i].text);
		cr_expect(err && strstr(ociw_error_message(err), rows[i].message), "%s: %s",
			  rows[i].text, ociw_error_message(err));
		ociw_error_free(err);
	}
}

Test(config, diff_ids_are_limited_as_layers_are)
{
	ociw_limits limits = OCIW_LIMITS_INIT;
	ociw_op op = OCIW_OP_INIT;
	ociwp_config *c = NULL;
	const char *text = "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[" D "," D "]}}";
	op.limits = &limits;
	limits.max_layers = 1;
	cr_expect_eq(ociwp_config_parse((ociw_span){text, strlen(text)}, &op, &c, NULL),
		     OCIW_ERR_LIMIT);
}
