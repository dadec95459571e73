/* SPDX-License-Identifier: Apache-2.0
 *
 * Parses one tar header block. Where readers in use (Go, GNU tar, libarchive) take the same bytes
 * for different things, the block is refused. specs: POSIX pax "ustar Interchange Format", GNU tar
 * manual.
 */
#include "archive/tar-header.h"
#include "base/str.h"

#include <inttypes.h>
#include <string.h>

/* Offsets and lengths of POSIX ustar; star and GNU put other things at 345. */
enum {
	NAME = 0,
	NAME_LEN = 100,
	MODE = 100,
	UID = 108,
	GID = 116,
	ID_LEN = 8,
	SIZE = 124,
	MTIME = 136,
	TIME_LEN = 12,
	CHECKSUM = 148,
	CHECKSUM_LEN = 8,
	TYPE = 156,
	LINK = 157,
	LINK_LEN = 100,
	MAGIC = 257,
	DEVMAJOR = 329,
	DEVMINOR = 337,
	PREFIX = 345,
	PREFIX_LEN = 155,
	STAR_PREFIX_LEN = 131,
	GNU_ATIME = 345,
	GNU_CTIME = 357,
	GNU_SPARSE = 386, /* map of a sparse file and its real size */
	GNU_SPARSE_END = 495,
	STAR_MAGIC = 508
};

bool ociwp_tar_block_is_zero(const void *block)
{
	const unsigned char *b = block;
	return b[0] == 0 && memcmp(b, b + 1, OCIWP_TAR_BLOCK_SIZE - 1) == 0;
}

size_t ociwp_tar_header_raw_name(const void *block, const char **name)
{
	*name = (const char *)block + NAME;
	return strnlen(*name, NAME_LEN);
}

static int bad_field(const unsigned char *field, size_t len, const char *what, ociw_error **err)
{
	return ociwp_fail(err, OCIW_ERR_FORMAT, "%s is %s, expected an octal or base-256 number",
	                  what, ociwp_quote_len(field, len));
}

/* Spaces, octal digits, then spaces and NULs, or a NUL and whatever was there before. */
static int parse_octal(const unsigned char *field, size_t len, const char *what, int64_t *out,
                       ociw_error **err)
{
	size_t i = 0;
	int64_t value = 0;
	while (i < len && field[i] == ' ')
		i++;
	/* At most 12 digits of 3 bits: no overflow. */
	for (; i < len && field[i] >= '0' && field[i] <= '7'; i++)
		value = value * 8 + (field[i] - '0');
	bool seen_digit = i > 0 && field[i - 1] != ' ';
	*out = value;
	if (seen_digit && i < len && field[i] == '\0')
		return 0;
	/* Go skips leading NULs, others stop there: without digits nothing else may follow. */
	for (; i < len; i++) {
		if (field[i] != ' ' && field[i] != '\0')
			return bad_field(field, len, what, err);
	}
	return 0;
}

/* Big-endian two's complement of which the top bit only marks the form (GNU, star). */
static int parse_base256(const unsigned char *field, size_t len, const char *what, int64_t *out,
                         ociw_error **err)
{
	bool negative = field[0] & 0x40;
	uint64_t fill = negative ? 0xff : 0;
	uint64_t value = negative ? UINT64_MAX : 0;
	uint64_t first = negative ? field[0] : field[0] & 0x7f;
	for (size_t i = 0; i < len; i++) {
		uint64_t byte = i == 0 ? first : field[i];
		/* What is shifted out must repeat the sign. */
		if (value >> 56 != fill)
			return ociwp_fail(err, OCIW_ERR_FORMAT, "%s is over 64 bits", what);
		value = value << 8 | byte;
	}
	if ((value >> 63 != 0) != negative)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s is over 63 bits", what);
	*out = (int64_t)value;
	return 0;
}

static int parse_signed(const unsigned char *field, size_t len, const char *what, int64_t *out,
                        ociw_error **err)
{
	if (field[0] & 0x80)
		return parse_base256(field, len, what, out, err);
	return parse_octal(field, len, what, out, err);
}

