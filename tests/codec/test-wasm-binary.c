/* SPDX-License-Identifier: Apache-2.0
 *
 * Kinds, names and metadata of wasm binaries (wasm-formats.md 2.2-2.4), against the lists that wkg
 * made of the same files.
 */
#include "base/buf.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/wasm-binary.h"
#include "io/stream.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define MODULE "\0asm\x01\0\0\0"
#define COMPONENT "\0asm\x0d\0\x01\0"
#define BYTES(text) {text, sizeof(text) - 1}
#define SPAN(text) ((ociw_span)BYTES(text))

static int parse(ociw_span binary, ociwp_wasm_info **out, ociw_error **err)
{
	/* An exact copy, so that sanitizers see a read past the end. */
	OCIWP_AUTO(mem) void *copy = ociwp_memdup(binary.data, binary.len);
	return ociwp_wasm_parse((ociw_span){copy, binary.len}, out, err);
}

Test(wasm_binary, heads_tell_the_kind)
{
	static const struct {
		ociw_span head;
		ociwp_wasm_kind kind;
	} rows[] = {
		{{MODULE, 8}, OCIWP_WASM_MODULE},
		{{COMPONENT, 8}, OCIWP_WASM_COMPONENT},
		{{"\0asm\x0e\0\x01\0", 8}, OCIWP_WASM_COMPONENT},
		{{"\0asm\x02\0\0\0", 8}, OCIWP_WASM_NONE},
		{{"\0asm\x01\0\0", 7}, OCIWP_WASM_NONE},
		{{"", 0}, OCIWP_WASM_NONE},
		{{"\x7f" "ELF\x02\x01\x01\0", 8}, OCIWP_WASM_NATIVE},
		{{"\xcf\xfa\xed\xfe\0\0\0\0", 8}, OCIWP_WASM_NATIVE},
		{{"MZ\x90\0\x03\0\0\0", 8}, OCIWP_WASM_NATIVE},
		{{"(module)", 8}, OCIWP_WASM_TEXT},
		{{" ;; x\n(component", 16}, OCIWP_WASM_TEXT},
		{{"(; x ;) (", 9}, OCIWP_WASM_TEXT},
		{{"(list", 5}, OCIWP_WASM_NONE},
		{{"\x1f\x8b\x08\0\0\0\0\0", 8}, OCIWP_WASM_NONE},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++)
		cr_expect_eq(ociwp_wasm_sniff(rows[i].head.data, rows[i].head.len), rows[i].kind,
			     "row %zu", i);
}

