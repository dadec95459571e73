/* SPDX-License-Identifier: Apache-2.0
 *
 * Small tars for tests, written with the library's own writer or, where that refuses, by hand.
 */
#ifndef OCIW_TESTS_TARS_H
#define OCIW_TESTS_TARS_H

#include "archive/tar-writer.h"
#include "base/buf.h"
#include "io/compress.h"
#include "layouts.h"

/* Appends one ustar header by hand, with any type and name, and its body. */
static MAYBE void raw_entry(ociwp_buf *tar, const char *name, char type, const char *target,
                            const void *data, size_t len)
{
	char header[512] = {0}, size[32];
	unsigned sum = 0;

	snprintf(header, 100, "%s", name);
	memcpy(header + 100, "0000644", 8);
	memcpy(header + 108, "0000000", 8);
	memcpy(header + 116, "0000000", 8);
	snprintf(size, sizeof(size), "%011zo", len);
	memcpy(header + 124, size, 12);
	snprintf(header + 136, 12, "%011o", 0);
	header[156] = type;
	if (target)
		snprintf(header + 157, 100, "%s", target);
	memcpy(header + 257, "ustar\00000", 8);
	memset(header + 148, ' ', 8);
	for (size_t i = 0; i < sizeof(header); i++)
		sum += (unsigned char)header[i];
	snprintf(header + 148, 8, "%06o", sum);
	header[155] = ' ';
	ociwp_buf_append(tar, header, sizeof(header));
	ociwp_buf_append(tar, data, len);
	for (; len % 512; len++)
		ociwp_buf_putc(tar, '\0');
}

static MAYBE void raw_file(ociwp_buf *tar, const char *name, const char *text)
{
	raw_entry(tar, name, '0', NULL, text, strlen(text));
}

/* Ends it and writes it to a file. */
static MAYBE void raw_finish(ociwp_buf *tar, const char *path)
{
	static const char zeros[1024];

	ociwp_buf_append(tar, zeros, sizeof(zeros));
	cr_assert_eq(ociwp_buf_check(tar, NULL), 0);
	write_file(path, tar->data, tar->len);
}

#endif
