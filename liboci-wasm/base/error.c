/* SPDX-License-Identifier: Apache-2.0
 *
 * The error object: code, details, frames. A frame is escaped when it is made, so a message is always
 * one line of valid UTF-8. Out of memory is a static object and so cannot fail.
 */
#define OCIW_BASE_ERROR_C
#include "base/error.h"
#include "base/buf.h"
#include "base/str.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FRAMES_MAX 16U

struct ociw_error {
	ociw_code code;
	int errnum;
	int http_status;
	char *registry_code;
	size_t frame_count;
	char *frames[FRAMES_MAX]; /* innermost first */
	char *message;            /* all of them joined */
};

/* Never written to: all members are set here. */
static const ociw_error out_of_memory = {
	.code = OCIW_ERR_NOMEM,
	.errnum = ENOMEM,
	.frame_count = 1,
	.frames = {(char *)"out of memory"},
	.message = (char *)"out of memory",
};

static bool is_static(const ociw_error *err)
{
	return err == &out_of_memory;
}

void ociw_error_free(ociw_error *err)
{
	if (!err || is_static(err))
		return;
	for (size_t i = 0; i < err->frame_count; i++)
		free(err->frames[i]);
	free(err->registry_code);
	free(err->message);
	free(err);
}

ociw_code ociw_error_code(const ociw_error *err)
{
	return err ? err->code : OCIW_OK;
}

const char *ociw_error_message(const ociw_error *err)
{
	return err ? err->message : "no error";
}

const char *ociw_error_frame(const ociw_error *err, size_t i)
{
	return err && i < err->frame_count ? err->frames[err->frame_count - 1 - i] : NULL;
}

int ociw_error_errno(const ociw_error *err)
{
	return err ? err->errnum : 0;
}

int ociw_error_http_status(const ociw_error *err)
{
	return err ? err->http_status : 0;
}

const char *ociw_error_registry_code(const ociw_error *err)
{
	return err ? err->registry_code : NULL;
}

const char *ociw_code_name(ociw_code code)
{
	switch (code) {
	case OCIW_OK:
		return "OK";
	case OCIW_ERR_NOMEM:
		return "NOMEM";
	case OCIW_ERR_INVALID:
		return "INVALID";
	case OCIW_ERR_IO:
		return "IO";
	case OCIW_ERR_NOTFOUND:
		return "NOTFOUND";
	case OCIW_ERR_EXISTS:
		return "EXISTS";
	case OCIW_ERR_DIGEST:
		return "DIGEST";
	case OCIW_ERR_SIZE:
		return "SIZE";
	case OCIW_ERR_LIMIT:
		return "LIMIT";
	case OCIW_ERR_FORMAT:
		return "FORMAT";
	case OCIW_ERR_UNSUPPORTED:
		return "UNSUPPORTED";
	case OCIW_ERR_UNSAFE:
		return "UNSAFE";
	case OCIW_ERR_AUTH:
		return "AUTH";
	case OCIW_ERR_DENIED:
		return "DENIED";
	case OCIW_ERR_NETWORK:
		return "NETWORK";
	case OCIW_ERR_REGISTRY:
		return "REGISTRY";
	case OCIW_ERR_CANCELLED:
		return "CANCELLED";
	case OCIW_ERR_BUSY:
		return "BUSY";
	}
	return "UNKNOWN";
}

int ociwp_nomem(ociw_error **err)
{
	if (err) {
		ociw_error_free(*err);
		*err = (ociw_error *)&out_of_memory;
	}
	return OCIW_ERR_NOMEM;
}

/* Rebuilds the joined message from the frames. */
static bool join_frames(ociw_error *err)
{
	OCIWP_AUTO(buf) ociwp_buf joined = OCIWP_BUF_INIT;

	for (size_t i = err->frame_count; i-- > 0;) {
		ociwp_buf_puts(&joined, err->frames[i]);
		if (i)
			ociwp_buf_puts(&joined, ": ");
	}
	char *message = ociwp_buf_steal(&joined);
	if (!message)
		return false;
	free(err->message);
	err->message = message;
	return true;
}

/* Adds an escaped frame; the text is used up. */
static bool push_frame(ociw_error *err, ociwp_buf *text)
{
	OCIWP_AUTO(buf) ociwp_buf frame = OCIWP_BUF_INIT;

	if (text->failed)
		return false;
	if (err->frame_count == FRAMES_MAX)
		return true; /* deep enough to understand; the code is what matters */
	ociwp_escape(&frame, text->data, text->len);
	char *stolen = ociwp_buf_steal(&frame);
	if (!stolen)
		return false;
	err->frames[err->frame_count++] = stolen;
	return join_frames(err);
}

