/* SPDX-License-Identifier: Apache-2.0 */
#include <oci-wasm/content.h>
#include <oci-wasm/version.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

Test(version, the_library_says_what_the_headers_say)
{
	char text[32];

	snprintf(text, sizeof(text), "%d.%d.%d", OCIW_VERSION_MAJOR, OCIW_VERSION_MINOR,
		 OCIW_VERSION_PATCH);
	cr_assert_str_eq(ociw_version(), text);
	cr_assert_str_eq(OCIW_VERSION_STRING, text);
}

Test(version, free_takes_null)
{
	ociw_free(NULL);
	ociw_free(malloc(1));
}
