/* SPDX-License-Identifier: Apache-2.0
 *
 * The front of every content: what leaves `open` is verified, what is missing has a name.
 */
#include "oci/content.h"

#include "base/op.h"
#include "base/str.h"
#include "io/stream.h"
#include "oci/descriptor.h"
#include "oci/spool.h"

struct ociw_content {
	const ociwp_content_ops *ops;
	void *self;
	char *label;
};

int ociwp_content_new(const ociwp_content_ops *ops, void *take_self, const char *label,
		      ociw_content **out, ociw_error **err)
{
	ociw_content *content = ociwp_new(ociw_content);
	char *copy = ociwp_strdup(label);

	*out = NULL;
	if (!content || !copy) {
		free(content);
		free(copy);
		ops->free(take_self);
		return ociwp_nomem(err);
	}
	*content = (ociw_content){ops, take_self, copy};
	*out = content;
	return 0;
}

void *ociwp_content_self(ociw_content *content, const ociwp_content_ops *ops)
{
	return content->ops == ops ? content->self : NULL;
}

bool ociwp_content_is_sure(const ociw_content *content, const ociw_descriptor *desc)
{
	return content->ops->sure && content->ops->sure(content->self, desc);
}

bool ociwp_content_is_remote(const ociw_content *content)
{
	return content->ops->remote;
}

void ociw_content_free(ociw_content *content)
{
	if (!content)
		return;
	content->ops->free(content->self);
	free(content->label);
	free(content);
}

const char *ociw_content_label(const ociw_content *content)
{
	return content->label;
}

static int unsupported(const ociw_content *content, const char *what, ociw_error **err)
{
	return ociwp_fail(err, OCIW_ERR_UNSUPPORTED, "%s cannot %s", content->label, what);
}

int ociwp_content_resolve_to_read(ociw_content *content, const char *name, const ociw_op *op,
				  ociw_descriptor **out, ociw_error **err)
{
	*out = NULL;
	int r = content->ops->resolve(content->self, name, op, out, err);
	return r < 0 ? ociwp_wrap(err, r, "%s", content->label) : 0;
}

int ociw_content_resolve(ociw_content *content, const char *name, const ociw_op *op,
			 ociw_descriptor **out, ociw_error **err)
{
	if (!content->ops->find)
		return ociwp_content_resolve_to_read(content, name, op, out, err);
	*out = NULL;
	int r = content->ops->find(content->self, name, op, out, err);
	return r < 0 ? ociwp_wrap(err, r, "%s", content->label) : 0;
}