__attribute__((format(printf, 2, 0)))
static void format_into(ociwp_buf *text, const char *fmt, va_list args)
{
	va_list again;

	va_copy(again, args);
	int len = vsnprintf(NULL, 0, fmt, args);
	if (len < 0 || !ociwp_buf_reserve(text, (size_t)len))
		text->failed = true;
	else {
		(void)vsnprintf(text->data, (size_t)len + 1, fmt, again);
		text->len = (size_t)len;
	}
	va_end(again);
}

static int make(ociw_error **err, ociw_code code, int errnum, ociwp_buf *text)
{
	ociw_error *made = ociwp_new(ociw_error);

	if (!made)
		return ociwp_nomem(err);
	made->code = code;
	made->errnum = errnum;
	if (!push_frame(made, text)) {
		ociw_error_free(made);
		return ociwp_nomem(err);
	}
	*err = made;
	return code;
}

int ociwp_fail(ociw_error **err, ociw_code code, const char *fmt, ...)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	va_list args;

	if (!err)
		return code;
	assert(!*err);
	va_start(args, fmt);
	format_into(&text, fmt, args);
	va_end(args);
	return make(err, code, 0, &text);
}

int ociw_error_set(ociw_error **err, ociw_code code, const char *fmt, ...)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	va_list args;

	if (!err || *err)
		return code;
	va_start(args, fmt);
	format_into(&text, fmt, args);
	va_end(args);
	return make(err, code, 0, &text);
}

static ociw_code code_of_errno(int errnum)
{
	switch (errnum) {
	case ENOMEM:
		return OCIW_ERR_NOMEM;
	case ENOENT:
		return OCIW_ERR_NOTFOUND;
	case EEXIST:
	case ENOTEMPTY:
		return OCIW_ERR_EXISTS;
	default:
		return OCIW_ERR_IO;
	}
}

int ociwp_fail_errno(ociw_error **err, int errnum, const char *fmt, ...)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociw_code code = code_of_errno(errnum);
	va_list args;

	if (!err)
		return code;
	assert(!*err);
	va_start(args, fmt);
	format_into(&text, fmt, args);
	va_end(args);
	/* The untranslated text: messages do not depend on the locale. */
	const char *reason = strerrordesc_np(errnum);
	if (reason)
		ociwp_buf_printf(&text, ": %s", reason);
	else
		ociwp_buf_printf(&text, ": error %d", errnum);
	return make(err, code, errnum, &text);
}

int ociwp_wrap(ociw_error **err, int code, const char *fmt, ...)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	va_list args;

	if (!err || !*err || is_static(*err))
		return code;
	va_start(args, fmt);
	format_into(&text, fmt, args);
	va_end(args);
	(void)push_frame(*err, &text); /* without memory the frame is lost, not the error */
	return code;
}

int ociwp_error_move(ociw_error **err, ociw_error *take_from)
{
	int code = (int)ociw_error_code(take_from);

	if (err) {
		assert(!*err);
		*err = take_from;
	} else {
		ociw_error_free(take_from);
	}
	return code;
}

ociw_error *ociwp_error_dup(const ociw_error *err)
{
	if (!err || is_static(err))
		return (ociw_error *)&out_of_memory;
	ociw_error *copy = ociwp_new(ociw_error);
	if (!copy)
		return (ociw_error *)&out_of_memory;
	copy->code = err->code;
	copy->errnum = err->errnum;
	copy->http_status = err->http_status;
	copy->message = ociwp_strdup(err->message);
	bool complete = copy->message;
	if (err->registry_code) {
		copy->registry_code = ociwp_strdup(err->registry_code);
		complete = complete && copy->registry_code;
	}
	for (size_t i = 0; complete && i < err->frame_count; i++) {
		copy->frames[i] = ociwp_strdup(err->frames[i]);
		complete = copy->frames[i];
		if (complete)
			copy->frame_count = i + 1;
	}
	if (!complete) {
		ociw_error_free(copy);
		return (ociw_error *)&out_of_memory;
	}
	return copy;
}

void ociwp_error_set_http(ociw_error *err, int status, const char *registry_code)
{
	if (!err || is_static(err))
		return;
	err->http_status = status;
	if (registry_code) {
		OCIWP_AUTO(buf) ociwp_buf escaped = OCIWP_BUF_INIT;

		ociwp_escape(&escaped, registry_code, strlen(registry_code));
		free(err->registry_code);
		err->registry_code = ociwp_buf_steal(&escaped);
	}
}
