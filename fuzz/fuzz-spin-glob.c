/* SPDX-License-Identifier: Apache-2.0
 *
 * Patterns: the first line is the pattern, the rest a text. What matches within components matches
 * across them; a literal pattern matches itself alone.
 */
#include "spin/glob.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *pattern = (const char *)data;
	const char *line = size ? memchr(data, '\n', size) : NULL;
	size_t len = line ? (size_t)(line - pattern) : size;
	const char *text = line ? line + 1 : pattern + size;
	size_t text_len = size - len - (line != NULL);
	OCIWP_AUTO(glob) ociwp_glob *glob = NULL;
	const char *problem;
	size_t position;
	if (len > 4096 || text_len > 4096)
		return 0;
	if (ociwp_glob_new(pattern, len, &glob, &problem, &position) < 0)
		return 0;
	bool across = ociwp_glob_match(glob, text, text_len, false);
	bool within = ociwp_glob_match(glob, text, text_len, true);
	if (within && !across)
		__builtin_trap();
	if (ociwp_glob_is_literal(glob) &&
	    across != (len == text_len && memcmp(pattern, text, len) == 0))
		__builtin_trap();
	return 0;
}
