/* SPDX-License-Identifier: Apache-2.0
 *
 * Words for refusals that come without any: an answer to HEAD has no body, so the question is put once more as
 * a GET, and only when it is an error anyway (ERR-1, ERR-4).
 */
#include "registry/request.h"

#include "base/str.h"
#include "registry/retry.h"

/* Who is asked to wait must not ask more often, and what is absent needs no words. */
static bool may_have_words(const ociwp_request *request, int status)
{
	return ociwp_streq(request->method, "HEAD") && status >= 400 && status < 500 &&
	       status != 404 && !ociwp_retry_status(status);
}

int ociwp_refused_explain(ociwp_host *host, const ociwp_request *request, int status,
                          const ociw_op *op, int code, ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
	ociwp_request get = *request;
	ociw_error *why = NULL;
	/* The error of something else on the way, a token server perhaps, has the words of that. */
	if (!err || ociw_error_http_status(*err) != status || !may_have_words(request, status))
		return code;
	get.method = "GET";
	get.once = true;
	int r = ociwp_request_run(host, &get, op, &answer, NULL, &why);
	if (r == 0 && answer.status == status)
		r = ociwp_response_fail(&answer, op, &why);
	if (r == 0 || ociw_error_http_status(why) != status) {
		ociw_error_free(why);
		return code;
	}
	ociw_error_free(*err);
	*err = why;
	return r;
}

int ociwp_request_fail(ociwp_host *host, const ociwp_request *request, ociwp_response *answer,
                       const ociw_op *op, ociw_error **err)
{
	int code = ociwp_response_fail(answer, op, err);
	return ociwp_refused_explain(host, request, answer->status, op, code, err);
}
