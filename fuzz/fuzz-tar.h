/* SPDX-License-Identifier: Apache-2.0
 *
 * Tar inputs for fuzzing: a mutated header nearly always has a wrong checksum, which hides
 * everything behind it. So each input is tried as it is and once more with the sums of its headers
 * put right.
 */
#ifndef OCIW_FUZZ_TAR_H
#define OCIW_FUZZ_TAR_H

#include "fuzz-streams.h"

#include <stdio.h>

static inline void fuzz_tar_repair_block(uint8_t *block)
{
	char text[8];
	unsigned sum = 8 * ' ';
	for (size_t i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? 0 : block[i];
	snprintf(text, sizeof(text), "%06o", sum & 0777777);
	memcpy(block + 148, text, 7);
	block[155] = ' ';
}

/* A copy in which every block that looks like a header has the right checksum; to be freed. */
static inline uint8_t *fuzz_tar_repair(const uint8_t *data, size_t size)
{
	uint8_t *copy = (uint8_t *)ociwp_memdup(data, size);
	FUZZ_ASSERT(copy);
	for (size_t at = 0; at + 512 <= size; at += 512) {
		if (memcmp(copy + at + 257, "ustar", 5) == 0 || copy[at + 155] == ' ')
			fuzz_tar_repair_block(copy + at);
	}
	return copy;
}

/* Runs @p test on both forms. */
static inline void fuzz_tar_both(const uint8_t *data, size_t size,
                                 void (*test)(const uint8_t *data, size_t size))
{
	uint8_t *repaired = fuzz_tar_repair(data, size);
	test(data, size);
	if (memcmp(data, repaired, size) != 0)
		test(repaired, size);
	free(repaired);
}

#endif
