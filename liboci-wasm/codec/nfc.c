/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables are libunistring's, which libcurl's host names bring to every process of ours anyway.
 */
#include "codec/nfc.h"
#include "base/str.h"
#include <errno.h>
#if OCIWP_HAVE_UNISTRING
#include <uninorm.h>
#endif

bool ociwp_nfc_is_there(void)
{
	return OCIWP_HAVE_UNISTRING;
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text > 0x7f)
			return false;
	return true;
}

char *ociwp_nfc(const char *text)
{
	if (is_ascii(text) || !ociwp_utf8_valid(text, strlen(text)))
		return ociwp_strdup(text);
#if OCIWP_HAVE_UNISTRING
	size_t len = 0;
	uint8_t *made = u8_normalize(UNINORM_NFC, (const uint8_t *)text, strlen(text), NULL, &len);
	if (made) {
		char *copy = ociwp_strndup((const char *)made, len);
		free(made);
		return copy;
	}
	if (errno == ENOMEM)
		return NULL;
#endif
	return ociwp_strdup(text);
}
