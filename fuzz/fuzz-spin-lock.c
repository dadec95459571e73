/* SPDX-License-Identifier: Apache-2.0
 *
 * Locked apps: what is read is written, and the written text reads as itself.
 */
#include "base/buf.h"
#include "io/stream.h"
#include "spin/lock.h"

#include <string.h>

static bool rewrite(ociw_span text, ociwp_buf *out)
{
	OCIWP_AUTO(lock) ociwp_lock *lock = NULL;
	ociw_writer *writer = NULL;
	if (ociwp_lock_parse(text, NULL, &lock, NULL) < 0)
		return false;
	if (ociwp_writer_new_buf(out, 1 << 26, &writer, NULL) < 0)
		return false;
	if (ociwp_lock_write(lock, false, writer, NULL) < 0) {
		ociw_writer_abort(writer);
		return false;
	}
	return ociw_writer_commit(writer, NULL) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OCIWP_AUTO(buf) ociwp_buf once = OCIWP_BUF_INIT;
	OCIWP_AUTO(buf) ociwp_buf twice = OCIWP_BUF_INIT;
	if (!rewrite((ociw_span){data, size}, &once))
		return 0;
	if (!rewrite(ociwp_buf_span(&once), &twice) || once.len != twice.len ||
	    memcmp(once.data, twice.data, once.len) != 0)
		__builtin_trap();
	return 0;
}
