/* SPDX-License-Identifier: Apache-2.0
 *
 * Lets the n-th allocation of the library fail. Include in one source of a test and link it with
 * failing_alloc_args of tests/meson.build; each flow is then run with n = 1, 2, ... until it
 * succeeds.
 */
#ifndef OCIW_TESTS_FAILING_ALLOC_H
#define OCIW_TESTS_FAILING_ALLOC_H

#include "base/alloc.h"

/* 0: nothing fails. Otherwise counts down; at 1 this call fails and all later ones work again. */
static unsigned long failing_alloc_countdown;
static unsigned long failing_alloc_failed; /* how many did */

static bool failing_alloc_now(void)
{
	if (failing_alloc_countdown == 0 || --failing_alloc_countdown > 0)
		return false;
	failing_alloc_failed++;
	return true;
}

#define FAILING_ALLOC(name, declared, passed)                                                      \
	void *__real_##name declared;                                                              \
	void *__wrap_##name declared;                                                              \
	void *__wrap_##name declared                                                               \
	{                                                                                          \
		return failing_alloc_now() ? NULL : __real_##name passed;                          \
	}

/* alloc.c calls itself directly, so that each request is counted once. */
FAILING_ALLOC(ociwp_malloc, (size_t size), (size))
FAILING_ALLOC(ociwp_calloc, (size_t count, size_t size), (count, size))
FAILING_ALLOC(ociwp_realloc, (void *memory, size_t size), (memory, size))
FAILING_ALLOC(ociwp_realloc_array, (void *memory, size_t count, size_t size), (memory, count, size))
FAILING_ALLOC(ociwp_strdup, (const char *text), (text))
FAILING_ALLOC(ociwp_strndup, (const char *text, size_t len), (text, len))
FAILING_ALLOC(ociwp_memdup, (const void *data, size_t len), (data, len))

#endif
