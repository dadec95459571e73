/* SPDX-License-Identifier: Apache-2.0
 *
 * A promise that a fuzz target checks, in every build type.
 */
#ifndef OCIW_FUZZ_ASSERT_H
#define OCIW_FUZZ_ASSERT_H

#include <stddef.h>
#include <stdint.h>

#define FUZZ_ASSERT(what)                                                                            \
	do {                                                                                         \
		if (!(what))                                                                         \
			__builtin_trap();                                                            \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
