/* SPDX-License-Identifier: Apache-2.0
 *
 * The single seam of allocation, overflow-checked. Tests wrap these to fail allocation 1..n.
 * Memory is released with plain free().
 */
#ifndef OCIW_BASE_ALLOC_H
#define OCIW_BASE_ALLOC_H

#include <oci-wasm/export.h>
#include <stdlib.h>

/* All give NULL when memory ran out; size 0 gives a unique pointer as if 1 had been asked for. */
void *ociwp_malloc(size_t size) __attribute__((malloc));
void *ociwp_calloc(size_t count, size_t size) __attribute__((malloc));
void *ociwp_realloc(void *memory, size_t size);
void *ociwp_realloc_array(void *memory, size_t count, size_t size);
char *ociwp_strdup(const char *text) __attribute__((malloc));
char *ociwp_strndup(const char *text, size_t len) __attribute__((malloc));
void *ociwp_memdup(const void *data, size_t len) __attribute__((malloc));

#define ociwp_new(type) ((__typeof__(type) *)ociwp_calloc(1, sizeof(type)))

/* Scope cleanup: OCIWP_AUTO(str) char *name = NULL; set to empty at declaration, steal on success. */
#define OCIWP_AUTO(kind) __attribute__((cleanup(ociwp_cleanup_##kind)))
#define OCIWP_DEFINE_AUTO(kind, type, release)                                                       \
	static inline void ociwp_cleanup_##kind(type *p)                                             \
	{                                                                                            \
		if (*p)                                                                              \
			release(*p);                                                                 \
	}
#define ociwp_steal(pp)                                                                              \
	__extension__({                                                                              \
		__typeof__(pp) pp_ = (pp);                                                           \
		__typeof__(*pp_) value_ = *pp_;                                                      \
		*pp_ = NULL;                                                                         \
		value_;                                                                              \
	})

static inline void ociwp_cleanup_str(char **p)
{
	free(*p);
}
static inline void ociwp_cleanup_mem(void *p)
{
	free(*(void **)p);
}
void ociwp_cleanup_fd(int *fd); /* closes when >= 0, keeps errno */
static inline int ociwp_steal_fd(int *fd)
{
	int value = *fd;
	*fd = -1;
	return value;
}

/* Checked arithmetic: true when the result fits. */
#define ociwp_add_ok(a, b, out) (!__builtin_add_overflow((a), (b), (out)))
#define ociwp_mul_ok(a, b, out) (!__builtin_mul_overflow((a), (b), (out)))
#define ociwp_sub_ok(a, b, out) (!__builtin_sub_overflow((a), (b), (out)))

#define OCIWP_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