static int parse_number(const unsigned char *field, size_t len, const char *what, uint64_t max,
                        uint64_t *out, ociw_error **err)
{
	int64_t value = 0;
	int r = parse_signed(field, len, what, &value, err);
	if (r < 0)
		return r;
	if (value < 0)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s is %" PRId64 ", below 0", what, value);
	if ((uint64_t)value > max)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s is %" PRId64 ", over %" PRIu64, what,
		                  value, max);
	*out = (uint64_t)value;
	return 0;
}

/* Sum of 512 unsigned bytes, four lanes of 16 bits at a time. */
static uint32_t sum_unsigned(const unsigned char *block)
{
	const uint64_t mask = UINT64_C(0x00ff00ff00ff00ff);
	uint64_t lanes = 0; /* 128 additions of at most 255 a lane: below 2^16 */
	for (size_t i = 0; i < OCIWP_TAR_BLOCK_SIZE; i += 8) {
		uint64_t word;
		memcpy(&word, block + i, sizeof(word));
		lanes += (word & mask) + ((word >> 8) & mask);
	}
	return (uint32_t)((lanes & 0xffff) + (lanes >> 16 & 0xffff) + (lanes >> 32 & 0xffff) +
	                  (lanes >> 48));
}

static int check_sum(const unsigned char *block, ociw_error **err)
{
	uint64_t stored;
	bool is_octal = true;
	for (size_t i = 0; i < CHECKSUM_LEN; i++) {
		unsigned char c = block[CHECKSUM + i];
		is_octal = is_octal && ((c >= '0' && c <= '7') || c == ' ' || c == '\0');
	}
	if (!is_octal ||
	    parse_number(block + CHECKSUM, CHECKSUM_LEN, "", UINT32_MAX, &stored, NULL) < 0)
		return ociwp_fail(err, OCIW_ERR_FORMAT,
		                  "header checksum is %s, expected an octal number: damaged, or no "
		                  "tar archive",
		                  ociwp_quote_len(block + CHECKSUM, CHECKSUM_LEN));
	/* The field itself counts as spaces. */
	uint32_t sum = sum_unsigned(block) + CHECKSUM_LEN * ' ';
	for (size_t i = 0; i < CHECKSUM_LEN; i++)
		sum -= block[CHECKSUM + i];
	if (stored == sum)
		return 0;
	/* Some old writers added signed bytes (H6). */
	int64_t as_signed = sum;
	for (size_t i = 0; i < OCIWP_TAR_BLOCK_SIZE; i++) {
		bool own_field = i >= CHECKSUM && i < CHECKSUM + CHECKSUM_LEN;
		if (block[i] >= 0x80 && !own_field)
			as_signed -= 256;
	}
	if (as_signed >= 0 && stored == (uint64_t)as_signed)
		return 0;
	return ociwp_fail(err, OCIW_ERR_FORMAT,
	                  "header checksum is %" PRIu64 ", expected %" PRIu32
	                  ": damaged, or no tar archive",
	                  stored, sum);
}

static int check_empty_prefix(const unsigned char *block, ociw_error **err)
{
	if (block[PREFIX] != '\0')
		return ociwp_fail(err, OCIW_ERR_FORMAT,
		                  "header has a prefix but version %s, expected \"00\"",
		                  ociwp_quote_len(block + MAGIC + 6, 2));
	return 0;
}

/* GNU headers have other fields in place of the prefix. */
static int check_gnu_fields(const unsigned char *block, ociw_error **err)
{
	int64_t ignored;
	/* Old Go wrote a prefix all the same, and Go still reads it where these are no times. */
	int r = parse_signed(block + GNU_ATIME, TIME_LEN, "access time", &ignored, err);
	if (r >= 0)
		r = parse_signed(block + GNU_CTIME, TIME_LEN, "change time", &ignored, err);
	if (r < 0)
		return r;
	/* libarchive looks at these whatever the type is. */
	for (size_t i = GNU_SPARSE; i < GNU_SPARSE_END; i++) {
		if (block[i] != 0)
			return ociwp_fail(
			        err, OCIW_ERR_UNSUPPORTED,
			        "header describes a GNU sparse file, which is not supported");
	}
	return 0;
}

