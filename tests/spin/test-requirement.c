/* SPDX-License-Identifier: Apache-2.0
 *
 * Requirements as Cargo's book describes them (specs/spin.md 1.3: forms 1 and 2 of a dependency).
 */
#include "spin/names.h"

#include <criterion/criterion.h>
#include <string.h>

struct row {
	const char *requirement, *version;
	bool meets;
};

static void check(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		ociwp_semver version;
		cr_assert(ociwp_semver_requirement_valid(rows[i].requirement), "%s",
		          rows[i].requirement);
		cr_assert(ociwp_semver_parse(rows[i].version, strlen(rows[i].version), &version));
		cr_assert_eq(ociwp_semver_matches(rows[i].requirement, &version), rows[i].meets,
		             "%s %s", rows[i].requirement, rows[i].version);
	}
}

Test(requirement, a_bare_version_is_a_caret)
{
	static const struct row rows[] = {
	        {"1.2.3", "1.2.3", true},   {"1.2.3", "1.9.0", true},
	        {"1.2.3", "1.2.2", false},  {"1.2.3", "2.0.0", false},
	        {"^1.2", "1.2.0", true},    {"^1.2", "1.1.9", false},
	        {"^1", "1.0.0", true},      {"^0.2.3", "0.2.9", true},
	        {"^0.2.3", "0.3.0", false}, {"^0.0.3", "0.0.3", true},
	        {"^0.0.3", "0.0.4", false}, {"^0.0", "0.0.9", true},
	        {"^0.0", "0.1.0", false},   {"^0", "0.9.9", true},
	        {"^0", "1.0.0", false},     {"0.1.0", "0.1.0+build", true},
	};
	check(rows, OCIWP_ARRAY_LEN(rows));
}

Test(requirement, operators_compare)
{
	static const struct row rows[] = {
	        {"=1.2.3", "1.2.3", true},       {"=1.2.3", "1.2.4", false},
	        {"=1.2", "1.2.9", true},         {"=1.2", "1.3.0", false},
	        {">1.2.3", "1.2.4", true},       {">1.2.3", "1.2.3", false},
	        {">1.2", "1.2.9", false},        {">1.2", "1.3.0", true},
	        {">1", "2.0.0", true},           {">1", "1.9.9", false},
	        {">=1.2", "1.2.0", true},        {">=1.2", "1.1.9", false},
	        {"<2", "1.9.9", true},           {"<2", "2.0.0", false},
	        {"<=1.2", "1.2.9", true},        {"<=1.2", "1.3.0", false},
	        {"~1.2.3", "1.2.9", true},       {"~1.2.3", "1.3.0", false},
	        {"~1.2", "1.2.0", true},         {"~1", "1.9.0", true},
	        {"~1", "2.0.0", false},          {"1.*", "1.7.0", true},
	        {"1.*", "2.0.0", false},         {"0.2.*", "0.2.5", true},
	        {"1.2.x", "1.3.0", false},       {"*", "3.2.1", true},
	        {">= 1.2 , < 2", "1.5.0", true}, {">=1.2, <1.5", "1.5.0", false},
	        {"^1.2.*", "1.9.0", true},       {"1.2.*", "1.9.0", false},
	        {">=1.*", "2.0.0", true},
	};
	check(rows, OCIWP_ARRAY_LEN(rows));
}

Test(requirement, pre_releases_are_met_only_by_name)
{
	static const struct row rows[] = {
	        {"*", "1.0.0-rc.1", false},
	        {"^1.0.0-rc.1", "1.0.0-rc.2", true},
	        {"^1.0.0-rc.1", "1.0.0-alpha", false},
	        {"^1.0.0-rc.1", "1.0.1-rc.2", false},
	        {"^1.0.0-rc.1", "1.2.0", true},
	        {"=1.0.0-rc.1", "1.0.0-rc.1", true},
	        {">=1.0.0, <2.0.0-a", "1.5.0-b", false},
	};
	check(rows, OCIWP_ARRAY_LEN(rows));
}
