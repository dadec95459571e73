/* SPDX-License-Identifier: Apache-2.0
 *
 * Running out of memory anywhere in inspect is OCIW_ERR_NOMEM, and leaks nothing.
 */
#include "fail-alloc.h"
#include "oci/content.h"
#include <criterion/criterion.h>
#include <oci-wasm/inspect.h>
#include <oci-wasm/store.h>
#include <stdio.h>

struct image {
	char path[4096];
	const char *name;
};

static int run(void *data, ociw_error **err)
{
	OCIWP_AUTO(content) ociw_content *content = NULL;
	const struct image *image = data;
	ociw_inspection *found = NULL;
	int r = ociw_layout_open(image->path, OCIW_LAYOUT_READ, &content, err);
	if (r == 0)
		r = ociw_inspect(content, image->name, NULL, &found, err);
	ociw_inspection_free(found);
	return r;
}

static void each(const char *layout, const char *name)
{
	struct image image = {.name = name};
	snprintf(image.path, sizeof(image.path), "%s/golden/layouts/%s", getenv("OCIW_TESTDATA"),
		 layout);
	cr_expect_gt(fail_alloc_each(layout, run, &image), 100);
}

Test(nomem_inspect, a_spin_image)
{
	each("spin-3.6.3", "archive");
}

Test(nomem_inspect, an_artifact)
{
	each("wkg-component", "v1");
}

Test(nomem_inspect, an_index)
{
	each("oras-artifact-with-referrer",
	     "sha256-0eadb44e10c627bdf13ed8ba977a7ae00715e1c9755baddf1f1dbb1fbd73653d");
}

Test(nomem_inspect, a_rootfs)
{
	each("buildah-rootfs", "v2");
}
