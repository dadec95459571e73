/* SPDX-License-Identifier: Apache-2.0
 *
 * pax extended headers (POSIX pax, "pax Extended Header"; extraction.md H1, H3, H7). Each record is
 * "LENGTH KEY=VALUE\n", LENGTH counting all of it.
 */
#include "archive/pax.h"
#include "archive/tar-header.h"
#include "base/str.h"

#include <inttypes.h>
#include <string.h>

#define XATTR_PREFIX "SCHILY.xattr."
#define XATTR_NAME_MAX 255 /* Linux */

struct record {
	char *key, *value;
	size_t key_len, value_len;
	size_t total; /* with its length and newline */
};

static int bad_record(size_t offset, const char *what, ociw_error **err)
{
	return ociwp_fail(err, OCIW_ERR_FORMAT, "pax record at byte %zu of its header %s", offset,
	                  what);
}

static int split_record(char *data, size_t len, size_t offset, struct record *out, ociw_error **err)
{
	char *at = data + offset;
	size_t left = len - offset;
	size_t digits = 0;
	uint64_t total;
	while (digits < left && ociwp_is_digit(at[digits]))
		digits++;
	/* 19 digits hold anything that could be right. */
	if (digits == 0 || digits > 19 || digits == left || at[digits] != ' ' ||
	    !ociwp_parse_u64(at, digits, &total))
		return bad_record(offset, "does not start with a length and a space", err);
	/* At least: digits, space, one byte of key, '=', newline. */
	if (total < digits + 4)
		return bad_record(offset, "is shorter than a record can be", err);
	if (total > left)
		return bad_record(offset, "is longer than the header", err);
	if (at[total - 1] != '\n')
		return bad_record(offset, "does not end in a newline", err);
	out->key = at + digits + 1;
	size_t rest = (size_t)total - digits - 2; /* without the newline */
	char *equals = memchr(out->key, '=', rest);
	if (!equals || equals == out->key)
		return bad_record(offset, "has no key", err);
	out->key_len = (size_t)(equals - out->key);
	out->value = equals + 1;
	out->value_len = rest - out->key_len - 1;
	out->total = (size_t)total;
	if (memchr(out->key, '\0', out->key_len))
		return bad_record(offset, "has a NUL in its key", err);
	return 0;
}

static int bad_value(const struct record *record, const char *expected, ociw_error **err)
{
	return ociwp_fail(err, OCIW_ERR_FORMAT, "pax %s is %s, expected %s", record->key,
	                  ociwp_quote_len(record->value, record->value_len), expected);
}

static int set_text(const struct record *record, const char **out, ociw_error **err)
{
	/* POSIX: an empty value takes the override back; readers do not agree, so nobody may ask.
	 */
	if (record->value_len == 0)
		return bad_value(record, "a name", err);
	if (memchr(record->value, '\0', record->value_len))
		return bad_value(record, "a name without NUL", err);
	*out = record->value;
	return 0;
}

static int set_number(const struct record *record, uint64_t max, bool *has, uint64_t *out,
                      ociw_error **err)
{
	if (!ociwp_parse_u64(record->value, record->value_len, out) || *out > max)
		return bad_value(record, "a decimal number that fits", err);
	*has = true;
	return 0;
}

/* "-12.345": decimal seconds since 1970, as a floor and nanoseconds above it. */
static int set_mtime(const struct record *record, ociwp_pax *out, ociw_error **err)
{
	const char *at = record->value, *end = at + record->value_len;
	bool negative = at < end && *at == '-';
	at += negative;
	const char *dot = memchr(at, '.', (size_t)(end - at));
	const char *whole_end = dot ? dot : end;
	uint64_t seconds;
	if (!ociwp_parse_u64(at, (size_t)(whole_end - at), &seconds) || seconds > INT64_MAX)
		return bad_value(record, "decimal seconds", err);
	uint32_t nanoseconds = 0, weight = 100000000;
	for (const char *p = dot ? dot + 1 : end; p < end; p++, weight /= 10) {
		if (!ociwp_is_digit(*p))
			return bad_value(record, "decimal seconds", err);
		nanoseconds += (uint32_t)(*p - '0') * weight;
	}
	out->mtime_seconds = negative ? -(int64_t)seconds : (int64_t)seconds;
	if (negative && nanoseconds > 0) {
		out->mtime_seconds--;
		nanoseconds = 1000000000 - nanoseconds;
	}
	out->mtime_nanoseconds = nanoseconds;
	out->has_mtime = true;
	return 0;
}

