/* SPDX-License-Identifier: Apache-2.0
 *
 * The mark phase. Roots first, then referrers until nothing new is found: a signature of an SBOM of
 * an image lives as long as the image.
 */
#include "store/gc-mark.h"

#include "base/str.h"
#include "codec/mediatype.h"
#include "oci/blobdir.h"
#include "oci/descriptor.h"

/* A manifest that has a subject and is not known to be alive. */
typedef struct candidate {
	ociw_descriptor *desc;
	char *subject;
} candidate;

typedef struct marking {
	ociwp_layout *layout;
	const ociw_op *op;
	ociwp_map *live;
	ociwp_map *seen;     /* manifests walked */
	ociwp_map *subjects; /* digest -> descriptor, to be walked too */
	size_t subject_next;
	candidate *candidates;
	size_t count, cap;
} marking;

static void free_descriptor(void *value)
{
	ociw_descriptor_free(value);
}

static int mark(marking *m, const char *digest, ociw_error **err)
{
	return ociwp_map_set(m->live, digest, NULL) ? 0 : ociwp_nomem(err);
}

static int remember_subject(marking *m, const ociw_descriptor *subject, ociw_error **err)
{
	ociw_descriptor *copy = NULL;

	if (!subject || ociwp_map_contains(m->subjects, subject->digest))
		return 0;
	int r = ociw_descriptor_dup(subject, &copy, err);
	if (r >= 0 && !ociwp_map_set(m->subjects, subject->digest, copy)) {
		ociw_descriptor_free(copy);
		r = ociwp_nomem(err);
	}
	return r;
}

static int mark_node(const ociwp_graph_node *node, void *user_data, ociw_error **err)
{
	const ociwp_manifest *manifest = node->manifest;
	marking *m = user_data;

	if (node->code < 0 && node->code != OCIW_ERR_NOTFOUND) {
		int r = ociwp_error_move(err, ociwp_error_dup(node->error));
		return ociwp_wrap(err, r, "manifest %s cannot be read, so nothing is removed",
		                  node->desc->digest);
	}
	int r = mark(m, node->desc->digest, err);
	if (r >= 0 && node->index)
		r = remember_subject(m, node->index->subject, err);
	if (r < 0 || !manifest)
		return r;
	r = mark(m, manifest->config->digest, err);
	for (size_t i = 0; r >= 0 && i < manifest->layer_count; i++)
		r = mark(m, manifest->layers[i]->digest, err);
	return r < 0 ? r : remember_subject(m, manifest->subject, err);
}

/* One tree, and the trees of all subjects that turn up in it. */
static int mark_tree(marking *m, const ociw_descriptor *root, ociw_error **err)
{
	const ociwp_graph graph = {ociwp_layout_dir_read, m->layout, mark_node, m, m->op, m->seen};
	const char *digest;
	void *subject;

	int r = ociwp_graph_walk(&graph, root, err);
	while (r >= 0 && ociwp_map_at(m->subjects, m->subject_next, &digest, &subject)) {
		m->subject_next++;
		r = ociwp_graph_walk(&graph, subject, err);
	}
	return r;
}

static int add_candidate(marking *m, const ociw_descriptor *desc, const char *subject,
                         ociw_error **err)
{
	if (m->count == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : 16;
		candidate *grown = ociwp_realloc_array(m->candidates, cap, sizeof(*grown));

		if (!grown)
			return ociwp_nomem(err);
		m->candidates = grown;
		m->cap = cap;
	}
	candidate *c = &m->candidates[m->count];
	c->subject = ociwp_strdup(subject);
	if (!c->subject)
		return ociwp_nomem(err);
	int r = ociw_descriptor_dup(desc, &c->desc, err);
	if (r < 0) {
		free(c->subject);
		return r;
	}
	m->count++;
	return 0;
}

/* It may be any blob: what cannot be read as a manifest is none. But what could not be looked at
 * has to stop the work, or a referrer would be taken for garbage. */
static int not_a_manifest(int code, ociw_error *take_why, ociw_error **err)
{
	if (code == OCIW_ERR_NOMEM || code == OCIW_ERR_IO || code == OCIW_ERR_CANCELLED)
		return ociwp_error_move(err, take_why);
	ociw_error_free(take_why);
	return 0;
}

