/* SPDX-License-Identifier: Apache-2.0
 *
 * registries.conf, version 2: which registry is called for a name, its mirrors, what is blocked
 * (containers-registries.conf(5); MIR-1).
 */
#ifndef OCIW_CODEC_REGISTRIES_CONF_H
#define OCIW_CODEC_REGISTRIES_CONF_H

#include "base/error.h"

/* When a mirror may be asked. */
typedef enum ociwp_mirror_for {
	OCIWP_MIRROR_ALL = 0,
	OCIWP_MIRROR_DIGEST_ONLY,
	OCIWP_MIRROR_TAG_ONLY
} ociwp_mirror_for;

typedef struct ociwp_mirror {
	char *location; /* "host[:port][/path]" */
	bool insecure;
	ociwp_mirror_for pull_from;
} ociwp_mirror;

typedef struct ociwp_registry_entry {
	char *prefix;   /* what names begin with, or "*.example.org" */
	char *location; /* what replaces the prefix; NULL: nothing does */
	bool insecure;
	bool blocked;
	bool mirror_by_digest_only;
	ociwp_mirror *mirrors;
	size_t mirror_count;
} ociwp_registry_entry;

typedef struct ociwp_registries_conf {
	ociwp_registry_entry *entries;
	size_t count;
} ociwp_registries_conf;

/* FORMAT with the line for text that is no TOML of the kind these files use, for version 1 files,
 * and for entries that make no sense. Unknown keys and tables are ignored. Appends to @p into. */
int ociwp_registries_conf_parse(ociw_span text, ociwp_registries_conf *into, ociw_error **err);
void ociwp_registries_conf_deinit(ociwp_registries_conf *conf);
/* The entry with the longest prefix of "host[:port]/repository", of equal ones the last (later
 * files override); NULL when there is none. */
const ociwp_registry_entry *ociwp_registries_conf_find(const ociwp_registries_conf *conf,
                                                       const char *name);
/* @p name with the prefix of the entry replaced by @p location; to be freed; NULL without memory.
 */
char *ociwp_registries_conf_rewrite(const ociwp_registry_entry *entry, const char *location,
                                    const char *name);

static inline void ociwp_cleanup_registries_conf(ociwp_registries_conf *conf)
{
	ociwp_registries_conf_deinit(conf);
}

#endif
