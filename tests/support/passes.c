/* SPDX-License-Identifier: Apache-2.0
 *
 * A Criterion program without a fault, for the test of run-criterion.sh.
 */
#include <criterion/criterion.h>

Test(self, passes)
{
	cr_assert_eq(1 + 1, 2);
}
