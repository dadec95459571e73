/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk over the outermost sections of a wasm file (wasm-formats.md 2.3) by pread. Not mapped:
 * a file that shrinks while it is packed must be an error, not a signal in somebody's process.
 */
#include "format/wasm-check.h"
#include "base/str.h"
#include <errno.h>
#include <unistd.h>

#define WINDOW 4096
#define SECTION_HEAD_MAX 6 /* id and five bytes of size */

struct walk {
	int fd;
	uint64_t size;
	uint64_t window_at; /* where `window` begins in the file */
	size_t window_len;
	unsigned char window[WINDOW];
};

struct section {
	unsigned id;
	uint64_t at;   /* of its id byte */
	uint64_t body; /* of its body */
	uint64_t len;
};

static int read_at(int fd, void *buf, size_t len, uint64_t at, ociw_error **err)
{
	size_t done = 0;
	while (done < len) {
		ssize_t got = pread(fd, (char *)buf + done, len - done, (off_t)(at + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ociwp_fail_errno(err, errno, "read");
		if (got == 0)
			return ociwp_fail(err, OCIW_ERR_FORMAT,
			                  "the file shrank while it was read");
		done += (size_t)got;
	}
	return 0;
}

/* At least @p need bytes at @p at, or all there are to the end of the file. */
static int walk_peek(struct walk *walk, uint64_t at, size_t need, const unsigned char **data,
                     size_t *len, ociw_error **err)
{
	uint64_t left = walk->size - at;
	if (need > left)
		need = (size_t)left;
	if (at < walk->window_at || at + need > walk->window_at + walk->window_len) {
		size_t want = left < WINDOW ? (size_t)left : WINDOW;
		int r = read_at(walk->fd, walk->window, want, at, err);
		if (r < 0)
			return r;
		walk->window_at = at;
		walk->window_len = want;
	}
	size_t skip = (size_t)(at - walk->window_at);
	*data = walk->window + skip;
	*len = walk->window_len - skip;
	return 0;
}

/* Reads the head of the section at @p at. */
static int walk_section(struct walk *walk, uint64_t at, struct section *out, ociw_error **err)
{
	const unsigned char *data;
	size_t len;
	int r = walk_peek(walk, at, SECTION_HEAD_MAX, &data, &len, err);
	if (r < 0)
		return r;
	uint64_t value = 0;
	size_t i = 1;
	for (unsigned shift = 0;; shift += 7, i++) {
		if (i >= len)
			return ociwp_fail(err, OCIW_ERR_FORMAT,
			                  "wasm binary is cut off in the head of the section at "
			                  "offset %llu",
			                  (unsigned long long)at);
		if (shift == 28 && data[i] > 0x0f)
			return ociwp_fail(err, OCIW_ERR_FORMAT,
			                  "wasm section at offset %llu has a broken size",
			                  (unsigned long long)at);
		value |= (uint64_t)(data[i] & 0x7f) << shift;
		if (!(data[i] & 0x80))
			break;
	}
	*out = (struct section){data[0], at, at + i + 1, value};
	if (value > walk->size - out->body)
		return ociwp_fail(err, OCIW_ERR_FORMAT,
		                  "wasm binary is cut off: the section at offset %llu has %llu "
		                  "bytes, the file only %llu more",
		                  (unsigned long long)at, (unsigned long long)value,
		                  (unsigned long long)(walk->size - out->body));
	return 0;
}

static int judge_kind(ociwp_wasm_kind kind, ociw_error **err)
{
	switch (kind) {
	case OCIWP_WASM_MODULE:
	case OCIWP_WASM_COMPONENT:
	case OCIWP_WASM_PACKAGE:
		return 0;
	case OCIWP_WASM_NATIVE:
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
		                  "native or precompiled code, not wasm: give the wasm binary it "
		                  "was compiled from");
	case OCIWP_WASM_TEXT:
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
		                  "wasm text, not a binary: convert it first, such as with "
		                  "wasm-tools parse FILE -o FILE.wasm");
	case OCIWP_WASM_NONE:
		break;
	}
	return ociwp_fail(err, OCIW_ERR_FORMAT, "not a wasm binary");
}

static int walk_head(struct walk *walk, ociwp_wasm_kind *kind, ociw_error **err)
{
	const unsigned char *data = NULL;
	size_t len = 0;
	if (walk->size > 0) {
		int r = walk_peek(walk, 0, WINDOW, &data, &len, err);
		if (r < 0)
			return r;
	}
	*kind = ociwp_wasm_sniff(data, len);
	return judge_kind(*kind, err);
}

int ociwp_wasm_check(int fd, uint64_t size, enum ociwp_wasm_check how, ociw_error **err)
{
	struct walk walk = {.fd = fd, .size = size};
	ociwp_wasm_kind kind;
	int r = walk_head(&walk, &kind, err);
	if (r < 0 || how == OCIWP_WASM_CHECK_HEAD)
		return r;
	for (uint64_t at = OCIWP_WASM_PREAMBLE; at < size;) {
		struct section section;
		r = walk_section(&walk, at, &section, err);
		if (r < 0)
			return r;
		at = section.body + section.len;
	}
	return 0;
}

/* Whether a section body matters for names: custom always (metadata), in components also types,
 * aliases, imports and exports; in core modules nothing else. */
static bool section_matters(ociwp_wasm_kind kind, unsigned id)
{
	if (id == 0)
		return true;
	if (kind == OCIWP_WASM_MODULE)
		return false;
	return id == 6 || id == 7 || id == 10 || id == 11;
}

/* Custom sections that hold debug information can be huge: only names that carry metadata are kept,
 * all of which are short. */
#define CUSTOM_MAX (1u << 20)

static int outline_section(struct walk *walk, const struct section *section, ociwp_buf *out,
                           ociw_error **err)
{
	size_t total = (size_t)(section->body - section->at) + (size_t)section->len;
	if (section->len > OCIWP_WASM_OUTLINE_MAX || out->len + total > OCIWP_WASM_OUTLINE_MAX)
		return ociwp_fail(err, OCIW_ERR_LIMIT,
		                  "types, imports and exports of the component have more than %u "
		                  "bytes",
		                  OCIWP_WASM_OUTLINE_MAX);
	if (!ociwp_buf_reserve(out, total))
		return ociwp_nomem(err);
	int r = read_at(walk->fd, out->data + out->len, total, section->at, err);
	if (r < 0)
		return r;
	out->len += total;
	out->data[out->len] = '\0';
	return 0;
}

int ociwp_wasm_outline(int fd, uint64_t size, ociwp_buf *out, ociw_error **err)
{
	struct walk walk = {.fd = fd, .size = size};
	ociwp_wasm_kind kind;
	int r = walk_head(&walk, &kind, err);
	if (r < 0)
		return r;
	ociwp_buf_append(out, walk.window, OCIWP_WASM_PREAMBLE);
	for (uint64_t at = OCIWP_WASM_PREAMBLE; at < size;) {
		struct section section;
		r = walk_section(&walk, at, &section, err);
		if (r < 0)
			return r;
		at = section.body + section.len;
		if (!section_matters(kind, section.id) ||
		    (section.id == 0 && section.len > CUSTOM_MAX))
			continue;
		r = outline_section(&walk, &section, out, err);
		if (r < 0)
			return r;
	}
	return ociwp_buf_check(out, err);
}
