/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a blob whose length is not known yet: one PATCH while it is read, and where that does
 * not work, what is missing or all of it from what was kept (PSH-7a, PSH-9..12, PSH-20).
 */
#include "oci/spool.h"
#include "registry/retry.h"
#include "registry/upload.h"

/* What is no longer than this is read whole first: then it goes the way that every registry takes, and
 * not at all when it is there already (PSH-2, PSH-10, PSH-18). */
#define STREAM_MIN (64u * 1024)

/* Would the whole blob in one piece fare better? A registry that takes no chunked coding says so by one
 * of many codes (400, 405, 411, 416, 501 are known), or hangs up; so everything counts as that but what
 * is wrong on this side, and credentials, which are no better the next time. */
static bool may_go_on(int r, ociwp_failure failure)
{
	return r != OCIW_ERR_CANCELLED && r != OCIW_ERR_NOMEM && r != OCIW_ERR_AUTH &&
	       failure != OCIWP_FAILURE_LOCAL && failure != OCIWP_FAILURE_VERIFY;
}

/* *sent: the registry took what came. Not sent is no error where the whole blob may fare better; a session is
 * left open where only the connection broke. */
static int stream(ociwp_upload *upload, const ociw_op *op, bool *sent, ociw_error **err)
{
	ociw_error *why = NULL;
	ociwp_failure failure = OCIWP_FAILURE_LOCAL;
	bool done;
	int status;
	*sent = false;
	int r = ociwp_upload_begin(upload, NULL, op, &done, err);
	if (r < 0)
		return r;
	r = ociwp_upload_stream(upload, op, &status, &failure, &why);
	if (r == 0) {
		*sent = true;
		return 0;
	}
	bool go_on = may_go_on(r, failure);
	bool broken = status == 0 || ociwp_retry_status(status);
	if (!go_on || !broken)
		ociwp_upload_abort(upload);
	if (!go_on)
		return ociwp_error_move(err, why);
	r = ociwp_note(op, err, "%s; the blob goes %s, once it is read", ociw_error_message(why),
	               broken ? "on" : "in one piece");
	ociw_error_free(why);
	return r;
}

/* The session of a broken stream, if there is one: *alive when the registry has kept some of what it got. */
static int take_up(ociwp_upload *upload, const ociw_op *op, bool *alive, ociw_error **err)
{
	bool known = false;
	int r = 0;
	*alive = false;
	if (upload->location && upload->desc->size >= OCIWP_RESUME_MIN)
		r = ociwp_upload_ask(upload, op, &known, err);
	if (r == 0 && known && upload->offset > 0)
		*alive = true;
	else
		ociwp_upload_abort(upload);
	return r;
}

int ociwp_push_stream(void *self, ociwp_spool *spool, const ociw_op *op, ociw_error **err)
{
	ociwp_repository *repo = self;
	const ociwp_blob_source source = ociwp_spool_source(spool);
	__attribute__((cleanup(ociwp_cleanup_upload)))
	ociwp_upload upload = {.repo = repo, .source = &source};
	bool sent = false, alive = false;
	int r = ociwp_spool_fill(spool, STREAM_MIN, op, err);
	if (r == 0 && !spool->desc)
		r = stream(&upload, op, &sent, err);
	if (r == 0)
		r = ociwp_spool_finish(spool, op, &upload.desc, err);
	if (r == 0 && sent)
		upload.offset = upload.desc->size;
	else if (r == 0)
		r = take_up(&upload, op, &alive, err);
	if (r == 0 && !sent && !alive)
		return ociwp_push_blob(repo, upload.desc, &source, op, err);
	/* Perhaps nothing is left to send in the PUT, which some registries do not like (PSH-12): the plan of
	 * all uploads then begins anew, in one piece. */
	if (r == 0)
		r = ociwp_push_send(&upload, op, err);
	if (r == 0)
		ociwp_push_note(repo, upload.desc->digest, true);
	else
		ociwp_upload_abort(&upload);
	return r;
}
