/* SPDX-License-Identifier: Apache-2.0
 *
 * Entries of allowed_outbound_hosts and allowed_http_hosts: what is converted is valid in the new
 * form.
 */
#include "base/buf.h"
#include "spin/hosts.h"

static void convert(const char *entry)
{
	OCIWP_AUTO(str) char *host = NULL;
	OCIWP_AUTO(buf) ociwp_buf url = OCIWP_BUF_INIT;
	ociwp_host_error why;
	if (ociwp_http_host_parse(entry, &host, &why) < 0)
		return;
	ociwp_buf_printf(&url, "https://%s", host);
	if (!url.failed && !ociwp_host_valid(url.data, &why))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OCIWP_AUTO(str) char *entry = ociwp_strndup((const char *)data, size);
	ociwp_host_error why;
	if (!entry)
		return 0;
	(void)ociwp_host_valid(entry, &why);
	(void)ociwp_host_chains(entry);
	convert(entry);
	return 0;
}