static char *read_file(const char *name, size_t *len)
{
	char path[4096];
	char *data = NULL;
	ociw_reader *reader = NULL;
	snprintf(path, sizeof(path), "%s/%s", getenv("OCIW_TESTDATA"), name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(ociw_reader_new_fd(fd, &reader, NULL), 0);
	cr_assert_eq(ociwp_read_all(reader, 1 << 24, &data, len, NULL), 0);
	return data;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void expect_names(char **names, size_t count, const json_t *array, bool sorted,
			 const char *what)
{
	const char *want[64];
	cr_assert_eq(json_array_size(array), count, "%s: %zu names, not %zu", what, count,
		     json_array_size(array));
	cr_assert_leq(count, OCIWP_ARRAY_LEN(want));
	for (size_t i = 0; i < count; i++)
		want[i] = json_string_value(json_array_get(array, i));
	if (sorted)
		qsort(want, count, sizeof(*want), by_text);
	for (size_t i = 0; i < count; i++)
		cr_expect_str_eq(names[i], want[i], "%s: %s, not %s", what, names[i], want[i]);
}

/* wkg's config of a component has the names in file order, of a package in random order. */
static void check_golden(const char *name, ociwp_wasm_kind kind)
{
	char file[256];
	size_t len;
	OCIWP_AUTO(wasm_info) ociwp_wasm_info *info = NULL;
	OCIWP_AUTO(json) json_t *config = NULL;
	snprintf(file, sizeof(file), "golden/wkg/%s.wasm", name);
	OCIWP_AUTO(str) char *binary = read_file(file, &len);
	cr_assert_eq(parse((ociw_span){binary, len}, &info, NULL), 0, "%s", name);
	cr_expect_eq(info->kind, kind, "%s is %d", name, info->kind);
	cr_expect_not(info->not_introspectable, "%s", name);
	snprintf(file, sizeof(file), "golden/wkg/%s.config.json", name);
	OCIWP_AUTO(str) char *text = read_file(file, &len);
	cr_assert_eq(ociwp_json_parse((ociw_span){text, len}, file, 0, &config, NULL), 0);
	const json_t *component = json_object_get(config, "component");
	bool sorted = kind == OCIWP_WASM_PACKAGE;
	expect_names(info->imports, info->import_count, json_object_get(component, "imports"),
		     sorted, name);
	expect_names(info->exports, info->export_count, json_object_get(component, "exports"),
		     sorted, name);
}

Test(wasm_binary, lists_are_those_of_wkg)
{
	check_golden("hello-component", OCIWP_WASM_COMPONENT);
	check_golden("interfaces", OCIWP_WASM_COMPONENT);
	check_golden("nothing", OCIWP_WASM_COMPONENT);
	check_golden("plain-funcs", OCIWP_WASM_COMPONENT);
	check_golden("prerelease", OCIWP_WASM_COMPONENT);
	check_golden("interfaces.wit", OCIWP_WASM_PACKAGE);
	check_golden("nothing.wit", OCIWP_WASM_PACKAGE);
	check_golden("plain-funcs.wit", OCIWP_WASM_PACKAGE);
	check_golden("prerelease.wit", OCIWP_WASM_PACKAGE);
}

Test(wasm_binary, core_modules_have_no_lists)
{
	size_t len;
	OCIWP_AUTO(wasm_info) ociwp_wasm_info *info = NULL;
	OCIWP_AUTO(str) char *binary = read_file("golden/wkg/hello-module.wasm", &len);
	cr_assert_eq(parse((ociw_span){binary, len}, &info, NULL), 0);
	cr_expect_eq(info->kind, OCIWP_WASM_MODULE);
	cr_expect_eq(info->import_count + info->export_count, 0);
}

/* simple_component.wat of runwasi, assembled (wasm-formats.md 6.1). */
static const char thunk[] =
	"0061736d0d00010001400061736d010000000104016000000303020000071602057468756e6b00000a7468756e"
	"6b2d7472617000010a080202000b0300000b0009046e616d650002016d02040100000007050140000100060b01"
	"00000100057468756e6b080601000000000007050140000100061001000001000a7468756e6b2d747261700806"
	"0100000100010b1a0200057468756e6b010000000a7468756e6b2d74726170010100001f0e636f6d706f6e656e"
	"742d6e616d65010600110100016d0106001201000169";

Test(wasm_binary, exports_of_plain_functions_are_listed)
{
	uint8_t bytes[202];
	OCIWP_AUTO(wasm_info) ociwp_wasm_info *info = NULL;
	cr_assert_eq(strlen(thunk), 404);
	cr_assert(ociwp_hex_decode(bytes, sizeof(bytes), thunk));
	cr_assert_eq(parse((ociw_span){bytes, sizeof(bytes)}, &info, NULL), 0);
	cr_expect_eq(info->kind, OCIWP_WASM_COMPONENT);
	cr_assert_eq(info->export_count, 2);
	cr_expect_str_eq(info->exports[0], "thunk");
	cr_expect_str_eq(info->exports[1], "thunk-trap");
	cr_expect_eq(info->import_count, 0);
}

Test(wasm_binary, every_cut_of_a_component_is_handled)
{
	uint8_t bytes[202];
	cr_assert(ociwp_hex_decode(bytes, sizeof(bytes), thunk));
	for (size_t len = 0; len < sizeof(bytes); len++) {
		OCIWP_AUTO(wasm_info) ociwp_wasm_info *info = NULL;
		int r = parse((ociw_span){bytes, len}, &info, NULL);
		cr_expect(r == 0 || r == OCIW_ERR_FORMAT || (len < 8 && r == OCIW_ERR_UNSUPPORTED),
			  "%zu bytes: %d", len, r);
	}
}

Test(wasm_binary, metadata_sections_are_text_and_the_last_one_wins)
{
	OCIWP_AUTO(wasm_info) ociwp_wasm_info *info = NULL;
	cr_assert_eq(parse(SPAN(MODULE "\0\x0a\x07" "authorsAB"
				       "\0\x0a\x07" "authorsCD"
				       "\0\x08\x07" "version"
				       "\0\x09\x06" "source\xff\xff"
				       "\0\x09\x06" "sourceo\0"
				       "\0\x0e\x0b" "descriptionX\n"
				       "\0\x0d\x04" "name\x01\0\0\x04\x03" "app"),
			   &info, NULL),
		     0);
	cr_expect_str_eq(info->authors, "CD");
	cr_expect_str_eq(info->version, "");
	cr_expect_null(info->source);
	cr_expect_str_eq(info->description, "X\n");
	cr_expect_str_eq(info->name, "app");
	cr_expect_null(info->licenses);
}

Test(wasm_binary, components_have_a_name_section_of_their_own)
{
	OCIWP_AUTO(wasm_info) ociwp_wasm_info *info = NULL;
	cr_assert_eq(parse(SPAN(COMPONENT "\0\x14\x0e" "component-name\0\x03\x02" "ab"
					  "\0\x0a\x04" "name\0\x03\x02" "xy"),
			   &info, NULL),
		     0);
	cr_expect_str_eq(info->name, "ab");
	cr_expect_eq(info->kind, OCIWP_WASM_COMPONENT);
}

Test(wasm_binary, broken_structure_is_named_with_its_offset)
{
	static const struct {
		ociw_span binary;
		const char *message;
	} rows[] = {
		{BYTES(MODULE "\x01"), "byte 9: ends too early"},
		{BYTES(MODULE "\x01\x05"), "byte 10: section is longer than what holds it"},
		{BYTES(MODULE "\x01\xff\xff\xff\xff\xff\0"), "number of more than 32 bits"},
		{BYTES(MODULE "\0\x02\x05" "a"), "byte 11: name is longer than what holds it"},
		{BYTES(MODULE "\0\x03\x02\xff\xff"), "byte 11: name is no UTF-8"},
		{BYTES(COMPONENT "\x0b\x02\x01\0"), "ends too early"},
		{BYTES(COMPONENT "\x0b\x02\0\0"), "bytes behind the last item of a section"},
		{BYTES(COMPONENT "\x0a\x08\x01\0\x03" "a\0b\x01\0"), "NUL in a name"},
		{BYTES(COMPONENT "\x0b\x07\x01\0\x01" "a\x01\0\x02"), "neither present nor absent"},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		ociwp_wasm_info *info = NULL;
		ociw_error *err = NULL;
		cr_expect_eq(parse(rows[i].binary, &info, &err), OCIW_ERR_FORMAT, "row %zu", i);
		cr_expect(err && strstr(ociw_error_message(err), rows[i].message), "row %zu: %s", i,
			  ociw_error_message(err));
		ociw_error_free(err);
	}
}

Test(wasm_binary, what_is_unknown_ends_the_walk_but_not_the_metadata)
{
	OCIWP_AUTO(wasm_info) ociwp_wasm_info *info = NULL;
	cr_assert_eq(parse(SPAN(COMPONENT "\x07\x02\x01\x01"
					  "\x0b\x07\x01\0\x01" "a\x01\0\0"
					  "\0\x0a\x07" "authorsAB"),
			   &info, NULL),
		     0);
	cr_expect(info->not_introspectable);
	cr_expect_eq(info->export_count, 0);
	cr_expect_str_eq(info->authors, "AB");
}

Test(wasm_binary, later_component_versions_are_not_walked)
{
	OCIWP_AUTO(wasm_info) ociwp_wasm_info *info = NULL;
	cr_assert_eq(parse(SPAN("\0asm\x0e\0\x01\0\xff\xff"), &info, NULL), 0);
	cr_expect_eq(info->kind, OCIWP_WASM_COMPONENT);
	cr_expect(info->not_introspectable);
}

Test(wasm_binary, what_is_no_wasm_is_told_what_to_do)
{
	static const struct {
		ociw_span binary;
		const char *message;
	} rows[] = {
		{BYTES("(module)"), "wat2wasm"},
		{BYTES("\x7f" "ELF\x02\x01\x01\0\0"), "native code"},
		{BYTES("hello"), "not a wasm binary"},
		{{NULL, 0}, "not a wasm binary"},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		ociwp_wasm_info *info = NULL;
		ociw_error *err = NULL;
		cr_expect_eq(ociwp_wasm_parse(rows[i].binary, &info, &err), OCIW_ERR_UNSUPPORTED);
		cr_expect(strstr(ociw_error_message(err), rows[i].message), "%s",
			  ociw_error_message(err));
		ociw_error_free(err);
	}
	ociwp_wasm_info_free(NULL);
}

/* Many exports of one large component type: read again only within the budget. */
Test(wasm_binary, a_package_that_names_one_type_often_stays_linear)
{
	OCIWP_AUTO(buf) ociwp_buf b = OCIWP_BUF_INIT;
	OCIWP_AUTO(wasm_info) ociwp_wasm_info *info = NULL;
	ociwp_buf_append(&b, COMPONENT, 8);
	/* type: component with 60 declarations "type bool" */
	ociwp_buf_append(&b, "\x07\x7b\x01\x41\x3c", 5);
	for (int i = 0; i < 60; i++)
		ociwp_buf_append(&b, "\x01\x7f", 2);
	/* 50 exports "a" of type 0 */
	ociwp_buf_append(&b, "\x0b\xad\x02\x32", 4);
	for (int i = 0; i < 50; i++)
		ociwp_buf_append(&b, "\0\x01" "a\x03\0\0", 6);
	cr_assert_eq(parse(ociwp_buf_span(&b), &info, NULL), 0);
	cr_expect_eq(info->kind, OCIWP_WASM_PACKAGE);
	cr_expect(info->not_introspectable);
}
