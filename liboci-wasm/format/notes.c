/* SPDX-License-Identifier: Apache-2.0
 *
 * Which descriptor gets which annotations. Knows paths as text only; where they lead to is for
 * whoever fills it.
 */
#include "format/notes.h"
#include "base/path.h"
#include "base/str.h"
#include "codec/nfc.h"

typedef struct note {
	ociwp_annotations annotations;
	char *member; /* as the annotation file calls it */
	bool used;
} note;

static void note_free(void *value)
{
	note *n = value;
	if (!n)
		return;
	ociwp_annotations_deinit(&n->annotations);
	free(n->member);
	free(n);
}

void ociwp_notes_deinit(ociwp_notes *notes)
{
	ociwp_annotations_deinit(&notes->config);
	ociwp_map_free(notes->files);
	*notes = (ociwp_notes){0};
}

/* Of two members that mean one file ("a", "./a") the later one wins. */
int ociwp_notes_add(ociwp_notes *notes, const char *path, const char *member, const json_t *object,
                    ociw_error **err)
{
	if (!path)
		return ociwp_annotations_parse(object, member, &notes->config, err);
	if (!notes->files && !(notes->files = ociwp_map_new(note_free)))
		return ociwp_nomem(err);
	note *made = ociwp_new(note);
	if (!made)
		return ociwp_nomem(err);
	int r = ociwp_annotations_parse(object, member, &made->annotations, err);
	if (r == 0) {
		made->member = ociwp_strdup(member);
		if (!made->member || !ociwp_map_set(notes->files, path, made))
			r = ociwp_nomem(err);
	}
	if (r < 0)
		note_free(made);
	return r;
}

/* The note of a path, which a manifest may have written as "/app/./a". */
static int find(const ociwp_notes *notes, const char *path, note **out, ociw_error **err)
{
	*out = notes->files ? ociwp_map_get(notes->files, path) : NULL;
	if (*out || !notes->files || *path != '/' || !strstr(path, "/."))
		return 0;
	OCIWP_AUTO(str) char *plain = ociwp_path_absolute("/", path);
	if (!plain)
		return ociwp_nomem(err);
	*out = ociwp_map_get(notes->files, plain);
	return 0;
}

int ociwp_notes_apply(const ociwp_notes *notes, const char *path, ociw_descriptor *desc,
                      ociw_error **err)
{
	const ociwp_annotations *from = notes ? &notes->config : NULL;
	int r = 0;
	if (notes && path) {
		note *found = NULL;
		r = find(notes, path, &found, err);
		if (found)
			found->used = true;
		from = found ? &found->annotations : NULL;
	}
	for (size_t i = 0; from && r == 0 && i < from->count; i++)
		r = ociwp_descriptor_annotate(desc, from->items[i].key, from->items[i].value, err);
	return r < 0 ? r : ociwp_annotations_canonical(&desc->annotations, err);
}

int ociwp_annotations_canonical(ociwp_annotations *annotations, ociw_error **err)
{
	ociwp_annotations made = {0};
	int r = 0;
	for (size_t i = 0; r == 0 && i < annotations->count; i++) {
		OCIWP_AUTO(str) char *key = ociwp_nfc(annotations->items[i].key);
		OCIWP_AUTO(str) char *value = ociwp_nfc(annotations->items[i].value);
		r = key && value ? ociwp_annotations_set(&made, key, value, err) : ociwp_nomem(err);
	}
	if (r < 0) {
		ociwp_annotations_deinit(&made);
		return r;
	}
	ociwp_annotations_sort(&made);
	ociwp_annotations_deinit(annotations);
	*annotations = made;
	return 0;
}

const char *ociwp_notes_at(const ociwp_notes *notes, size_t i, bool *used)
{
	const char *path;
	void *value;
	if (!notes->files || !ociwp_map_at(notes->files, i, &path, &value))
		return NULL;
	*used = ((const note *)value)->used;
	return ((const note *)value)->member;
}