/* Bytes of the prefix field that belong in front of the name; which forms have one is what readers
 * disagree about most. */
static int prefix_len(const unsigned char *block, size_t *out, ociw_error **err)
{
	static const char star[4] = {'t', 'a', 'r', '\0'};
	const unsigned char *magic = block + MAGIC;
	*out = 0;
	if (memcmp(magic,
	           "ustar\0"
	           "00",
	           8) == 0) {
		size_t len = strnlen((const char *)block + PREFIX, PREFIX_LEN);
		/* star keeps times behind 131 bytes of prefix. */
		if (len > STAR_PREFIX_LEN && memcmp(block + STAR_MAGIC, star, sizeof(star)) == 0)
			return ociwp_fail(
			        err, OCIW_ERR_FORMAT,
			        "header prefix of a star archive has %zu bytes, at most %d fit",
			        len, (int)STAR_PREFIX_LEN);
		*out = len;
		return 0;
	}
	if (memcmp(magic, "ustar  \0", 8) == 0)
		return check_gnu_fields(block, err);
	if (memcmp(magic, "ustar", 5) == 0)
		return check_empty_prefix(block, err);
	return 0;
}

static int parse_path(const unsigned char *block, char *out, ociw_error **err)
{
	size_t at;
	int r = prefix_len(block, &at, err);
	if (r < 0)
		return r;
	if (at > 0) {
		memcpy(out, block + PREFIX, at);
		out[at++] = '/';
	}
	size_t name_len = strnlen((const char *)block + NAME, NAME_LEN);
	memcpy(out + at, block + NAME, name_len);
	out[at + name_len] = '\0';
	return 0;
}

/* Old headers have no such fields; in others they are numbers even where nobody needs them. */
static int parse_device(const unsigned char *block, ociwp_tar_header *out, ociw_error **err)
{
	uint64_t major, minor;
	bool is_device = out->type == '3' || out->type == '4';
	out->device_major = out->device_minor = 0;
	if (!is_device && memcmp(block + MAGIC, "ustar", 5) != 0)
		return 0;
	int r = parse_number(block + DEVMAJOR, ID_LEN, "device major", UINT32_MAX, &major, err);
	if (r >= 0)
		r = parse_number(block + DEVMINOR, ID_LEN, "device minor", UINT32_MAX, &minor, err);
	if (r < 0)
		return r;
	if (is_device) {
		out->device_major = (uint32_t)major;
		out->device_minor = (uint32_t)minor;
	}
	return 0;
}

int ociwp_tar_header_parse(const void *data, ociwp_tar_header *out, ociw_error **err)
{
	const unsigned char *block = data;
	uint64_t mode = 0;
	int r = check_sum(block, err);
	out->type = (char)block[TYPE];
	if (r >= 0)
		r = parse_number(block + SIZE, TIME_LEN, "size", OCIWP_TAR_SIZE_MAX, &out->size,
		                 err);
	if (r >= 0)
		r = parse_number(block + MODE, ID_LEN, "mode", INT64_MAX, &mode, err);
	if (r >= 0)
		r = parse_number(block + UID, ID_LEN, "uid", INT64_MAX, &out->uid, err);
	if (r >= 0)
		r = parse_number(block + GID, ID_LEN, "gid", INT64_MAX, &out->gid, err);
	if (r >= 0)
		r = parse_signed(block + MTIME, TIME_LEN, "mtime", &out->mtime, err);
	if (r >= 0)
		r = parse_device(block, out, err);
	if (r >= 0)
		r = parse_path(block, out->path, err);
	if (r < 0)
		return r;
	/* Some writers keep the file type in the upper bits. */
	out->mode = (uint32_t)(mode & 07777);
	size_t target_len = strnlen((const char *)block + LINK, LINK_LEN);
	memcpy(out->target, block + LINK, target_len);
	out->target[target_len] = '\0';
	return 0;
}
