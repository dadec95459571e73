/* SPDX-License-Identifier: Apache-2.0
 *
 * A Criterion program whose test passes and leaks: run-criterion.sh has to notice.
 */
#include <stdlib.h>

#include <criterion/criterion.h>

static void *volatile lost;

Test(self, leaks)
{
	lost = malloc(100);
	cr_assert_not_null(lost);
	lost = NULL;
}
