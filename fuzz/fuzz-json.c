/* SPDX-License-Identifier: Apache-2.0
 *
 * Differential: what the strict front accepts, jansson alone reads to the same value; what only jansson
 * accepts, the front refuses for one of its own rules. What is written reads back equal, and writing
 * it again gives the same bytes.
 */
#include "codec/json-writer.h"
#include "codec/json.h"
#include "fuzz-assert.h"
#include <string.h>

static void write_value(const json_t *value, bool sort, ociwp_buf *out)
{
	ociwp_json_writer *w;
	FUZZ_ASSERT(ociwp_json_writer_new(NULL, out, &w, NULL) == 0);
	ociwp_json_value(w, value, sort);
	FUZZ_ASSERT(ociwp_json_writer_finish(w, NULL) == 0);
}

static void check_round_trip(const json_t *value, bool sort)
{
	OCIWP_AUTO(buf) ociwp_buf first = OCIWP_BUF_INIT;
	OCIWP_AUTO(buf) ociwp_buf second = OCIWP_BUF_INIT;
	OCIWP_AUTO(json) json_t *again = NULL;

	write_value(value, sort, &first);
	/* Written text may be longer than what was read, so its tree has more room. */
	FUZZ_ASSERT(ociwp_json_parse(ociwp_buf_span(&first), "again", 0, &again, NULL) == 0 ||
		    first.len > 1 << 16);
	if (!again)
		return;
	FUZZ_ASSERT(json_equal(value, again));
	write_value(again, sort, &second);
	FUZZ_ASSERT(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OCIWP_AUTO(json) json_t *ours = NULL;
	OCIWP_AUTO(json) json_t *theirs = NULL;
	ociw_error *err = NULL;
	int r = ociwp_json_parse((ociw_span){data, size}, "input", 0, &ours, &err);

	FUZZ_ASSERT((r == 0) == (ours != NULL) && (r < 0) == (err != NULL));
	theirs = json_loadb((const char *)data, size, 0, NULL);
	if (r == 0) {
		FUZZ_ASSERT(theirs && json_equal(ours, theirs));
		check_round_trip(ours, false);
		check_round_trip(ours, true);
	} else if (theirs) {
		const char *why = ociw_error_message(err);
		FUZZ_ASSERT(r == OCIW_ERR_LIMIT || strstr(why, "duplicate member name") ||
			    strstr(why, "number too long"));
	}
	ociw_error_free(err);
	return 0;
}
