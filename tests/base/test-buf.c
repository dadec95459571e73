/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <criterion/criterion.h>
#include <string.h>

Test(buf, appends_of_every_kind_make_one_text)
{
	OCIWP_AUTO(buf) ociwp_buf buf = OCIWP_BUF_INIT;

	ociwp_buf_append(&buf, "ab", 2);
	ociwp_buf_puts(&buf, "cd");
	ociwp_buf_putc(&buf, '-');
	ociwp_buf_printf(&buf, "%03d", 7);
	cr_assert_eq(ociwp_buf_check(&buf, NULL), 0);
	cr_assert_str_eq(buf.data, "abcd-007");
	cr_assert_eq(buf.len, 8);
}

Test(buf, an_append_too_large_sticks)
{
	OCIWP_AUTO(buf) ociwp_buf buf = OCIWP_BUF_INIT;

	ociwp_buf_puts(&buf, "x");
	cr_assert_not(ociwp_buf_reserve(&buf, SIZE_MAX));
	ociwp_buf_puts(&buf, "y");
	cr_assert_eq(ociwp_buf_check(&buf, NULL), OCIW_ERR_NOMEM);
	cr_assert_null(ociwp_buf_steal(&buf));
}

Test(buf, stealing_an_empty_buffer_gives_an_empty_text)
{
	OCIWP_AUTO(buf) ociwp_buf buf = OCIWP_BUF_INIT;
	OCIWP_AUTO(str) char *text = ociwp_buf_steal(&buf);

	cr_assert_str_eq(text, "");
}

Test(buf, growth_keeps_what_was_there)
{
	OCIWP_AUTO(buf) ociwp_buf buf = OCIWP_BUF_INIT;

	for (int i = 0; i < 10000; i++)
		ociwp_buf_putc(&buf, (char)('a' + i % 26));
	cr_assert_eq(buf.len, 10000);
	cr_assert_eq(buf.data[9999], 'a' + 9999 % 26);
	ociwp_buf_clear(&buf);
	cr_assert_str_eq(buf.data, "");
}
