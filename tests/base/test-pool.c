/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Test(pool, texts_stay_where_they_are)
{
	enum { COUNT = 5000 };
	ociwp_pool pool = {0};
	char *kept[COUNT], text[64];
	for (int i = 0; i < COUNT; i++) {
		snprintf(text, sizeof(text), "folder-%d/file-%d.html", i % 7, i);
		kept[i] = ociwp_pool_strdup(&pool, text);
		cr_assert_not_null(kept[i]);
	}
	for (int i = 0; i < COUNT; i++) {
		snprintf(text, sizeof(text), "folder-%d/file-%d.html", i % 7, i);
		cr_assert_str_eq(kept[i], text);
	}
	ociwp_pool_deinit(&pool);
	ociwp_pool_deinit(&pool); /* empty again */
}

Test(pool, one_text_may_be_larger_than_a_block)
{
	ociwp_pool pool = {0};
	char *small = ociwp_pool_strdup(&pool, "small");
	char *large = ociwp_pool_alloc(&pool, 1 << 20), *next = ociwp_pool_strdup(&pool, "next");
	cr_assert(small && large && next);
	memset(large, 'x', 1 << 20);
	cr_expect_str_eq(small, "small");
	cr_expect_str_eq(next, "next");
	ociwp_pool_deinit(&pool);
}

Test(pool, a_length_that_no_memory_has_is_refused)
{
	ociwp_pool pool = {0};
	cr_expect_null(ociwp_pool_alloc(&pool, SIZE_MAX));
	cr_expect_null(ociwp_pool_alloc(&pool, SIZE_MAX - 8));
	cr_expect_not_null(ociwp_pool_alloc(&pool, 0));
	ociwp_pool_deinit(&pool);
}
