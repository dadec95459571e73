/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys that image-spec's annotations.md gives a meaning to. Any key is legal (ANN-1): this only
 * finds the misspelt ones.
 */
#include "ops/annotation-judge.h"
#include "base/str.h"
#include "spin/fields.h"

#define OWN "org.opencontainers."

int ociwp_annotation_judge(const ociw_op *op, const char *key, ociw_error **err)
{
#define IMAGE OWN "image."
	static const char *const known[] = {
	        IMAGE "created",       IMAGE "authors",   IMAGE "url",
	        IMAGE "documentation", IMAGE "source",    IMAGE "version",
	        IMAGE "revision",      IMAGE "vendor",    IMAGE "licenses",
	        IMAGE "ref.name",      IMAGE "title",     IMAGE "description",
	        IMAGE "base.digest",   IMAGE "base.name", NULL,
	};
#undef IMAGE
	if (!ociwp_starts_with(key, OWN))
		return 0;
	for (size_t i = 0; known[i]; i++)
		if (ociwp_streq(key, known[i]))
			return 0;
	const char *near = ociwp_nearest_word(key, known);
	if (near)
		return ociwp_warn(op, err, "annotation %s is none of OCI's, did you mean %s?",
		                  ociwp_quote(key), near);
	return ociwp_warn(op, err,
	                  "annotation %s is none of OCI's, which keeps names below " OWN
	                  " for itself",
	                  ociwp_quote(key));
}
