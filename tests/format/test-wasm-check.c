/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of format/wasm-check: what is wasm, what is cut off, what is something else.
 */
#include "format/wasm-check.h"
#include "base/str.h"
#include "io/stream.h"
#include "io/tmpblob.h"
#include <criterion/criterion.h>

#define COMPONENT "\0asm\x0d\0\1\0"
#define MODULE "\0asm\1\0\0\0"

static int check(const char *data, size_t len, enum ociwp_wasm_check how, ociw_error **err)
{
	OCIWP_AUTO(fd) int fd = -1;
	cr_assert_eq(ociwp_tmpblob_open(NULL, &fd, NULL), 0);
	cr_assert_eq(ociwp_pwrite_full(fd, data, len, 0), 0);
	return ociwp_wasm_check(fd, len, how, err);
}

static void expect(const char *data, size_t len, int code, const char *message)
{
	ociw_error *err = NULL;
	cr_assert_eq(check(data, len, OCIWP_WASM_CHECK_WALK, &err), code, "%s",
	             err ? ociw_error_message(err) : "no error");
	cr_assert(strstr(ociw_error_message(err), message), "%s", ociw_error_message(err));
	ociw_error_free(err);
}

Test(wasm_check, heads_alone_are_wasm)
{
	cr_assert_eq(check(COMPONENT, 8, OCIWP_WASM_CHECK_WALK, NULL), 0);
	cr_assert_eq(check(MODULE, 8, OCIWP_WASM_CHECK_WALK, NULL), 0);
}

Test(wasm_check, sections_to_the_end_are_wasm)
{
	static const char text[] = COMPONENT "\0\4\3pad\0\5\3pad?";
	cr_assert_eq(check(text, sizeof(text) - 1, OCIWP_WASM_CHECK_WALK, NULL), 0);
}

Test(wasm_check, a_section_longer_than_the_file_is_cut_off)
{
	static const char text[] = COMPONENT "\0\x64\3pad";
	expect(text, sizeof(text) - 1, OCIW_ERR_FORMAT, "cut off");
	cr_assert_eq(check(text, sizeof(text) - 1, OCIWP_WASM_CHECK_HEAD, NULL), 0);
}

Test(wasm_check, a_section_head_at_the_end_is_cut_off)
{
	static const char text[] = COMPONENT "\0\x80";
	expect(text, sizeof(text) - 1, OCIW_ERR_FORMAT, "cut off");
	expect(text, sizeof(text) - 2, OCIW_ERR_FORMAT, "cut off");
}

Test(wasm_check, a_size_of_more_than_32_bits_is_broken)
{
	static const char text[] = COMPONENT "\0\xff\xff\xff\xff\x7f";
	expect(text, sizeof(text) - 1, OCIW_ERR_FORMAT, "broken size");
}

Test(wasm_check, other_files_are_told_apart)
{
	static const char elf[] = "\x7f"
	                          "ELF\2\1\1\0\0\0\0\0\0\0\0\0";
	expect(elf, sizeof(elf) - 1, OCIW_ERR_UNSUPPORTED, "precompiled");
	expect("(module)", 8, OCIW_ERR_UNSUPPORTED, "wasm-tools parse");
	expect("hello, world", 12, OCIW_ERR_FORMAT, "not a wasm binary");
	expect("", 0, OCIW_ERR_FORMAT, "not a wasm binary");
	expect("\0asm", 4, OCIW_ERR_FORMAT, "not a wasm binary");
}

Test(wasm_check, the_walk_is_right_past_its_window)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociwp_buf_append(&text, COMPONENT, 8);
	for (size_t i = 0; i < 5000; i++)
		ociwp_buf_append(&text, "\0\4\3pad", 6);
	cr_assert_eq(check(text.data, text.len, OCIWP_WASM_CHECK_WALK, NULL), 0);
	cr_assert_eq(check(text.data, text.len - 1, OCIWP_WASM_CHECK_WALK, NULL), OCIW_ERR_FORMAT);
}

Test(wasm_check, the_outline_keeps_what_names_the_world_and_drops_the_rest)
{
	/* core module (1) and a nested component (4) go; custom (0) and import (10) stay */
	static const char text[] = COMPONENT "\1\3abc\0\4\3pad\4\2xy\x0a\1\0";
	static const char want[] = COMPONENT "\0\4\3pad\x0a\1\0";
	OCIWP_AUTO(fd) int fd = -1;
	OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
	cr_assert_eq(ociwp_tmpblob_open(NULL, &fd, NULL), 0);
	cr_assert_eq(ociwp_pwrite_full(fd, text, sizeof(text) - 1, 0), 0);
	cr_assert_eq(ociwp_wasm_outline(fd, sizeof(text) - 1, &out, NULL), 0);
	cr_assert_eq(out.len, sizeof(want) - 1);
	cr_assert_arr_eq(out.data, want, sizeof(want) - 1);
}
