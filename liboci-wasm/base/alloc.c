/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocation. Everything in the library comes through here, so that tests can fail the n-th call.
 */
#include "base/alloc.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void *ociwp_malloc(size_t size)
{
	return malloc(size ? size : 1);
}

void *ociwp_calloc(size_t count, size_t size)
{
	size_t bytes;

	if (!ociwp_mul_ok(count, size, &bytes))
		return NULL;
	void *memory = ociwp_malloc(bytes);
	if (memory)
		memset(memory, 0, bytes);
	return memory;
}

void *ociwp_realloc(void *memory, size_t size)
{
	return realloc(memory, size ? size : 1);
}

void *ociwp_realloc_array(void *memory, size_t count, size_t size)
{
	size_t bytes;

	if (!ociwp_mul_ok(count, size, &bytes))
		return NULL;
	return ociwp_realloc(memory, bytes);
}

void *ociwp_memdup(const void *data, size_t len)
{
	void *copy = ociwp_malloc(len);

	if (copy && len)
		memcpy(copy, data, len);
	return copy;
}

char *ociwp_strndup(const char *text, size_t len)
{
	size_t bytes;

	if (!ociwp_add_ok(len, 1U, &bytes))
		return NULL;
	char *copy = ociwp_malloc(bytes);
	if (!copy)
		return NULL;
	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *ociwp_strdup(const char *text)
{
	return ociwp_strndup(text, strlen(text));
}

void ociwp_cleanup_fd(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;
		close(*fd);
		errno = saved;
	}
}
