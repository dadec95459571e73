/* SPDX-License-Identifier: Apache-2.0
 *
 * WWW-Authenticate: any bytes are read to some challenges, in a bounded number.
 */
#include "codec/www-authenticate.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ociwp_challenges all = {0};
	/* Twice: several headers add up. */
	if (ociwp_challenges_parse((const char *)data, size, &all, NULL) < 0 ||
	    ociwp_challenges_parse((const char *)data, size, &all, NULL) < 0)
		abort();
	const ociwp_challenge *picked = ociwp_challenges_pick(&all);
	if (all.count > OCIWP_CHALLENGES_MAX)
		abort();
	if (picked && picked->scheme == OCIWP_AUTH_OTHER)
		abort();
	ociwp_challenges_deinit(&all);
	return 0;
}