int ociw_content_stat(ociw_content *content, const char *digest, const ociw_op *op,
		      ociw_descriptor **out, ociw_error **err)
{
	uint64_t size = 0;

	*out = NULL;
	if (!ociw_digest_is_valid(digest))
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s is not a digest", ociwp_quote(digest));
	if (!content->ops->stat)
		return unsupported(content, "find blobs by digest alone", err);
	int r = content->ops->stat(content->self, digest, op, &size, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s: blob %s", content->label, digest);
	return ociw_descriptor_new("application/octet-stream", digest, size, out, err);
}

int ociwp_content_open_raw(ociw_content *content, const ociw_descriptor *desc, uint64_t offset,
			   const ociw_op *op, ociw_reader **out, ociw_error **err)
{
	*out = NULL;
	return content->ops->open(content->self, desc, offset, op, out, err);
}

int ociw_content_open(ociw_content *content, const ociw_descriptor *desc, const ociw_op *op,
		      ociw_reader **out, ociw_error **err)
{
	ociw_reader *raw = NULL;
	ociw_limits limits;
	ociw_digest digest;

	*out = NULL;
	ociwp_limits_get(op, &limits);
	if (desc->size > limits.max_blob_bytes)
		return ociwp_fail(err, OCIW_ERR_LIMIT,
				  "%s: blob %s has %llu bytes, the limit is %llu", content->label,
				  desc->digest, (unsigned long long)desc->size,
				  (unsigned long long)limits.max_blob_bytes);
	int r = ociwp_descriptor_get_digest(desc, &digest, err);
	if (r >= 0)
		r = ociwp_content_open_raw(content, desc, 0, op, &raw, err);
	if (r >= 0)
		r = ociwp_reader_verify(raw, &digest, desc->size, out, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s: blob %s", content->label, desc->digest);
	return 0;
}

int ociw_content_read(ociw_content *content, const ociw_descriptor *desc, uint64_t max,
		      const ociw_op *op, void **out, size_t *out_len, ociw_error **err)
{
	ociw_reader *reader = NULL;
	char *bytes = NULL;

	*out = NULL;
	*out_len = 0;
	/* The size is a claim, but a claim over the cap need not be tried. */
	if (desc->size > max)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "%s: %s has %llu bytes, the limit is %llu",
				  content->label, desc->digest, (unsigned long long)desc->size,
				  (unsigned long long)max);
	int r = ociw_content_open(content, desc, op, &reader, err);
	if (r < 0)
		return r;
	r = ociwp_read_all(reader, max, &bytes, out_len, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s: blob %s", content->label, desc->digest);
	*out = bytes;
	return 0;
}

int ociw_content_read_name(ociw_content *content, const char *name, uint64_t max, const ociw_op *op,
			   ociw_descriptor **out_desc, void **out, size_t *out_len, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;

	*out = NULL;
	*out_len = 0;
	if (out_desc)
		*out_desc = NULL;
	int r = ociwp_content_resolve_to_read(content, name, op, &desc, err);
	if (r == 0)
		r = ociw_content_read(content, desc, max, op, out, out_len, err);
	if (r == 0 && out_desc)
		*out_desc = ociwp_steal(&desc);
	return r;
}

int ociw_content_list(ociw_content *content, const ociw_op *op, ociw_name_cb cb, void *user_data,
		      ociw_error **err)
{
	if (!content->ops->list)
		return unsupported(content, "list its names", err);
	int r = content->ops->list(content->self, op, cb, user_data, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s", content->label);
	return r;
}

int ociwp_content_has(ociw_content *content, const ociw_descriptor *desc, const ociw_op *op,
		      bool *out, ociw_error **err)
{
	*out = false;
	if (!content->ops->has)
		return 0;
	int r = content->ops->has(content->self, desc, op, out, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s", content->label);
	return 0;
}

int ociwp_content_put(ociw_content *content, const ociw_descriptor *desc,
		      const ociwp_blob_source *source, const ociw_op *op, ociw_error **err)
{
	if (!content->ops->put)
		return unsupported(content, "be written to", err);
	int r = content->ops->put(content->self, desc, source, op, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s: blob %s", content->label, desc->digest);
	return 0;
}

int ociwp_content_put_stream(ociw_content *content, ociwp_spool *spool, const ociw_op *op,
			     ociw_error **err)
{
	const ociw_descriptor *desc;
	int r;

	if (!content->ops->put)
		return unsupported(content, "be written to", err);
	if (content->ops->put_stream) {
		r = content->ops->put_stream(content->self, spool, op, err);
	} else {
		ociwp_blob_source source = ociwp_spool_source(spool);
		r = ociwp_spool_finish(spool, op, &desc, err);
		if (r >= 0)
			r = content->ops->put(content->self, desc, &source, op, err);
	}
	if (r < 0)
		return ociwp_wrap(err, r, "%s: blob %s", content->label,
				  spool->desc ? spool->desc->digest : "of unknown length");
	return 0;
}

static int open_span(void *self, uint64_t offset, const ociw_op *op, ociw_reader **out,
		     ociw_error **err)
{
	const ociw_span *span = self;

	(void)op;
	if (offset > span->len)
		return ociwp_fail(err, OCIW_ERR_INVALID, "offset is past the end");
	return ociw_reader_new_memory(
		(ociw_span){(const char *)span->data + offset, span->len - (size_t)offset}, out,
		err);
}

ociwp_blob_source ociwp_blob_source_of_span(const ociw_span *borrowed)
{
	return (ociwp_blob_source){open_span, (void *)borrowed};
}

int ociwp_content_put_bytes(ociw_content *content, const ociw_descriptor *desc, ociw_span bytes,
			    const ociw_op *op, ociw_error **err)
{
	ociwp_blob_source source = ociwp_blob_source_of_span(&bytes);

	return ociwp_content_put(content, desc, &source, op, err);
}

int ociwp_content_put_manifest(ociw_content *content, const ociw_descriptor *desc, ociw_span bytes,
			       const char *name, const ociw_op *op, ociw_error **err)
{
	if (!content->ops->put_manifest)
		return unsupported(content, "be written to", err);
	int r = content->ops->put_manifest(content->self, desc, bytes, name, op, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s: manifest %s", content->label, desc->digest);
	return 0;
}

/* Some registries do not let tags be moved, and refuse one that is where it should be, too. */
static bool may_be_locked(const ociw_content *content, int code)
{
	return content->ops->remote &&
	       (code == OCIW_ERR_REGISTRY || code == OCIW_ERR_DENIED || code == OCIW_ERR_UNSUPPORTED);
}

static int put_name(ociw_content *content, const ociw_descriptor *desc, ociw_span bytes, const char *name,
		    const ociw_op *op, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *have = NULL;
	ociw_error *why = NULL;
	int r = ociwp_content_put_manifest(content, desc, bytes, name, op, &why);
	if (r == 0)
		return 0;
	bool there = may_be_locked(content, r) &&
		     ociw_content_resolve(content, name, op, &have, NULL) == 0 &&
		     strcmp(have->digest, desc->digest) == 0;
	if (!there)
		return ociwp_error_move(err, why);
	ociw_error_free(why);
	return 0;
}

static int put_names(ociw_content *content, const ociw_descriptor *desc, ociw_span bytes,
		     const char *const *names, size_t count, const ociw_op *op, ociw_error **err)
{
	OCIWP_AUTO(mem) bool *done = ociwp_calloc(count, sizeof(*done));
	int r = done ? 0 : ociwp_nomem(err);
	if (r == 0 && count > 1 && content->ops->put_names)
		r = content->ops->put_names(content->self, desc, bytes, names, count, op, done, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s: manifest %s", content->label, desc->digest);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (!done[i])
			r = put_name(content, desc, bytes, names[i], op, err);
	return r;
}

int ociw_content_tag(ociw_content *content, const char *from, const char *const *names, size_t count,
		     const ociw_op *op, ociw_descriptor **out, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(mem) void *bytes = NULL;
	ociw_limits limits;
	size_t len = 0;

	if (out)
		*out = NULL;
	ociwp_limits_get(op, &limits);
	int r = ociw_content_read_name(content, from, limits.max_manifest_bytes, op, &desc, &bytes, &len,
				       err);
	if (r == 0 && count > 0)
		r = put_names(content, desc, (ociw_span){bytes, len}, names, count, op, err);
	if (r == 0 && out)
		*out = ociwp_steal(&desc);
	return r;
}

int ociwp_content_mount(ociw_content *content, const ociw_descriptor *desc, ociw_content *from,
			const ociw_op *op, bool *done, ociw_error **err)
{
	*done = false;
	if (!content->ops->mount)
		return 0;
	int r = content->ops->mount(content->self, desc, from, op, done, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s: blob %s", content->label, desc->digest);
	return 0;
}

int ociwp_content_referrers(ociw_content *content, const char *digest, const char *artifact_type,
			    const ociw_op *op, ociwp_referrer_cb cb, void *user_data,
			    ociw_error **err)
{
	if (!content->ops->referrers)
		return unsupported(content, "list referrers", err);
	int r = content->ops->referrers(content->self, digest, artifact_type, op, cb, user_data,
					err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s: referrers of %s", content->label, digest);
	return r;
}

int ociwp_content_remove(ociw_content *content, const char *name, bool blob_only, const ociw_op *op,
			 ociw_error **err)
{
	if (!content->ops->remove)
		return unsupported(content, "delete", err);
	int r = content->ops->remove(content->self, name, blob_only, op, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s", content->label);
	return 0;
}
