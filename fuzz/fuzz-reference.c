/* SPDX-License-Identifier: Apache-2.0
 *
 * References and targets: what is accepted prints to text that parses to the same (REF-17), within the
 * grammar's bounds.
 */
#include "base/str.h"
#include "fuzz-assert.h"
#include <oci-wasm/reference.h>
#include <stdlib.h>
#include <string.h>

static void check_reference(const char *text)
{
	ociw_reference *ref = NULL, *again = NULL, *with = NULL;
	ociw_error *err = NULL;
	int r = ociw_reference_parse(text, &ref, &err);

	FUZZ_ASSERT((r == 0) == (ref != NULL) && (r < 0) == (err != NULL));
	if (r == 0) {
		FUZZ_ASSERT(ociw_reference_parse(ociw_reference_text(ref), &again, NULL) == 0);
		FUZZ_ASSERT(ociwp_streq(ociw_reference_text(ref), ociw_reference_text(again)));
		FUZZ_ASSERT(ociwp_streq(ociw_reference_host(ref), ociw_reference_host(again)));
		FUZZ_ASSERT(ociwp_streq(ociw_reference_tag(ref), ociw_reference_tag(again)));
		FUZZ_ASSERT(ociwp_streq(ociw_reference_digest(ref), ociw_reference_digest(again)));
		FUZZ_ASSERT(strlen(ociw_reference_host(ref)) + 1 +
				    strlen(ociw_reference_repository(ref)) <= 255);
		FUZZ_ASSERT(!strstr(ociw_reference_repository(ref), ".."));
		FUZZ_ASSERT(ociw_reference_with(ref, ociw_reference_tag(ref),
						ociw_reference_digest(ref), &with, NULL) == 0);
		FUZZ_ASSERT(ociwp_streq(ociw_reference_text(ref), ociw_reference_text(with)));
	}
	ociw_reference_free(ref);
	ociw_reference_free(again);
	ociw_reference_free(with);
	ociw_error_free(err);
}

static void check_target(const char *text)
{
	ociw_target *target = NULL;
	int r = ociw_target_parse(text, &target, NULL);

	FUZZ_ASSERT((r == 0) == (target != NULL));
	if (r == 0) {
		bool local = ociw_target_path(target) != NULL;
		ociw_target_kind kind = ociw_target_get_kind(target);
		FUZZ_ASSERT(local == (kind == OCIW_TARGET_LAYOUT || kind == OCIW_TARGET_ARCHIVE));
		FUZZ_ASSERT(!local || *ociw_target_path(target));
		FUZZ_ASSERT(!ociw_target_name(target) || *ociw_target_name(target));
	}
	ociw_target_free(target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	if (!text)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	check_reference(text);
	check_target(text);
	free(text);
	return 0;
}
