/* SPDX-License-Identifier: Apache-2.0
 *
 * Skips through a deflate stream without unpacking it, to learn where its last block is: several
 * times as fast as inflating it. Knows RFC 1951 and nothing of compressors; any bytes are safe.
 */
#ifndef OCIW_IO_DEFLATE_SCAN_H
#define OCIW_IO_DEFLATE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OCIWP_SCAN_LITERAL_BITS 11
#define OCIWP_SCAN_DISTANCE_BITS 9
#define OCIWP_SCAN_LITERALS 288
#define OCIWP_SCAN_DISTANCES 32
#define OCIWP_SCAN_LENGTH_MAX 15

/* A canonical code: how many symbols of each length, and the symbols in the order of their codes. */
typedef struct ociwp_scan_code {
	uint16_t count[OCIWP_SCAN_LENGTH_MAX + 1];
	uint16_t symbols[OCIWP_SCAN_LITERALS];
} ociwp_scan_code;

/* Tables of one block; nothing in it outlives a call. Too large for the stack of a thread. */
typedef struct ociwp_deflate_scanner {
	ociwp_scan_code literal, distance;
	uint16_t single[1u << OCIWP_SCAN_LITERAL_BITS];
	uint16_t joined[1u << OCIWP_SCAN_LITERAL_BITS];
	uint8_t used[1u << OCIWP_SCAN_LITERAL_BITS];
	uint16_t distances[1u << OCIWP_SCAN_DISTANCE_BITS];
} ociwp_deflate_scanner;

/* Bytes behind the stream that are read, and mean nothing. */
#define OCIWP_SCAN_PAD 16

/* Bit positions, counted from the first bit of @p data, of the header of the last block and of the
 * end of the stream; false when @p len bytes do not hold a whole stream. */
bool ociwp_deflate_scan(ociwp_deflate_scanner *scanner, const uint8_t *data, size_t len,
                        size_t *header, size_t *end);

#endif
