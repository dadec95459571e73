/* SPDX-License-Identifier: Apache-2.0
 *
 * Something that becomes a blob, or part of one: a local file, a range of a spool, bytes, or a blob of
 * another content, with its size and digest once they are known. format/source.h reads them.
 */
#ifndef OCIW_OCI_SOURCE_H
#define OCIW_OCI_SOURCE_H

#include "oci/memory.h"

typedef enum ociwp_source_kind {
	OCIWP_SOURCE_FILE = 0,
	OCIWP_SOURCE_RANGE,  /* `fd` from `offset` */
	OCIWP_SOURCE_BYTES,  /* only `bytes` */
	OCIWP_SOURCE_CONTENT /* a blob of `content` */
} ociwp_source_kind;

/* Small on purpose: an app may have hundreds of thousands. */
typedef struct ociwp_source {
	uint8_t kind;        /* ociwp_source_kind */
	uint8_t checked;     /* a file: the check of wasm that it passed (format/wasm-check.h), or 0 */
	bool known : 1;      /* size and sha256 (and bytes, when small) are set */
	bool looked : 1;     /* a file: stamp and size are how it looked a moment ago */
	bool readable : 1;   /* then: this user may read it; false does not say that it may not */
	bool settled : 1;    /* hashed by us, when it had not changed for a while: any change since
	                         shows in its stamp */
	bool executable : 1; /* a file of an app: the owner's x bit */
	int fd;              /* borrowed */
	union {
		const char *path; /* borrowed */
		uint64_t offset;
		ociw_content *content; /* borrowed */
	} from;
	uint64_t size;
	void *bytes; /* owned; all of it when size <= OCIWP_INLINE_MAX, or kind is BYTES */
	ociwp_file_stamp stamp; /* of a file, when it was hashed; goes with `size` */
	uint8_t sha256[32];
} ociwp_source;

/* A file of an app. The walk of the app's folders makes an array of them for each component, which is
 * filled in while the app is packed: with very many files no second one fits into memory. */
typedef struct ociwp_file {
	const char *path; /* as the guest sees it: relative, '/'-separated; borrowed */
	ociwp_source source;
} ociwp_file;

#endif
