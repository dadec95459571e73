/* SPDX-License-Identifier: Apache-2.0
 *
 * Link headers: any bytes give a target that was in them, or none.
 */
#include "codec/link-header.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *next = NULL;
	if (ociwp_link_next((const char *)data, size, &next, NULL) < 0)
		abort();
	if (next && (!*next || strlen(next) > size))
		abort();
	free(next);
	return 0;
}
