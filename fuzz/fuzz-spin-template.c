/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates: every valid one expands within its bound, and a literal one to itself.
 */
#include "spin/template.h"

#include <string.h>

static const char *value(const char *name, size_t len, void *user_data)
{
	(void)user_data;
	return len ? (name[0] & 1 ? "{{ odd }}" : "even") : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OCIWP_AUTO(str) char *text = ociwp_strndup((const char *)data, size);
	OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
	bool complete;
	if (!text || !ociwp_template_valid(text))
		return 0;
	int r = ociwp_template_expand(text, value, NULL, 1000, &out, &complete);
	if (r == 0 && out.len > 1000)
		__builtin_trap();
	if (r == 0 && ociwp_template_is_literal(text) &&
	    strcmp(out.data ? out.data : "", text) != 0)
		__builtin_trap();
	return 0;
}
