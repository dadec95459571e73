/* SPDX-License-Identifier: Apache-2.0
 *
 * Digest values as text (oci-client.md DIG-1..5).
 */
#include "base/digest.h"
#include "base/error.h"
#include "base/str.h"

size_t ociwp_digest_size(ociw_digest_algorithm algorithm)
{
	switch (algorithm) {
	case OCIW_DIGEST_SHA256:
		return 32;
	case OCIW_DIGEST_SHA512:
		return 64;
	case OCIW_DIGEST_NONE:
		break;
	}
	return 0;
}

/* [a-z0-9]+([+._-][a-z0-9]+)* up to the colon; 0 when broken, else the length. */
static size_t algorithm_len(const char *text)
{
	size_t i = 0;

	for (;;) {
		size_t start = i;
		while (ociwp_is_lower(text[i]) || ociwp_is_digit(text[i]))
			i++;
		if (i == start)
			return 0;
		if (text[i] == ':')
			return i;
		if (!text[i] || !strchr("+._-", text[i]))
			return 0;
		i++;
	}
}

static ociw_digest_algorithm algorithm_of(const char *text, size_t len)
{
	if (len == 6 && memcmp(text, "sha256", 6) == 0)
		return OCIW_DIGEST_SHA256;
	if (len == 6 && memcmp(text, "sha512", 6) == 0)
		return OCIW_DIGEST_SHA512;
	return OCIW_DIGEST_NONE;
}

bool ociw_digest_is_valid(const char *text)
{
	size_t len = text ? algorithm_len(text) : 0;

	if (!len)
		return false;
	const char *encoded = text + len + 1;
	size_t n = strlen(encoded);
	if (!n)
		return false;
	ociw_digest_algorithm algorithm = algorithm_of(text, len);
	if (algorithm != OCIW_DIGEST_NONE) {
		uint8_t bytes[64];
		size_t size = ociwp_digest_size(algorithm);
		return n == 2 * size && ociwp_hex_decode(bytes, size, encoded);
	}
	for (size_t i = 0; i < n; i++) {
		if (!ociwp_is_alnum(encoded[i]) && !strchr("=_-", encoded[i]))
			return false;
	}
	return true;
}

int ociw_digest_parse(const char *text, ociw_digest *out, ociw_error **err)
{
	memset(out, 0, sizeof(*out));
	if (!ociw_digest_is_valid(text))
		return ociwp_fail(err, OCIW_ERR_INVALID,
				  "%s is not a digest; expected sha256: and 64 lower-case hex digits",
				  ociwp_quote(text));
	size_t len = algorithm_len(text);
	ociw_digest_algorithm algorithm = algorithm_of(text, len);
	if (algorithm == OCIW_DIGEST_NONE)
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
				  "digest algorithm %s cannot be verified; sha256 and sha512 can",
				  ociwp_quote_len(text, len));
	out->algorithm = (uint32_t)algorithm;
	out->len = (uint32_t)ociwp_digest_size(algorithm);
	(void)ociwp_hex_decode(out->bytes, out->len, text + len + 1);
	return 0;
}

const char *ociw_digest_format(const ociw_digest *digest, char out[OCIW_DIGEST_TEXT_MAX])
{
	size_t size = ociwp_digest_size((ociw_digest_algorithm)digest->algorithm);

	out[0] = '\0';
	if (!size)
		return out;
	memcpy(out, digest->algorithm == OCIW_DIGEST_SHA256 ? "sha256:" : "sha512:", 7);
	ociwp_hex_encode(out + 7, digest->bytes, size);
	return out;
}

bool ociw_digest_equal(const ociw_digest *a, const ociw_digest *b)
{
	return a->algorithm == b->algorithm && a->len == b->len &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
