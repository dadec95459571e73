/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of ops/pack-annotations: the file of ANN-5, the list, the time.
 */
#include "ops/pack-private.h"
#include "pack-fixture.h"

TestSuite(pack_annotations, .fini = app_end);

static void done(ociwp_pack *pack)
{
	ociwp_annotations_deinit(&pack->annotations);
	ociwp_notes_deinit(&pack->notes);
	json_decref(pack->annotation_file);
}

Test(pack_annotations, the_list_wins_over_the_file)
{
	static const ociw_annotation given[] = {{"a", "list"}, {"b", "one"}, {"b", "two"}};
	ociwp_pack pack = {0};
	app_begin("");
	write_text("ann.json", "{\"$manifest\":{\"a\":\"file\",\"c\":\"\"}}");
	pack.options.annotation_file = in_app("ann.json");
	pack.options.annotations = given;
	pack.options.annotation_count = 3;
	cr_assert_eq(ociwp_pack_annotations(&pack, NULL), 0);
	cr_assert_str_eq(ociwp_annotations_get(&pack.annotations, "a"), "list");
	cr_assert_str_eq(ociwp_annotations_get(&pack.annotations, "b"), "two");
	cr_assert_str_eq(ociwp_annotations_get(&pack.annotations, "c"), "");
	cr_assert_eq(pack.annotations.count, 3);
	done(&pack);
}

static int count_warnings(const ociw_event *event, void *user_data)
{
	*(int *)user_data += event->kind == OCIW_EVENT_WARNING;
	return 0;
}

static void listen(ociw_op *op, int *warnings)
{
	op->event = count_warnings;
	op->user_data = warnings;
}

#define ANNOTATIONS                                                                                \
	"{\"$manifest\":{\"m\":\"1\"},\"$config\":{\"c\":\"2\"},\"a.wasm\":{\"w\":\"3\"},"         \
	"\"./s/big\":{\"f\":\"4\"},\"s/small\":{\"x\":\"5\"}}"

/* Packs the app at hand in one format with the file above; *warnings counts. */
static ociwp_manifest *pack_noted(ociw_format format, uint32_t layers, int *warnings)
{
	ociw_pack_options options = OCIW_PACK_OPTIONS_INIT;
	ociw_content *content = NULL;
	ociw_op op = OCIW_OP_INIT;
	char big[200];
	memset(big, 'x', sizeof(big));
	app_begin("files = [\"s/*\"]\n");
	write_wasm("a.wasm");
	write_bytes("s/big", big, sizeof(big));
	write_text("s/small", "s");
	write_text("ann.json", ANNOTATIONS);
	*warnings = 0;
	listen(&op, warnings);
	options.op = &op;
	options.path = app_dir;
	options.formats = &format;
	options.format_count = 1;
	options.layers = layers;
	options.annotation_file = in_app("ann.json");
	cr_assert_eq(ociw_pack(&options, &content, NULL), 0);
	ociwp_manifest *manifest = manifest_of(content, NULL);
	ociw_content_free(content);
	return manifest;
}

static const char *note_of(const ociw_descriptor *desc, const char *key)
{
	return ociwp_annotations_get(&desc->annotations, key);
}

Test(pack_annotations, the_file_reaches_manifest_config_and_layers)
{
	int warnings;
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = pack_noted(OCIW_FORMAT_SPIN, 0, &warnings);
	cr_assert_str_eq(ociwp_annotations_get(&manifest->annotations, "m"), "1");
	cr_assert_str_eq(note_of(manifest->config, "c"), "2");
	cr_assert_str_eq(note_of(manifest->layers[0], "w"), "3");
	cr_assert_str_eq(note_of(manifest->layers[1], "f"), "4");
	cr_assert_eq(manifest->layers[2]->annotations.count, 0);
	cr_assert_eq(warnings, 1, "s/small is inline and has no layer");
}

Test(pack_annotations, files_in_bundles_have_no_layer_to_annotate)
{
	int warnings;
	OCIWP_AUTO(manifest)
	ociwp_manifest *manifest = pack_noted(OCIW_FORMAT_SPIN, OCIW_LAYERS_BUNDLES, &warnings);
	cr_assert_str_eq(note_of(manifest->layers[0], "w"), "3");
	cr_assert_eq(warnings, 2);
}

Test(pack_annotations, a_rootfs_image_has_manifest_and_config_to_annotate)
{
	int warnings;
	OCIWP_AUTO(manifest)
	ociwp_manifest *manifest = pack_noted(OCIW_FORMAT_ROOTFS, 0, &warnings);
	cr_assert_str_eq(ociwp_annotations_get(&manifest->annotations, "m"), "1");
	cr_assert_str_eq(note_of(manifest->config, "c"), "2");
	cr_assert_eq(warnings, 3);
}

