/* SPDX-License-Identifier: Apache-2.0
 *
 * index.json of a layout as a value: names, resolution, edits. No I/O. Members it does not know are
 * kept where they are; bytes depend on the document and the edits alone (LAY-3, LAY-4).
 */
#ifndef OCIW_STORE_LAYOUT_INDEX_H
#define OCIW_STORE_LAYOUT_INDEX_H

#include "base/buf.h"
#include "base/map.h"
#include "oci/manifest.h"

#define OCIWP_REF_NAME "org.opencontainers.image.ref.name"
#define OCIWP_CONTAINERD_NAME "io.containerd.image.name"

/* Names: LAY-3, or the grammar of a tag (REF-2) or reference, which LAY-3 does not cover whole. */
bool ociwp_layout_name_is_valid(const char *name);

/* What a name stands for: ref.name first, then io.containerd.image.name, then a digest that is
 * listed. NULL: the only entry, or the only one with a name. *out is borrowed.
 * NOTFOUND; INVALID when ambiguous (LAY-4). */
int ociwp_layout_index_resolve(const ociwp_index *index, const char *name,
                               const ociw_descriptor **out, ociw_error **err);
int ociwp_layout_index_list(const ociwp_index *index, ociw_name_cb cb, void *user_data);

/* Parses a manifest or index that is to be stored. A referrer needs an entry of its own: nothing
 * else in the layout points at it. */
int ociwp_layout_is_referrer(const ociw_descriptor *desc, ociw_span bytes, const ociw_op *op,
                             bool *is_referrer, ociw_error **err);

/* An editable document, checked by the same rules as a parsed index. */
typedef struct ociwp_layout_doc ociwp_layout_doc;

/* @p text NULL data: a new, empty index. */
int ociwp_layout_doc_parse(ociw_span text, const ociw_op *op, ociwp_layout_doc **out,
                           ociw_error **err);
void ociwp_layout_doc_free(ociwp_layout_doc *doc);
OCIWP_DEFINE_AUTO(layout_doc, ociwp_layout_doc *, ociwp_layout_doc_free)

/* Gives @p desc the name; whoever had it loses it. NULL or the manifest's own digest: an entry
 * without a name, unless one lists it already. @p full_name (may be NULL) becomes the
 * io.containerd.image.name. */
int ociwp_layout_doc_put(ociwp_layout_doc *doc, const ociw_descriptor *desc, const char *name,
                         const char *full_name, ociw_error **err);
/* Drops the entries of a name or digest. NOTFOUND when there is none. */
int ociwp_layout_doc_remove(ociwp_layout_doc *doc, const char *name, ociw_error **err);
/* Drops the entries that have no name and whose digest is in @p drop. */
void ociwp_layout_doc_prune(ociwp_layout_doc *doc, const ociwp_map *drop);
bool ociwp_layout_doc_changed(const ociwp_layout_doc *doc);
int ociwp_layout_doc_format(const ociwp_layout_doc *doc, ociwp_buf *out, ociw_error **err);

#endif
