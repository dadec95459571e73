/* SPDX-License-Identifier: Apache-2.0
 *
 * The library's version, and the one release function for memory that it hands out.
 */
#include <oci-wasm/content.h>
#include <oci-wasm/version.h>

#include <stdlib.h>

const char *ociw_version(void)
{
	return OCIW_VERSION_STRING;
}

void ociw_free(void *memory)
{
	free(memory);
}
