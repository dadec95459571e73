/* SPDX-License-Identifier: Apache-2.0
 *
 * The small grammars of a manifest (specs/spin.md 1.2): ids, labels, packages, semver, names of
 * dependencies. Text in, verdict out; no I/O.
 */
#ifndef OCIW_SPIN_NAMES_H
#define OCIW_SPIN_NAMES_H

#include "base/alloc.h"
#include "base/error.h"

/* What is wrong with a name, for a message. */
typedef struct ociwp_name_error {
	char text[200];
} ociwp_name_error;

/* Words split at @p delimiter ('-' or '_'), each of one case, letter first; @p lower: no upper
 * case.
 * @p why may be NULL. */
bool ociwp_id_valid(const char *text, char delimiter, bool lower, ociwp_name_error *why);
bool ociwp_kebab_id_valid(const char *text, ociwp_name_error *why);
bool ociwp_snake_lower_id_valid(const char *text, ociwp_name_error *why);
/* Names of stores and databases: kebab-case or snake_case. */
bool ociwp_label_valid(const char *text);
/* "ns:name", both lower kebab. */
bool ociwp_package_valid(const char *text, size_t len);
/* "host" or "host:port". */
bool ociwp_registry_valid(const char *text);

typedef struct ociwp_semver {
	uint64_t major, minor, patch;
	const char *pre, *build; /* borrowed from the text; lengths below */
	size_t pre_len, build_len;
} ociwp_semver;

/* A full version, nothing around it. */
bool ociwp_semver_parse(const char *text, size_t len, ociwp_semver *out);
/* Order of versions, build metadata included (2.1). */
int ociwp_semver_compare(const ociwp_semver *a, const ociwp_semver *b);
/* Would two versions serve the same import (1.3)? */
bool ociwp_semver_compatible(const ociwp_semver *a, const ociwp_semver *b);
/* A requirement such as ">=1.2, <2", "^1", "1.*", "*". */
bool ociwp_semver_requirement_valid(const char *text);
/* Does a version meet a valid requirement? Pre-releases only where a comparator names one of them. */
bool ociwp_semver_matches(const char *requirement, const ociwp_semver *version);

/* Name of a dependency: plain (a kebab id) or ns:name[/interface][@version]. Parts borrow from
 * `text`. */
typedef struct ociwp_dependency_name {
	char *text; /* as the lock writes it */
	bool plain;
	const char *package; /* "ns:name" and its length */
	size_t package_len;
	const char *interface; /* NULL without one */
	size_t interface_len;
	bool has_version;
	ociwp_semver version;
} ociwp_dependency_name;

/* NOMEM or FORMAT with @p why filled in (no ociw_error: the caller knows the place). */
int ociwp_dependency_name_parse(const char *text, ociwp_dependency_name *out,
                                ociwp_name_error *why);
void ociwp_dependency_name_deinit(ociwp_dependency_name *name);
/* Order in a lock (2.1): plain first, then namespace, name, version, interface. */
int ociwp_dependency_name_compare(const ociwp_dependency_name *a, const ociwp_dependency_name *b);
/* Both may be imports of one component (1.3). */
bool ociwp_dependency_name_disjoint(const ociwp_dependency_name *a, const ociwp_dependency_name *b);

#endif
