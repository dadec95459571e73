/* SPDX-License-Identifier: Apache-2.0
 *
 * Is there a registry, and does it take our credentials? HTTP-1, CRD-8.
 */
#include "registry/request.h"

int ociw_client_ping(ociw_client *client, const char *host, const ociw_op *op, ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
	ociwp_host *record;
	int r = ociwp_client_find_host(client, host, &record, err);
	if (r < 0)
		return r;
	ociwp_request request = {.method = "GET", .url = "/v2/"};
	r = ociwp_request_run(record, &request, op, &answer, NULL, err);
	if (r < 0)
		return r;
	if (answer.status == 404)
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "%s is no registry: %s: answer 404",
		                  record->name, answer.what);
	if (answer.status != 200)
		return ociwp_response_fail(&answer, op, err);
	ociwp_response_drain(&answer, op);
	return 0;
}
