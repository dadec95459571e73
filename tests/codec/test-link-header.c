/* SPDX-License-Identifier: Apache-2.0
 *
 * Link headers: which target is next (TAG-1; vector V35 re-expressed).
 */
#include "codec/link-header.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *value, *next; /* NULL: none */
} rows[] = {
        {"</v2/a/tags/list?last=b&n=2>; rel=\"next\"", "/v2/a/tags/list?last=b&n=2"},
        {"</v2/a/tags/list?last=b>;rel=next", "/v2/a/tags/list?last=b"},
        {"<https://r.example/v2/_catalog?last=x>; rel=NEXT",
         "https://r.example/v2/_catalog?last=x"},
        {"<a>; title=\"x; rel=next\"; rel=prev", NULL},
        {"<a>; rel=prev, <b>; rel=next", "b"},
        {"<a>; title=\"one, two\"; rel=next", "a"},
        {"<a,b>; rel=next", "a,b"},
        {"<a>; rel=\"last next\"", "a"},
        {"<a>; REL = next", "a"},
        {"<a>;x;rel=next", "a"},
        {"<>; rel=next", NULL},
        {"<a>", NULL},
        {"<a>; rel=nextpage", NULL},
        {"<a; rel=next", NULL},
        {"a; rel=next", NULL},
        {"", NULL},
};

Test(link_header, the_target_of_rel_next_is_found)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *out = NULL;
		cr_assert_eq(ociwp_link_next(rows[i].value, strlen(rows[i].value), &out, NULL), 0);
		if (rows[i].next)
			cr_assert_str_eq(out ? out : "(none)", rows[i].next, "%s", rows[i].value);
		else
			cr_assert_null(out, "%s", rows[i].value);
		free(out);
	}
}

Test(link_header, a_target_with_a_nul_is_no_target)
{
	char *out = NULL;
	cr_assert_eq(ociwp_link_next("<a\0b>; rel=next", 15, &out, NULL), 0);
	cr_assert_null(out);
}
