/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiler glue of the public headers: visibility and attributes. Nothing else.
 */
#ifndef OCIW_EXPORT_H
#define OCIW_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define OCIW_API __attribute__((visibility("default")))
#define OCIW_NODISCARD __attribute__((warn_unused_result))
#define OCIW_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define OCIW_API
#define OCIW_NODISCARD
#define OCIW_PRINTF(fmt, args)
#endif

#ifdef __cplusplus
#define OCIW_BEGIN_DECLS extern "C" {
#define OCIW_END_DECLS }
#else
#define OCIW_BEGIN_DECLS
#define OCIW_END_DECLS
#endif

OCIW_BEGIN_DECLS

/** Borrowed bytes. A value: copied freely, owns nothing. `data` may be NULL only when `len` is 0. */
typedef struct ociw_span {
	const void *data;
	size_t len;
} ociw_span;

OCIW_END_DECLS

#endif
