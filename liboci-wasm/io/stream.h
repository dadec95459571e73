/* SPDX-License-Identifier: Apache-2.0
 *
 * The front of readers and writers, and the combinators that every layer uses. Errors latch here.
 */
#ifndef OCIW_IO_STREAM_H
#define OCIW_IO_STREAM_H

#include "base/alloc.h"
#include "base/error.h"
#include "base/op.h"
#include <oci-wasm/digest.h>
#include <oci-wasm/io.h>

static inline void ociwp_discard_reader(ociw_reader *reader)
{
	(void)ociw_reader_close(reader, NULL);
}
OCIWP_DEFINE_AUTO(reader, ociw_reader *, ociwp_discard_reader)
OCIWP_DEFINE_AUTO(writer, ociw_writer *, ociw_writer_abort)

/* Reads until @p len bytes or the end: the count, or a code. */
ptrdiff_t ociwp_read_full(ociw_reader *reader, void *buf, size_t len, ociw_error **err);
/* Everything, at most @p max bytes (OCIW_ERR_LIMIT past it), with a NUL behind; closes the reader,
 * whose verdict counts. @p out is to be freed. */
int ociwp_read_all(ociw_reader *take_reader, uint64_t max, char **out, size_t *out_len,
		   ociw_error **err);
/* Reads to the end and closes: the verdict. */
int ociwp_reader_drain(ociw_reader *take_reader, ociw_error **err);
/* Copies to the end in 256 KiB steps; checks cancel; neither is closed. @p copied may be NULL. */
int ociwp_copy_stream(ociw_reader *from, ociw_writer *to, const ociw_op *op, uint64_t *copied,
		      ociw_error **err);

/* Running digest. EVP, without openssl.cnf. */
typedef struct ociwp_hasher ociwp_hasher;
int ociwp_hasher_new(ociw_digest_algorithm algorithm, ociwp_hasher **out, ociw_error **err);
void ociwp_hasher_free(ociwp_hasher *hasher);
void ociwp_hasher_update(ociwp_hasher *hasher, const void *data, size_t len);
/* Finishes; the hasher can only be freed or reset then. */
void ociwp_hasher_final(ociwp_hasher *hasher, ociw_digest *out);
void ociwp_hasher_reset(ociwp_hasher *hasher);
OCIWP_DEFINE_AUTO(hasher, ociwp_hasher *, ociwp_hasher_free)

/* A reader that gives its end only after exactly @p size bytes with @p digest came: OCIW_ERR_SIZE,
 * OCIW_ERR_DIGEST otherwise. Early close is OCIW_ERR_SIZE. Takes @p inner in any case. */
int ociwp_reader_verify(ociw_reader *take_inner, const ociw_digest *digest, uint64_t size,
			ociw_reader **out, ociw_error **err);
/* Passes bytes on and hashes them; when the end is reached *digest and *size (either may be NULL)
 * are set. They must outlive the reader. */
int ociwp_reader_hash(ociw_reader *take_inner, ociw_digest_algorithm algorithm, ociw_digest *digest,
		      uint64_t *size, ociw_reader **out, ociw_error **err);
/* OCIW_ERR_LIMIT at the first byte over @p max; @p what names it in the message (borrowed). */
int ociwp_reader_limit(ociw_reader *take_inner, uint64_t max, const char *what, ociw_reader **out,
		       ociw_error **err);
/* @p len bytes of a file from @p offset by pread (OCIW_ERR_SIZE when it is shorter). @p fd is
 * borrowed. */
int ociwp_reader_new_file_range(int fd, uint64_t offset, uint64_t len, ociw_reader **out,
				ociw_error **err);
/* A writer that appends to memory the caller owns, at most @p max bytes. */
struct ociwp_buf;
int ociwp_writer_new_buf(struct ociwp_buf *borrowed, uint64_t max, ociw_writer **out,
			 ociw_error **err);
/* Passes bytes on and hashes them; *digest and *size are set at commit. */
int ociwp_writer_hash(ociw_writer *take_inner, ociw_digest_algorithm algorithm, ociw_digest *digest,
		      uint64_t *size, ociw_writer **out, ociw_error **err);

/* True when @p name in @p dir still stands for what @p fd is open on: a lock that was waited for may be
 * that of a file which its holder removed. False also when that cannot be found out; errno says why. */
bool ociwp_is_named(int dir, const char *name, int fd);

/* Random bytes from the kernel, EINTR retried. 0 or errno. */
int ociwp_random(void *buf, size_t len);
/* write(2), pwrite(2) in full, EINTR retried. 0 or errno. */
int ociwp_write_full(int fd, const void *buf, size_t len);
int ociwp_pwrite_full(int fd, const void *buf, size_t len, uint64_t offset);

#endif
