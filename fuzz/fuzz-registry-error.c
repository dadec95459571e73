/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies of failed answers: any bytes become one short line of valid UTF-8 without control bytes.
 */
#include "codec/registry-error.h"

#include "base/str.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ociwp_registry_error error;
	ociw_span body = {data, size};
	if (ociwp_registry_error_parse(body, &error, NULL) < 0)
		abort();
	size_t len = strlen(error.text);
	if (len > 600 || !ociwp_utf8_valid(error.text, len))
		abort();
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)error.text[i] < 0x20 || error.text[i] == 0x7F)
			abort();
	}
	if (error.code && !ociwp_registry_error_has(body, error.code))
		abort();
	ociwp_registry_error_deinit(&error);
	return 0;
}
