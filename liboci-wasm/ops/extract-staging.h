/* SPDX-License-Identifier: Apache-2.0
 *
 * The hidden directory beside the destination in which a tree grows, and the one rename that shows it
 * (specs/extraction.md D6-D9; plain rename(2), and nothing else in or beside the destination).
 */
#ifndef OCIW_OPS_EXTRACT_STAGING_H
#define OCIW_OPS_EXTRACT_STAGING_H

#include "base/alloc.h"
#include "base/error.h"

typedef struct ociwp_staging ociwp_staging;

/* Looks at the destination (EXISTS when it is there and no empty directory), removes what dead runs
 * left in its parent, and makes a locked directory of mode 0700. */
int ociwp_staging_begin(const char *destination, ociwp_staging **out, ociw_error **err);
int ociwp_staging_root(const ociwp_staging *staging); /* opened for reading; borrowed */
/* The umask takes bits even from 0700: directories need a chmod. */
bool ociwp_staging_odd_umask(const ociwp_staging *staging);
/* Name of the staging directory in the parent of the destination. Borrowed. */
const char *ociwp_staging_name(const ociwp_staging *staging);
/* Absolute path of the destination. Borrowed. */
const char *ociwp_staging_destination(const ociwp_staging *staging);
/* Syncs the file system (unless @p sync is false), renames, syncs the parent. On failure the
 * destination is as before and the staged tree gone. Frees in any case. */
int ociwp_staging_publish(ociwp_staging *take_staging, bool sync, ociw_error **err);
void ociwp_staging_abort(ociwp_staging *take_staging);
OCIWP_DEFINE_AUTO(staging, ociwp_staging *, ociwp_staging_abort)

#endif
