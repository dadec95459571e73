/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocation that fails on demand. One thread: the counters are the program's.
 */
#include "fail-alloc.h"
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool armed;
static size_t left; /* allocations that still succeed */
static bool failed;

static bool fails(void)
{
	if (!armed)
		return false;
	if (left > 0) {
		left--;
		return false;
	}
	/* Every later one too, as when memory has really run out. */
	failed = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return fails() ? NULL : __real_realloc(memory, size);
}

static void release(void *memory)
{
	free(memory);
}

size_t fail_alloc_each(const char *name, fail_alloc_flow flow, void *data)
{
	size_t n = 0;

	json_set_alloc_funcs(__wrap_malloc, release);
	for (;; n++) {
		ociw_error *err = NULL;
		left = n;
		failed = false;
		armed = true;
		int r = flow(data, &err);
		armed = false;
		if (!failed) {
			cr_assert_eq(r, 0, "%s: %d: %s", name, r, ociw_error_message(err));
			break;
		}
		cr_assert_eq(r, OCIW_ERR_NOMEM, "%s: allocation %zu failed, result %d: %s", name,
			     n + 1, r, ociw_error_message(err));
		cr_assert_eq(ociw_error_code(err), OCIW_ERR_NOMEM, "%s: allocation %zu", name, n + 1);
		ociw_error_free(err);
	}
	json_set_alloc_funcs(malloc, release);
	return n;
}
