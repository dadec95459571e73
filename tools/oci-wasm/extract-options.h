/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of unpacking, the same for `oci-wasm extract` and `oci-wasm-extract`.
 */
#ifndef OCI_WASM_EXTRACT_OPTIONS_H
#define OCI_WASM_EXTRACT_OPTIONS_H

#include "options.h"

#include <oci-wasm/extract.h>

struct extract_settings {
	const char *mode, *platform, *file_url_root;
	struct string_list components;
	uint64_t max_bytes, max_entries, max_layers, max_ratio, max_path, max_depth, max_window;
	bool same_owner, special_files, keep_setid, xattrs, no_sync, verify_first, absolute_names;
	bool serial, no_openat2;
};

#define EXTRACT_OPTION_COUNT 20
/* Fill a struct extract_settings. */
extern const struct option_spec extract_option_specs[EXTRACT_OPTION_COUNT];

/* What the options say to the library, without the platform; @p settings stays in use. */
void extract_options_apply(const struct extract_settings *settings, ociw_extract_options *options,
			   ociw_limits *limits);

#endif