Test(pack_annotations, a_lone_wasm_is_named_by_its_path_or_its_last_part)
{
	static const char *const names[] = {"a.wasm", NULL /* the path */};
	for (size_t i = 0; i < 2; i++) {
		ociw_pack_options options = OCIW_PACK_OPTIONS_INIT;
		ociw_content *content = NULL;
		char text[512];
		app_begin("");
		write_wasm("a.wasm");
		snprintf(text, sizeof(text), "{\"%s\":{\"w\":\"3\"},\"$config\":{\"c\":\"2\"}}",
		         names[i] ? names[i] : in_app("a.wasm"));
		write_text("ann.json", text);
		options.path = in_app("a.wasm");
		options.annotation_file = in_app("ann.json");
		cr_assert_eq(ociw_pack(&options, &content, NULL), 0);
		OCIWP_AUTO(manifest) ociwp_manifest *manifest = manifest_of(content, NULL);
		ociw_content_free(content);
		const ociw_descriptor *layer = manifest->layers[0];
		cr_assert_str_eq(note_of(layer, "w"), "3");
		cr_assert_str_eq(note_of(layer, "org.opencontainers.image.title"), "a.wasm");
		cr_assert_str_eq(note_of(manifest->config, "c"), "2");
		app_end();
	}
}

Test(pack_annotations, misspelt_names_of_oci_are_a_warning_wherever_they_are)
{
	static const ociw_annotation given[] = {{"org.opencontainers.image.licence", "x"}};
	ociw_op op = OCIW_OP_INIT;
	ociwp_pack pack = {.op = &op};
	int warnings = 0;
	listen(&op, &warnings);
	app_begin("");
	write_text("ann.json", "{\"$manifest\":{\"org.opencontainers.image.vendr\":\"a\"},"
	                       "\"$config\":{\"org.opencontainers.x\":\"b\"}}");
	pack.options.annotation_file = in_app("ann.json");
	pack.options.annotations = given;
	pack.options.annotation_count = 1;
	cr_assert_eq(ociwp_pack_annotations(&pack, NULL), 0);
	cr_assert_eq(ociwp_pack_notes(&pack, app_dir, NULL), 0);
	cr_assert_eq(warnings, 3);
	cr_assert_eq(pack.annotations.count, 2, "they are kept");
	done(&pack);
}

Test(pack_annotations, files_that_are_none_are_named)
{
	static const struct {
		const char *text;
		int code;
	} rows[] = {{"[]", OCIW_ERR_FORMAT},
	            {"{", OCIW_ERR_FORMAT},
	            {"{\"$manifest\":{\"a\":1}}", OCIW_ERR_FORMAT},
	            {"{\"$manifest\":[]}", OCIW_ERR_FORMAT},
	            {"{\"$config\":\"x\"}", OCIW_ERR_FORMAT},
	            {"{\"a.wasm\":{\"a\":null}}", OCIW_ERR_FORMAT}};
	app_begin("");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ociwp_pack pack = {0};
		ociw_error *err = NULL;
		write_text("ann.json", rows[i].text);
		pack.options.annotation_file = in_app("ann.json");
		int r = ociwp_pack_annotations(&pack, &err);
		if (r == 0)
			r = ociwp_pack_notes(&pack, app_dir, &err);
		cr_assert_eq(r, rows[i].code, "%s", rows[i].text);
		cr_assert(strstr(ociw_error_message(err), "ann.json"));
		ociw_error_free(err);
		done(&pack);
	}
}

Test(pack_annotations, an_annotation_without_a_key_is_refused)
{
	static const ociw_annotation given[] = {{"", "x"}};
	ociwp_pack pack = {0};
	pack.options.annotations = given;
	pack.options.annotation_count = 1;
	cr_assert_eq(ociwp_pack_annotations(&pack, NULL), OCIW_ERR_INVALID);
	done(&pack);
}

Test(pack_annotations, the_time_is_there_only_when_it_was_given)
{
	ociwp_pack pack = {0};
	ociwp_annotations out = {0};
	cr_assert_eq(ociwp_pack_infer_created(&pack, &out, NULL), 0);
	cr_assert_eq(out.count, 0);
	pack.options.has_created = 1;
	pack.options.created = 1767323045;
	cr_assert_eq(ociwp_pack_infer_created(&pack, &out, NULL), 0);
	cr_assert_str_eq(ociwp_annotations_get(&out, "org.opencontainers.image.created"),
	                 "2026-01-02T03:04:05+00:00");
	ociwp_annotations_deinit(&out);
}
