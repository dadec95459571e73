/* SPDX-License-Identifier: Apache-2.0
 *
 * file:// URLs of extracted apps; the documents themselves are looked at in test-extract-spin.c.
 */
#include "ops/extract-spin.h"

#include <criterion/criterion.h>

static const struct {
	const char *root, *path, *url;
} urls[] = {
	{"/srv", "wasm/a.wasm", "file:///srv/wasm/a.wasm"},
	{"/", "a", "file:///a"},
	{"/srv/", "a", "file:///srv/a"},
	{"/my app", "a#b?c%d", "file:///my%20app/a%23b%3Fc%25d"},
	{"/\303\244", "a\n", "file:///%C3%A4/a%0A"},
};

Test(extract_spin_local, urls_are_escaped)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(urls); i++) {
		ociwp_buf out = OCIWP_BUF_INIT;
		ociwp_spin_file_url(&out, urls[i].root, urls[i].path);
		cr_expect_str_eq(out.data, urls[i].url);
		ociwp_buf_deinit(&out);
	}
}
