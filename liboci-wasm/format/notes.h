/* SPDX-License-Identifier: Apache-2.0
 *
 * Annotations that somebody wants on the descriptors inside a manifest: on that of the config, and
 * on layers, which are named by the file that became one (ANN-5).
 */
#ifndef OCIW_FORMAT_NOTES_H
#define OCIW_FORMAT_NOTES_H

#include "base/map.h"
#include "oci/descriptor.h"

typedef struct ociwp_notes {
	ociwp_annotations config;
	ociwp_map *files; /* path -> note, or NULL */
} ociwp_notes;

void ociwp_notes_deinit(ociwp_notes *notes);

/* Text in Unicode's form C, sorted: what canonical manifests have (spin.md 3.5). Of keys that
 * become equal the later one wins. */
int ociwp_annotations_canonical(ociwp_annotations *annotations, ociw_error **err);

/* Keeps a member "PATH": {...} of an annotation file; NULL @p path: it is the config's. */
int ociwp_notes_add(ociwp_notes *notes, const char *path, const char *member, const json_t *object,
                    ociw_error **err);
/* Puts what there is for @p path (NULL: for the config) on a descriptor that nobody else holds yet.
 * @p notes may be NULL. */
int ociwp_notes_apply(const ociwp_notes *notes, const char *path, ociw_descriptor *desc,
                      ociw_error **err);
/* The member's name of the @p i-th note for a file; NULL past the last. *used: a descriptor got it.
 */
const char *ociwp_notes_at(const ociwp_notes *notes, size_t i, bool *used);

#endif
