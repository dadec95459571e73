/* SPDX-License-Identifier: Apache-2.0
 *
 * Fails the n-th allocation of a flow, of the library's own and of jansson's. A test program that uses
 * this links fail-alloc.c with -Wl,--wrap=malloc,--wrap=realloc.
 */
#ifndef OCIW_TESTS_FAIL_ALLOC_H
#define OCIW_TESTS_FAIL_ALLOC_H

#include <oci-wasm/error.h>

/* One run of what is tested, from nothing to freed; gives its code. */
typedef int (*fail_alloc_flow)(void *data, ociw_error **err);

/* Runs a flow with allocation 1, 2, 3 ... failing, until it needs no more. Each run must end in
 * OCIW_ERR_NOMEM and an error that says so; the last must succeed. Leaks are for the sanitizer.
 * Gives the number of allocations. */
size_t fail_alloc_each(const char *name, fail_alloc_flow flow, void *data);

#endif
