/* SPDX-License-Identifier: Apache-2.0
 *
 * Wasm binaries: any bytes end in a verdict, names are clean text, and packages are sorted.
 */
#include "base/str.h"
#include "codec/wasm-binary.h"
#include "fuzz-assert.h"
#include <string.h>

static void check_names(char **names, size_t count, bool sorted)
{
	for (size_t i = 0; i < count; i++) {
		FUZZ_ASSERT(ociwp_utf8_valid(names[i], strlen(names[i])));
		FUZZ_ASSERT(!sorted || i == 0 || strcmp(names[i - 1], names[i]) < 0);
	}
}

static void check_text(const char *text)
{
	FUZZ_ASSERT(!text || ociwp_utf8_valid(text, strlen(text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ociwp_wasm_info *info = NULL;
	ociw_error *err = NULL;
	ociwp_wasm_kind kind = ociwp_wasm_sniff(data, size);
	int r = ociwp_wasm_parse((ociw_span){data, size}, &info, &err);
	bool wasm = kind == OCIWP_WASM_MODULE || kind == OCIWP_WASM_COMPONENT;

	FUZZ_ASSERT((r == 0) == (info != NULL) && (r < 0) == (err != NULL));
	FUZZ_ASSERT(wasm ? r == 0 || r == OCIW_ERR_FORMAT : r == OCIW_ERR_UNSUPPORTED);
	if (info) {
		bool package = info->kind == OCIWP_WASM_PACKAGE;
		FUZZ_ASSERT(info->kind == kind || (package && kind == OCIWP_WASM_COMPONENT));
		FUZZ_ASSERT(info->kind != OCIWP_WASM_MODULE || info->import_count == 0);
		FUZZ_ASSERT(!package || info->import_count == 0);
		check_names(info->imports, info->import_count, false);
		check_names(info->exports, info->export_count, package);
		check_text(info->name);
		check_text(info->description);
	}
	ociwp_wasm_info_free(info);
	ociw_error_free(err);
	return 0;
}
