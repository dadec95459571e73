/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests: what is accepted prints to the same text; platforms and media types ride along, being short
 * texts too.
 */
#include "base/str.h"
#include "codec/mediatype.h"
#include "fuzz-assert.h"
#include <oci-wasm/digest.h>
#include <oci-wasm/platform.h>
#include <stdlib.h>
#include <string.h>

static void check_digest(const char *text)
{
	ociw_digest digest;
	char out[OCIW_DIGEST_TEXT_MAX];
	int r = ociw_digest_parse(text, &digest, NULL);

	FUZZ_ASSERT(r == 0 || r == OCIW_ERR_INVALID || r == OCIW_ERR_UNSUPPORTED);
	FUZZ_ASSERT(ociw_digest_is_valid(text) == (r != OCIW_ERR_INVALID));
	if (r == 0)
		FUZZ_ASSERT(ociwp_streq(ociw_digest_format(&digest, out), text));
	/* A digest becomes a path in layouts. */
	if (r != OCIW_ERR_INVALID)
		FUZZ_ASSERT(!strchr(text, '/') && !strstr(text, ".."));
}

static void check_platform(const char *text)
{
	ociw_platform *platform = NULL, *again = NULL;

	if (ociw_platform_parse(text, &platform, NULL) < 0)
		return;
	FUZZ_ASSERT(ociw_platform_parse(ociw_platform_text(platform), &again, NULL) == 0);
	FUZZ_ASSERT(ociwp_streq(ociw_platform_text(platform), ociw_platform_text(again)));
	FUZZ_ASSERT(ociw_platform_matches(platform, again));
	ociw_platform_free(platform);
	ociw_platform_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	if (!text)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	check_digest(text);
	check_platform(text);
	if (ociwp_mediatype_is_valid(text))
		FUZZ_ASSERT(strlen(text) <= 255 && strchr(text, '/'));
	free(text);
	return 0;
}
