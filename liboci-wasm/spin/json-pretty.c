/* SPDX-License-Identifier: Apache-2.0
 *
 * Indents compact JSON on its way through, two spaces a level, as serde_json's pretty form: "key":
 * value, empty arrays and objects closed at once. Takes what the JSON writer makes; judges nothing.
 */
#include "base/buf.h"
#include "io/stream.h"
#include "spin/lock.h"

typedef struct pretty {
	ociw_writer *inner;
	ociwp_buf out;
	size_t depth;
	bool in_string, escaped, opened; /* opened: the last byte began an array or object */
} pretty;

static void line(pretty *p)
{
	ociwp_buf_putc(&p->out, '\n');
	for (size_t i = 0; i < p->depth; i++)
		ociwp_buf_puts(&p->out, "  ");
}

static void put_structure(pretty *p, char c)
{
	if (c == '}' || c == ']') {
		if (p->depth)
			p->depth--;
		if (!p->opened)
			line(p);
		p->opened = false;
		ociwp_buf_putc(&p->out, c);
		return;
	}
	if (p->opened)
		line(p);
	p->opened = false;
	ociwp_buf_putc(&p->out, c);
	if (c == '{' || c == '[') {
		p->depth++;
		p->opened = true;
	} else if (c == ',') {
		line(p);
	} else if (c == ':') {
		ociwp_buf_putc(&p->out, ' ');
	} else if (c == '"') {
		p->in_string = true;
	}
}

static void put(pretty *p, char c)
{
	if (!p->in_string) {
		put_structure(p, c);
		return;
	}
	ociwp_buf_putc(&p->out, c);
	if (p->escaped)
		p->escaped = false;
	else if (c == '\\')
		p->escaped = true;
	else if (c == '"')
		p->in_string = false;
}

static int flush(pretty *p, ociw_error **err)
{
	int r = ociwp_buf_check(&p->out, err);
	if (r == 0 && p->out.len)
		r = ociw_writer_write(p->inner, p->out.data, p->out.len, err);
	ociwp_buf_clear(&p->out);
	return r;
}

static int pretty_write(void *self, const void *buf, size_t len, ociw_error **err)
{
	pretty *p = self;
	const char *text = buf;
	for (size_t i = 0; i < len; i++) {
		put(p, text[i]);
		if (p->out.len >= 16384) {
			int r = flush(p, err);
			if (r < 0)
				return r;
		}
	}
	return flush(p, err);
}

static void release(pretty *p)
{
	ociwp_buf_deinit(&p->out);
	free(p);
}

static int pretty_commit(void *self, ociw_error **err)
{
	pretty *p = self;
	int r = ociw_writer_commit(p->inner, err);
	release(p);
	return r;
}

static void pretty_abort(void *self)
{
	pretty *p = self;
	ociw_writer_abort(p->inner);
	release(p);
}

static const ociw_writer_ops pretty_ops = {sizeof(pretty_ops), pretty_write, pretty_commit,
                                           pretty_abort};

int ociwp_writer_pretty_json(ociw_writer *take_inner, ociw_writer **out, ociw_error **err)
{
	pretty *p = ociwp_new(pretty);
	if (!p) {
		ociw_writer_abort(take_inner);
		return ociwp_nomem(err);
	}
	p->inner = take_inner;
	return ociw_writer_new(&pretty_ops, p, out, err);
}
