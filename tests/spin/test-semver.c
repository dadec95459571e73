/* SPDX-License-Identifier: Apache-2.0 */
#include "spin/names.h"

#include <criterion/criterion.h>
#include <string.h>

static ociwp_semver v(const char *text)
{
	ociwp_semver version;
	cr_assert(ociwp_semver_parse(text, strlen(text), &version), "%s", text);
	return version;
}

Test(semver, full_versions_are_read)
{
	ociwp_semver x = v("1.20.300-alpha.1+build.01");
	cr_assert(x.major == 1 && x.minor == 20 && x.patch == 300);
	cr_assert_eq(x.pre_len, 7);
	cr_assert_eq(x.build_len, 8);
}

Test(semver, anything_less_or_more_is_refused)
{
	static const char *const bad[] = {"",          "1",
	                                  "1.2",       "1.2.3.4",
	                                  "01.2.3",    "1.2.3-",
	                                  "1.2.3+",    "v1.2.3",
	                                  "1.2.3-01",  "1.2.3-a..b",
	                                  "1.2.3 ",    " 1.2.3",
	                                  "1.2.3+a_b", "99999999999999999999.0.0",
	                                  "1.2.x"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(bad); i++) {
		ociwp_semver version;
		cr_assert_not(ociwp_semver_parse(bad[i], strlen(bad[i]), &version), "%s", bad[i]);
	}
}

/* The order of semver.org item 11, with build metadata as the last word (2.1). */
Test(semver, versions_are_ordered)
{
	static const char *const order[] = {
	        "0.9.9",      "1.0.0-alpha",  "1.0.0-alpha.1", "1.0.0-alpha.beta",
	        "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
	        "1.0.0",      "1.0.0+1",      "1.0.0+2",       "1.0.0+a",
	        "1.0.1",      "1.1.0",        "2.0.0"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(order); i++) {
		for (size_t k = 0; k < OCIWP_ARRAY_LEN(order); k++) {
			ociwp_semver x = v(order[i]), y = v(order[k]);
			int got = ociwp_semver_compare(&x, &y);
			cr_assert_eq((got > 0) - (got < 0), (i > k) - (i < k), "%s %s", order[i],
			             order[k]);
		}
	}
}

static bool compatible(const char *a, const char *b)
{
	ociwp_semver x = v(a), y = v(b);
	return ociwp_semver_compatible(&x, &y);
}

/* spin.md 1.3: compat-normalisation. */
Test(semver, compatibility_counts_the_first_part_that_is_not_zero)
{
	cr_assert(compatible("1.0.0", "1.9.9"));
	cr_assert(compatible("0.1.0", "0.1.7"));
	cr_assert(compatible("1.0.0+a", "1.0.0+b"));
	cr_assert_not(compatible("0.1.0", "0.2.0"));
	cr_assert_not(compatible("0.0.1", "0.0.2"));
	cr_assert_not(compatible("1.0.0-rc.1", "1.0.0"));
	cr_assert_not(compatible("1.0.0-rc.1", "1.0.0-rc.2"));
}

Test(semver, requirements_are_recognised)
{
	static const char *const good[] = {"*",     "1",      "1.2",       "1.2.3",         "^1.2",
	                                   "~1",    "=1.2.3", ">=1.2, <2", "> 1.0.0-rc.1",  "1.*",
	                                   "1.2.*", " 1 ",    "1.x",       ">=0.1.0,<0.2.0"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(good); i++)
		cr_assert(ociwp_semver_requirement_valid(good[i]), "%s", good[i]);
	static const char *const bad[] = {"",       "a",   "1,", ",1",     "1.2.3.4",
	                                  "*,1",    "=*",  "01", "1..2",   "1.*.2",
	                                  "1.2-rc", "1 2", ">=", "latest", "1.2.3-"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(bad); i++)
		cr_assert_not(ociwp_semver_requirement_valid(bad[i]), "%s", bad[i]);
}