static int add_xattr(const struct record *record, ociwp_pax *out, ociw_error **err)
{
	const char *name = record->key + strlen(XATTR_PREFIX);
	size_t name_len = record->key_len - strlen(XATTR_PREFIX);
	if (name_len == 0)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "extended attribute without a name");
	if (name_len > XATTR_NAME_MAX)
		return ociwp_fail(err, OCIW_ERR_LIMIT,
		                  "name of extended attribute %s has %zu bytes, the limit is %d",
		                  ociwp_quote(name), name_len, XATTR_NAME_MAX);
	if (record->value_len > OCIWP_TAR_XATTR_BYTES_MAX)
		return ociwp_fail(err, OCIW_ERR_LIMIT,
		                  "extended attribute %s has %zu bytes, the limit is %zu",
		                  ociwp_quote(name), record->value_len, OCIWP_TAR_XATTR_BYTES_MAX);
	out->xattr_bytes += record->value_len;
	if (++out->xattr_records > OCIWP_TAR_XATTRS_MAX ||
	    out->xattr_bytes > OCIWP_TAR_XATTR_TOTAL_MAX)
		return ociwp_fail(err, OCIW_ERR_LIMIT,
		                  "more than %d extended attributes or %zu bytes of them",
		                  OCIWP_TAR_XATTRS_MAX, OCIWP_TAR_XATTR_TOTAL_MAX);
	size_t i = 0;
	while (i < out->xattr_count && strcmp(out->xattrs[i].name, name) != 0)
		i++;
	out->xattrs[i] = (ociwp_tar_xattr){name, record->value, record->value_len};
	if (i == out->xattr_count)
		out->xattr_count++;
	return 0;
}

/* Keys after which the bytes of the entry are not the file, or not all of it. */
static bool is_refused_key(const char *key)
{
	return ociwp_starts_with(key, "GNU.sparse.") || ociwp_starts_with(key, "GNU.volume.") ||
	       ociwp_streq(key, "SCHILY.realsize");
}

static int apply(const struct record *record, ociwp_pax *out, ociw_error **err)
{
	const char *key = record->key;
	const char *ignored;
	if (ociwp_streq(key, "path"))
		return set_text(record, &out->path, err);
	if (ociwp_streq(key, "linkpath"))
		return set_text(record, &out->target, err);
	if (ociwp_streq(key, "size"))
		return set_number(record, OCIWP_TAR_SIZE_MAX, &out->has_size, &out->size, err);
	if (ociwp_streq(key, "uid"))
		return set_number(record, INT64_MAX, &out->has_uid, &out->uid, err);
	if (ociwp_streq(key, "gid"))
		return set_number(record, INT64_MAX, &out->has_gid, &out->gid, err);
	if (ociwp_streq(key, "mtime"))
		return set_mtime(record, out, err);
	if (ociwp_starts_with(key, XATTR_PREFIX))
		return add_xattr(record, out, err);
	if (is_refused_key(key))
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
		                  "pax record %s: sparse and multi-volume files "
		                  "are not supported",
		                  ociwp_quote(key));
	/* Not used here, but Go refuses it, and a name with a NUL is never meant well. */
	if ((ociwp_streq(key, "uname") || ociwp_streq(key, "gname")) && record->value_len > 0)
		return set_text(record, &ignored, err);
	return 0;
}

int ociwp_pax_parse(char *data, size_t len, bool global, ociwp_pax *out, ociw_error **err)
{
	*out = (ociwp_pax){0};
	for (size_t offset = 0; offset < len;) {
		struct record record = {0};
		int r = split_record(data, len, offset, &record, err);
		if (r < 0)
			return r;
		offset += record.total;
		record.key[record.key_len] = '\0';
		record.value[record.value_len] = '\0';
		if (global)
			continue;
		r = apply(&record, out, err);
		if (r < 0)
			return r;
	}
	return 0;
}
