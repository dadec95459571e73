/* SPDX-License-Identifier: Apache-2.0
 *
 * Streams: a reader and a writer over small tables of functions. Errors are sticky.
 */
#ifndef OCIW_IO_H
#define OCIW_IO_H

#include <oci-wasm/error.h>

OCIW_BEGIN_DECLS

/** A source of bytes. For one thread at a time. */
typedef struct ociw_reader ociw_reader;
/** A sink of bytes; nothing is visible at its far end before commit. For one thread at a time. */
typedef struct ociw_writer ociw_writer;

/** What a reader is made of. `self` is gone after close. */
typedef struct ociw_reader_ops {
	size_t size; /**< sizeof(ociw_reader_ops) */
	/** Reads at most @p len (> 0) bytes: > 0 read, 0 end, < 0 code. Short reads are normal. */
	ptrdiff_t (*read)(void *self, void *buf, size_t len, ociw_error **err);
	/** Ends the stream; the verdict of a verifying reader. Frees self in any case. */
	int (*close)(void *self, ociw_error **err);
} ociw_reader_ops;

/** What a writer is made of. `self` is gone after commit or abort. */
typedef struct ociw_writer_ops {
	size_t size; /**< sizeof(ociw_writer_ops) */
	/** Writes all bytes or fails. */
	int (*write)(void *self, const void *buf, size_t len, ociw_error **err);
	/** Publishes what was written. Frees self in any case. */
	int (*commit)(void *self, ociw_error **err);
	/** Drops what was written. Frees self. */
	void (*abort)(void *self);
} ociw_writer_ops;

/** Makes a reader of the caller's own functions. On failure @p self is closed.
 * @return 0 or OCIW_ERR_NOMEM. */
OCIW_API OCIW_NODISCARD int ociw_reader_new(const ociw_reader_ops *ops, void *take_self,
					    ociw_reader **out, ociw_error **err);
/** Reads at most @p len bytes: > 0 read, 0 end of stream, < 0 code. After an error the same again. */
OCIW_API ptrdiff_t ociw_reader_read(ociw_reader *reader, void *buf, size_t len, ociw_error **err);
/** Ends and frees a reader, and gives its verdict. NULL is fine. */
OCIW_API int ociw_reader_close(ociw_reader *take_reader, ociw_error **err);

/** Makes a writer of the caller's own functions. On failure @p self is aborted. */
OCIW_API OCIW_NODISCARD int ociw_writer_new(const ociw_writer_ops *ops, void *take_self,
					    ociw_writer **out, ociw_error **err);
/** Writes all of @p len bytes or fails; after an error the same again. */
OCIW_API OCIW_NODISCARD int ociw_writer_write(ociw_writer *writer, const void *buf, size_t len,
					      ociw_error **err);
/** Publishes and frees the writer; a writer that failed before is aborted and fails again. */
OCIW_API OCIW_NODISCARD int ociw_writer_commit(ociw_writer *take_writer, ociw_error **err);
/** Drops and frees the writer. NULL is fine. */
OCIW_API void ociw_writer_abort(ociw_writer *take_writer);

/** A reader over bytes in memory, which must outlive it. */
OCIW_API OCIW_NODISCARD int ociw_reader_new_memory(ociw_span borrowed, ociw_reader **out,
						   ociw_error **err);
/** A reader over a file descriptor, from its current position. @p take_fd is closed with it. */
OCIW_API OCIW_NODISCARD int ociw_reader_new_fd(int take_fd, ociw_reader **out, ociw_error **err);
/** A writer to a file descriptor that neither syncs nor renames; @p take_fd is closed with it. */
OCIW_API OCIW_NODISCARD int ociw_writer_new_fd(int take_fd, ociw_writer **out, ociw_error **err);

OCIW_END_DECLS

#endif
