/* SPDX-License-Identifier: Apache-2.0
 *
 * registries.conf: any bytes are refused, or give entries that can be looked up and applied.
 */
#include "codec/registries-conf.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ociwp_registries_conf conf = {0};
	static const char name[] = "docker.io/library/hello";
	int r = ociwp_registries_conf_parse((ociw_span){data, size}, &conf, NULL);
	for (size_t i = 0; r == 0 && i < conf.count; i++) {
		const ociwp_registry_entry *entry = &conf.entries[i];
		const ociwp_registry_entry *found =
		        ociwp_registries_conf_find(&conf, entry->prefix);
		/* Itself, or a pattern that is as long and says more. */
		if (entry->prefix[0] != '*' &&
		    (!found || strlen(found->prefix) < strlen(entry->prefix)))
			abort();
		char *text = ociwp_registries_conf_rewrite(entry, "a.io", name);
		if (!text)
			abort();
		free(text);
	}
	(void)ociwp_registries_conf_find(&conf, name);
	ociwp_registries_conf_deinit(&conf);
	return 0;
}
