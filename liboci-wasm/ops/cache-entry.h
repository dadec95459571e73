/* SPDX-License-Identifier: Apache-2.0
 *
 * One entry of the cache: a folder with the tree, the record that says it is whole, and the file that
 * leases lock. Private to cache*.c.
 */
#ifndef OCIW_OPS_CACHE_ENTRY_H
#define OCIW_OPS_CACHE_ENTRY_H

#include "base/buf.h"
#include <oci-wasm/cache.h>

#define OCIWP_CACHE_TREE "tree"
#define OCIWP_CACHE_RECORD "record"
#define OCIWP_CACHE_LOCK "lock"
/* Beside the entries: locks of those that are being built, and entries that were found damaged while
 * somebody had leased them. */
#define OCIWP_CACHE_LOCKS ".locks"
#define OCIWP_CACHE_ASIDE ".aside"
/* Hexadecimal digits of a key: the name of an entry. */
#define OCIWP_CACHE_KEY_LEN 64
#define OCIWP_CACHE_KEY_MAX (OCIWP_CACHE_KEY_LEN + 1)

struct ociw_cache {
	char *path; /* absolute */
	int fd;
};

struct ociw_lease {
	int fd; /* of the lock file, shared lock held */
	char *path;
	char *json;
};

/* What is said of a tree beside its result. */
typedef struct ociwp_cache_record {
	uint64_t names; /* in the tree */
	uint64_t bytes; /* of its files */
	uint64_t inode; /* of its top, with the time of its last change */
	int64_t changed_seconds;
	uint32_t changed_nanoseconds;
	char *json;
} ociwp_cache_record;

void ociwp_cache_record_deinit(ociwp_cache_record *record);

/* The name of the entry for a digest and all options that shape a tree. */
int ociwp_cache_key(const char *digest, const ociw_extract_options *extract,
		    char out[OCIWP_CACHE_KEY_MAX], ociw_error **err);
bool ociwp_cache_is_key(const char *name);

/* Names and bytes below @p tree (a directory, borrowed), for records and checks. */
int ociwp_cache_count(int tree, uint64_t *names, uint64_t *bytes, ociw_error **err);
/* Fills all but json from the tree in @p entry. */
int ociwp_cache_measure(int entry, ociwp_cache_record *out, ociw_error **err);
/* Puts record and lock file in a new entry. */
int ociwp_cache_write_record(int entry, const ociwp_cache_record *record, ociw_error **err);
/* Reads and judges a record against its tree: FORMAT when the entry is damaged. */
int ociwp_cache_read_record(int entry, bool check_tree, ociwp_cache_record *out,
			    ociw_error **err);

/* Opens the lock file of entry @p key and locks it (LOCK_SH or LOCK_EX, without waiting); makes sure
 * that the entry still has its name afterwards. NOTFOUND; BUSY when somebody else holds it. */
int ociwp_cache_lock_entry(int cache, const char *key, int how, int *out_entry, int *out_lock,
			   ociw_error **err);

/* The lock under which one process builds an entry, without waiting. BUSY: somebody else has it, or had
 * it just now. */
int ociwp_cache_lock_build(int cache, const char *key, int *out_lock, ociw_error **err);
/* Nobody needs the file any more, and who waits for it makes another. */
void ociwp_cache_unlock_build(int cache, const char *key, int take_lock);

/* A lease on an entry in the making: the lock file, locked, or a code. */
int ociwp_cache_guard(int entry, ociw_error **err);
/* Takes an entry, locked exclusively, out of sight and removes it. */
int ociwp_cache_remove_entry(int cache, const char *key, ociw_error **err);
/* Gives the name of an entry free while leases on it go on. */
int ociwp_cache_set_aside(int cache, const char *key, ociw_error **err);
/* Is an entry of this name aside and still leased? Its users have the path of the new entry, which has
 * to stay for them too. */
bool ociwp_cache_is_leased_aside(int cache, const char *key);
/* Removes what is aside and no longer leased, and build locks that nobody holds. */
void ociwp_cache_sweep(int cache);

#endif
