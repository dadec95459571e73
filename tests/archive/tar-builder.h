/* SPDX-License-Identifier: Apache-2.0
 *
 * Builds tar archives byte by byte for tests, right ones and wrong ones. Independent of the
 * library's own writer and reader.
 */
#ifndef OCIW_TESTS_TAR_BUILDER_H
#define OCIW_TESTS_TAR_BUILDER_H

#include "../support/test-streams.h"

struct test_tar {
	ociwp_buf buf;
	size_t last; /* offset of the last header */
};

#define TEST_TAR_INIT                                                                              \
	{                                                                                          \
		OCIWP_BUF_INIT, 0                                                                  \
	}

static inline void test_tar_deinit(struct test_tar *tar)
{
	ociwp_buf_deinit(&tar->buf);
}

static inline void test_tar_sum_as(struct test_tar *tar, bool as_signed)
{
	char *block = tar->buf.data + tar->last;
	int sum = 0;
	memset(block + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += as_signed ? (signed char)block[i] : (unsigned char)block[i];
	snprintf(block + 148, 8, "%06o", (unsigned)sum & 0777777);
}

static inline void test_tar_sum_signed(struct test_tar *tar)
{
	test_tar_sum_as(tar, true);
}

/* Overwrites bytes of the last header and mends its checksum. */
static inline void test_tar_patch(struct test_tar *tar, size_t at, const void *bytes, size_t len)
{
	memcpy(tar->buf.data + tar->last + at, bytes, len);
	test_tar_sum_as(tar, false);
}

static inline void test_tar_header(struct test_tar *tar, const char *name, char type, size_t size)
{
	static const char zeros[512];
	tar->last = tar->buf.len;
	ociwp_buf_append(&tar->buf, zeros, sizeof(zeros));
	char *block = tar->buf.data + tar->last;
	memcpy(block, name, strnlen(name, 100));
	memcpy(block + 100, "0000644", 8);
	memcpy(block + 108, "0000000", 8);
	memcpy(block + 116, "0000000", 8);
	char text[32];
	snprintf(text, sizeof(text), "%011zo", size);
	memcpy(block + 124, text, 12);
	memcpy(block + 136, "00000000000", 12);
	block[156] = type;
	memcpy(block + 257, "ustar\00000", 8);
	test_tar_sum_as(tar, false);
}

/* Header, data and padding. */
static inline void test_tar_member(struct test_tar *tar, const char *name, char type,
                                   const void *data, size_t len)
{
	static const char zeros[512];
	test_tar_header(tar, name, type, len);
	size_t header = tar->last;
	ociwp_buf_append(&tar->buf, data, len);
	ociwp_buf_append(&tar->buf, zeros, -len & 511);
	tar->last = header;
}

static inline void test_tar_text(struct test_tar *tar, const char *name, char type,
                                 const char *text)
{
	test_tar_member(tar, name, type, text, strlen(text));
}

static inline void test_tar_link(struct test_tar *tar, const char *name, char type,
                                 const char *target)
{
	test_tar_header(tar, name, type, 0);
	test_tar_patch(tar, 157, target, strnlen(target, 100));
}

static inline void test_tar_end(struct test_tar *tar)
{
	static const char zeros[1024];
	ociwp_buf_append(&tar->buf, zeros, sizeof(zeros));
}

#endif
