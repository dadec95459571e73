/* SPDX-License-Identifier: Apache-2.0
 *
 * Glob patterns as Rust's glob crate reads them (specs/spin.md 1.8): ? * ** [...] [!...], no
 * escapes, case matters, dot files match. Text only; walking folders is walk.c.
 */
#ifndef OCIW_SPIN_GLOB_H
#define OCIW_SPIN_GLOB_H

#include "base/alloc.h"
#include "base/error.h"

typedef struct ociwp_glob ociwp_glob;

/* Compiles a pattern. FORMAT with *problem a static text and *position an offset in characters. */
int ociwp_glob_new(const char *pattern, size_t len, ociwp_glob **out, const char **problem,
                   size_t *position);
void ociwp_glob_free(ociwp_glob *glob);
OCIWP_DEFINE_AUTO(glob, ociwp_glob *, ociwp_glob_free)

/* Does all of @p text match? Wildcards cross '/' unless @p within_component. Invalid UTF-8 never
 * does. One thread at a time for one glob: it holds the memory that matching needs. */
bool ociwp_glob_match(const ociwp_glob *glob, const char *text, size_t len, bool within_component);
/* Is it "**"? */
bool ociwp_glob_is_recursive(const ociwp_glob *glob);
/* Are all of its characters literal? */
bool ociwp_glob_is_literal(const ociwp_glob *glob);
/* Has a text any of ? * [ ]? */
bool ociwp_looks_like_glob(const char *text);

#endif