/* The digest of the subject, to be freed; NULL when there is none. */
static int read_subject(marking *m, ociw_span bytes, const char *media_type, char **out,
                        ociw_error **err)
{
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = NULL;
	OCIWP_AUTO(index) ociwp_index *index = NULL;
	const ociw_descriptor *subject = NULL;
	ociw_error *why = NULL;
	int r;

	if (ociwp_mediatype_is_index(media_type))
		r = ociwp_index_parse(bytes, media_type, m->op, &index, &why);
	else
		r = ociwp_manifest_parse(bytes, media_type, m->op, &manifest, &why);
	if (r < 0)
		return not_a_manifest(r, why, err);
	if (manifest)
		subject = manifest->subject;
	else if (index)
		subject = index->subject;
	*out = subject ? ociwp_strdup(subject->digest) : NULL;
	return subject && !*out ? ociwp_nomem(err) : 0;
}

static int consider(marking *m, const ociw_descriptor *desc, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *typed = NULL;
	OCIWP_AUTO(str) char *bytes = NULL;
	OCIWP_AUTO(str) char *subject = NULL;
	ociw_error *why = NULL;
	size_t len = 0;

	int r = ociwp_layout_dir_read(m->layout, desc, m->op, &bytes, &len, &why);
	if (r < 0)
		return not_a_manifest(r, why, err);
	const char *media_type = NULL;
	r = ociwp_manifest_identify((ociw_span){bytes, len}, &media_type, err);
	if (r < 0 || !media_type)
		return r;
	r = read_subject(m, (ociw_span){bytes, len}, media_type, &subject, err);
	if (r < 0 || !subject)
		return r;
	r = ociw_descriptor_new(media_type, desc->digest, desc->size, &typed, err);
	return r < 0 ? r : add_candidate(m, typed, subject, err);
}

static int consider_blob(const ociwp_blobdir_entry *entry, void *user_data, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	marking *m = user_data;
	ociw_limits limits;

	ociwp_limits_get(m->op, &limits);
	if (ociwp_map_contains(m->live, entry->digest) || entry->size > limits.max_manifest_bytes)
		return 0;
	int r = ociwp_check_cancel(m->op, err);
	if (r >= 0)
		r = ociw_descriptor_new("application/octet-stream", entry->digest, entry->size,
		                        &desc, err);
	return r < 0 ? r : consider(m, desc, err);
}

/* Referrers of what lives, and of these, until nothing changes. */
static int mark_referrers(marking *m, ociw_error **err)
{
	bool found = true;
	int r = ociwp_blobdir_each(m->layout->blobs_fd, consider_blob, m, err);

	while (r >= 0 && found) {
		found = false;
		for (size_t i = 0; r >= 0 && i < m->count; i++) {
			const candidate *c = &m->candidates[i];

			if (ociwp_map_contains(m->live, c->desc->digest) ||
			    !ociwp_map_contains(m->live, c->subject))
				continue;
			r = mark_tree(m, c->desc, err);
			found = true;
		}
	}
	return r;
}

static int mark_roots(marking *m, const ociwp_index *index, bool named_only, ociw_error **err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < index->manifest_count; i++) {
		const ociw_descriptor *desc = index->manifests[i];

		if (!named_only || ociw_descriptor_annotation(desc, OCIWP_REF_NAME) ||
		    ociw_descriptor_annotation(desc, OCIWP_CONTAINERD_NAME))
			r = mark_tree(m, desc, err);
	}
	return r;
}

static int mark_all(marking *m, const ociwp_index *index, ociwp_map *dropped, ociw_error **err)
{
	int r = mark_roots(m, index, dropped != NULL, err);
	if (r >= 0)
		r = mark_referrers(m, err);
	for (size_t i = 0; r >= 0 && dropped && i < index->manifest_count; i++) {
		const char *digest = index->manifests[i]->digest;

		if (!ociwp_map_contains(m->live, digest) && !ociwp_map_set(dropped, digest, NULL))
			r = ociwp_nomem(err);
	}
	return r;
}

int ociwp_gc_mark(ociwp_layout *layout, const ociw_op *op, ociwp_map *live, ociwp_map *dropped,
                  ociw_error **err)
{
	OCIWP_AUTO(map) ociwp_map *seen = ociwp_map_new(NULL);
	OCIWP_AUTO(map) ociwp_map *subjects = ociwp_map_new(free_descriptor);
	OCIWP_AUTO(index) ociwp_index *index = NULL;
	marking m = {.layout = layout, .op = op, .live = live, .seen = seen, .subjects = subjects};

	if (!seen || !subjects)
		return ociwp_nomem(err);
	int r = ociwp_layout_dir_index(layout, op, &index, err);
	if (r >= 0)
		r = mark_all(&m, index, dropped, err);
	for (size_t i = 0; i < m.count; i++) {
		ociw_descriptor_free(m.candidates[i].desc);
		free(m.candidates[i].subject);
	}
	free(m.candidates);
	return r < 0 ? r : 0;
}
