/* SPDX-License-Identifier: Apache-2.0
 *
 * Attach: the artifact's manifest, its subject and where it is listed (RFR-6, MAN-7).
 */
#include "codec/mediatype.h"
#include "oci/descriptor.h"
#include "pack-fixture.h"
#include <oci-wasm/attach.h>
#include <oci-wasm/store.h>

static ociw_content *layout;

static void setup(void)
{
	OCIWP_AUTO(content) ociw_content *packed = NULL;
	ociw_pack_options options = pack_options();
	app_begin("");
	cr_assert_eq(ociw_pack(&options, &packed, NULL), 0);
	cr_assert_eq(ociw_layout_open(in_app("layout"), OCIW_LAYOUT_WRITE | OCIW_LAYOUT_CREATE,
	                              &layout, NULL),
	             0);
	cr_assert_eq(ociw_copy(packed, NULL, layout, "v1", NULL, NULL, NULL), 0);
}

static void teardown(void)
{
	ociw_content_free(layout);
	app_end();
}

TestSuite(attach, .init = setup, .fini = teardown);

static ociwp_manifest *attach(const ociw_attach_options *options, ociw_descriptor **desc)
{
	ociwp_manifest *manifest = NULL;
	ociw_error *err = NULL;
	cr_assert_eq(ociw_attach(layout, "v1", options, desc, &err), 0, "%s",
	             err ? ociw_error_message(err) : "");
	cr_assert_eq(ociwp_manifest_load(layout, *desc, NULL, &manifest, NULL, NULL, NULL), 0);
	return manifest;
}

static void expect_refused(const char *name, const ociw_attach_options *options, int code,
                           const char *text)
{
	ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;
	cr_assert_eq(ociw_attach(layout, name, options, &desc, &err), code);
	cr_assert_null(desc);
	cr_assert_not_null(strstr(ociw_error_message(err), text), "%s", ociw_error_message(err));
	ociw_error_free(err);
}

Test(attach, files_become_layers_with_their_names)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *subject = NULL;
	ociw_attach_options options = OCIW_ATTACH_OPTIONS_INIT;
	ociw_annotation annotation = {"k", "v"};
	write_text("sbom.json", "{\"spdx\":1}");
	write_text("note.txt", "note");
	ociw_attach_file files[] = {{in_app("sbom.json"), "application/spdx+json"},
	                            {in_app("note.txt"), NULL}};
	options.artifact_type = "application/spdx+json";
	options.files = files;
	options.file_count = 2;
	options.annotations = &annotation;
	options.annotation_count = 1;
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = attach(&options, &desc);
	cr_assert_str_eq(manifest->artifact_type, "application/spdx+json");
	cr_assert_str_eq(manifest->config->media_type, OCIWP_MT_OCI_EMPTY);
	cr_assert_eq(manifest->layer_count, 2);
	cr_assert_str_eq(manifest->layers[0]->media_type, "application/spdx+json");
	cr_assert_str_eq(manifest->layers[1]->media_type, "application/octet-stream");
	cr_assert_str_eq(
	        ociw_descriptor_annotation(manifest->layers[0], "org.opencontainers.image.title"),
	        "sbom.json");
	cr_assert_str_eq(ociwp_annotations_get(&manifest->annotations, "k"), "v");
	cr_assert_eq(ociw_content_resolve(layout, "v1", NULL, &subject, NULL), 0);
	cr_assert_str_eq(manifest->subject->digest, subject->digest);
	cr_assert_eq(manifest->subject->size, subject->size);
}

Test(attach, an_artifact_without_files_has_the_empty_layer)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	ociw_attach_options options = OCIW_ATTACH_OPTIONS_INIT;
	options.artifact_type = "application/x.note";
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = attach(&options, &desc);
	cr_assert_eq(manifest->layer_count, 1);
	cr_assert_str_eq(manifest->layers[0]->media_type, OCIWP_MT_OCI_EMPTY);
	cr_assert_str_eq(manifest->layers[0]->digest, manifest->config->digest);
}

static int count_one(const ociw_descriptor *desc, void *user_data)
{
	(void)desc;
	++*(size_t *)user_data;
	return 0;
}

Test(attach, what_is_attached_is_listed_under_its_subject)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *subject = NULL;
	ociw_attach_options options = OCIW_ATTACH_OPTIONS_INIT;
	size_t all = 0, other = 0;
	options.artifact_type = "application/x.note";
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = attach(&options, &desc);
	cr_assert_not_null(manifest);
	cr_assert_eq(ociw_content_resolve(layout, "v1", NULL, &subject, NULL), 0);
	cr_assert_eq(
	        ociw_content_referrers(layout, subject->digest, NULL, NULL, count_one, &all, NULL),
	        0);
	cr_assert_eq(ociw_content_referrers(layout, subject->digest, "application/x.other", NULL,
	                                    count_one, &other, NULL),
	             0);
	cr_assert_eq(all, 1);
	cr_assert_eq(other, 0);
}

Test(attach, the_same_artifact_has_the_same_digest)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *first = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *second = NULL;
	ociw_annotation forward[] = {{"a", "1"}, {"b", "2"}}, backward[] = {{"b", "2"}, {"a", "1"}};
	ociw_attach_options options = OCIW_ATTACH_OPTIONS_INIT;
	options.artifact_type = "application/x.note";
	options.annotations = forward;
	options.annotation_count = 2;
	ociwp_manifest_free(attach(&options, &first));
	options.annotations = backward;
	ociwp_manifest_free(attach(&options, &second));
	cr_assert_str_eq(first->digest, second->digest);
}

Test(attach, wrong_arguments_are_refused)
{
	ociw_attach_options options = OCIW_ATTACH_OPTIONS_INIT;
	ociw_attach_file file = {in_app("none.txt"), NULL};
	expect_refused("v1", &options, OCIW_ERR_INVALID, "is no artifact type");
	options.artifact_type = "no type";
	expect_refused("v1", &options, OCIW_ERR_INVALID, "is no artifact type");
	options.artifact_type = "application/x.note";
	expect_refused("v2", &options, OCIW_ERR_NOTFOUND, "v2");
	options.files = &file;
	options.file_count = 1;
	expect_refused("v1", &options, OCIW_ERR_NOTFOUND, "none.txt");
}
