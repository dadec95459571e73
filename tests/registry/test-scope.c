/* SPDX-License-Identifier: Apache-2.0
 *
 * Scope sets (AUT-5; vector V24 re-expressed).
 */
#include "registry/scope.h"

#include "base/buf.h"
#include <criterion/criterion.h>
#include <stdio.h>

static const struct {
	const char *in, *out;
} rows[] = {
        {"repository:a:pull", "repository:a:pull"},
        {"repository:a:push,pull,push", "repository:a:pull,push"},
        {"repository:a:pull repository:a:push", "repository:a:pull,push"},
        {"repository:b:pull repository:a:pull", "repository:b:pull repository:a:pull"},
        {"repository:a:pull,* repository:a:push", "repository:a:*"},
        {"repository:localhost:5000/x:pull", "repository:localhost:5000/x:pull"},
        {"repository:localhost:5000/x:pull repository:localhost:5000/x:push",
         "repository:localhost:5000/x:pull,push"},
        {"registry:catalog:*", "registry:catalog:*"},
        {"repository:a:", ""},
        {"repository:a:,", "repository:a"},
        {"other", "other"},
        {"only:two only:two", "only:two"},
        {"  repository:a:pull \t repository:a:pull ", "repository:a:pull"},
        {"", ""},
};

Test(scope, sets_are_merged_and_their_actions_sorted)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ociwp_scopes scopes = {0};
		OCIWP_AUTO(buf) ociwp_buf all = OCIWP_BUF_INIT;
		ociwp_buf_puts(&all, "");
		cr_assert_eq(ociwp_scopes_add(&scopes, rows[i].in, NULL), 0);
		for (size_t k = 0; k < scopes.count; k++) {
			char *text = ociwp_scope_text(&scopes.items[k]);
			ociwp_buf_printf(&all, "%s%s", k ? " " : "", text);
			free(text);
		}
		cr_assert_str_eq(all.data ? all.data : "", rows[i].out, "%s", rows[i].in);
		ociwp_scopes_deinit(&scopes);
	}
}

static const struct {
	const char *whole, *part;
	bool covered;
} covers[] = {
        {"repository:a:pull,push", "repository:a:pull", true},
        {"repository:a:pull", "repository:a:pull,push", false},
        {"repository:a:*", "repository:a:pull,push,delete", true},
        {"repository:a:pull", "repository:b:pull", false},
        {"repository:a:pull repository:b:pull", "repository:b:pull", true},
        {"repository:a:pull", "", true},
        {"", "repository:a:pull", false},
};

Test(scope, a_set_covers_what_is_in_it)
{
	for (size_t i = 0; i < sizeof(covers) / sizeof(covers[0]); i++) {
		ociwp_scopes whole = {0}, part = {0};
		cr_assert_eq(ociwp_scopes_add(&whole, covers[i].whole, NULL), 0);
		cr_assert_eq(ociwp_scopes_add(&part, covers[i].part, NULL), 0);
		cr_assert_eq(ociwp_scopes_cover(&whole, &part), covers[i].covered, "%s",
		             covers[i].part);
		ociwp_scopes_deinit(&whole);
		ociwp_scopes_deinit(&part);
	}
}

Test(scope, a_set_stays_under_its_cap)
{
	ociwp_scopes scopes = {0};
	char text[64];
	for (int i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "repository:r%d:pull repository:a:x%d", i, i);
		cr_assert_eq(ociwp_scopes_add(&scopes, text, NULL), 0);
	}
	cr_assert_eq(scopes.count, OCIWP_SCOPES_MAX);
	ociwp_scopes_deinit(&scopes);
}

Test(scope, merging_adds_the_other_set)
{
	ociwp_scopes a = {0}, b = {0};
	cr_assert_eq(ociwp_scopes_add_repository(&a, "x", "pull", NULL), 0);
	cr_assert_eq(ociwp_scopes_add(&b, "repository:x:push repository:y:pull", NULL), 0);
	cr_assert_eq(ociwp_scopes_merge(&a, &b, NULL), 0);
	cr_assert(ociwp_scopes_cover(&a, &b));
	cr_assert_eq(a.count, 2);
	ociwp_scopes_deinit(&a);
	ociwp_scopes_deinit(&b);
}
