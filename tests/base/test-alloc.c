/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

Test(alloc, an_array_whose_bytes_overflow_is_refused)
{
	cr_assert_null(ociwp_calloc(SIZE_MAX / 2, 3));
	cr_assert_null(ociwp_realloc_array(NULL, SIZE_MAX / 2, 3));
}

Test(alloc, nothing_is_still_a_pointer)
{
	OCIWP_AUTO(str) char *a = ociwp_malloc(0);
	OCIWP_AUTO(str) char *b = ociwp_memdup("", 0);

	cr_assert_not_null(a);
	cr_assert_not_null(b);
}

Test(alloc, strndup_ends_with_nul)
{
	OCIWP_AUTO(str) char *text = ociwp_strndup("abcdef", 3);

	cr_assert_str_eq(text, "abc");
}

Test(alloc, steal_empties_its_source)
{
	OCIWP_AUTO(str) char *text = ociwp_strdup("x");
	OCIWP_AUTO(str) char *stolen = ociwp_steal(&text);

	cr_assert_null(text);
	cr_assert_str_eq(stolen, "x");
}

Test(alloc, cleanup_of_a_descriptor_keeps_errno)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	errno = ENOTTY;
	ociwp_cleanup_fd(&fd);
	cr_assert_eq(errno, ENOTTY);
	cr_assert_eq(fcntl(fd, F_GETFD), -1);
}
