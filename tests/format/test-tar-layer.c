/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of format/tar-layer: names, directories, modes; same bytes for any number of threads.
 */
#include "format/tar-layer.h"
#include "fixture.h"

enum { LAYERS = 7, FILES = 40 };

static ociwp_source sources[FILES];
static char names[FILES][32];

static void setup(void)
{
	for (size_t i = 0; i < FILES; i++) {
		sources[i] = make_source(i * 997, (unsigned)i);
		sources[i].executable = i % 2;
		snprintf(names[i], sizeof(names[i]), "d%zu/f%02zu", i / 10, i);
	}
}

static void teardown(void)
{
	for (size_t i = 0; i < FILES; i++)
		ociwp_source_deinit(&sources[i]);
}

TestSuite(tar_layer, .init = setup, .fini = teardown);

/* Layer i has every file whose number is a multiple of i + 1. */
static void plan(ociwp_tar_layer layers[LAYERS])
{
	memset(layers, 0, LAYERS * sizeof(*layers));
	for (size_t i = 0; i < LAYERS; i++) {
		layers[i].members = ociwp_calloc(FILES, sizeof(*layers[i].members));
		for (size_t j = 0; j < FILES; j += i + 1) {
			layers[i].members[layers[i].member_count++] =
			        (ociwp_tar_member){"assets/web", names[j], &sources[j]};
			layers[i].plain += sources[j].size;
		}
	}
}

Test(tar_layer, bytes_do_not_depend_on_threads)
{
	ociwp_tar_layer first[LAYERS];
	for (size_t threads = 1; threads <= 4; threads++) {
		ociwp_spools spools = {0};
		ociwp_tar_layer layers[LAYERS];
		ociwp_tar_settings settings = {.threads = threads};
		plan(layers);
		cr_assert_eq(ociwp_tar_layers_make(layers, LAYERS, &spools, &settings, NULL, NULL),
		             0);
		for (size_t i = 0; i < LAYERS && threads > 1; i++) {
			cr_assert(ociw_digest_equal(&layers[i].digest, &first[i].digest));
			cr_assert(ociw_digest_equal(&layers[i].diff_id, &first[i].diff_id));
			cr_assert_eq(layers[i].size, first[i].size);
		}
		if (threads == 1)
			memcpy(first, layers, sizeof(first));
		ociwp_tar_layers_deinit(layers, LAYERS);
		ociwp_spools_deinit(&spools);
	}
}

Test(tar_layer, each_directory_comes_once_before_its_content)
{
	ociwp_spools spools = {0};
	OCIWP_AUTO(memory) ociwp_memory *memory = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(content) ociw_content *content = NULL;
	ociwp_tar_member members[] = {{"assets/a-b", "x", &sources[1]},
	                              {"assets/a", "d/e/f", &sources[0]},
	                              {"assets/a", "d/g", &sources[2]},
	                              {NULL, "spin.toml", &sources[4]}};
	ociwp_tar_layer layer = {.members = ociwp_memdup(members, sizeof(members)),
	                         .member_count = 4};
	ociwp_tar_settings settings = {.threads = 1};
	ociw_digest diff_id;
	cr_assert_eq(ociwp_memory_new("test", &memory, NULL), 0);
	cr_assert_eq(ociwp_tar_layers_make(&layer, 1, &spools, &settings, NULL, NULL), 0);
	cr_assert_eq(ociwp_tar_layer_add(&layer, "application/gzip", memory, &desc, NULL), 0);
	cr_assert_eq(ociwp_memory_publish(ociwp_steal(&memory), &content, NULL), 0);
	OCIWP_AUTO(str) char *list = list_layer(content, desc, &diff_id);
	for (char *p = list; (p = strstr(p, "/ ")) != NULL;)
		memmove(p, p + 1, strlen(p)); /* with or without a final slash */
	cr_assert_str_eq(list, "d assets 755\n"
	                       "d assets/a-b 755\n"
	                       "f assets/a-b/x 755 997\n"
	                       "d assets/a 755\n"
	                       "d assets/a/d 755\n"
	                       "d assets/a/d/e 755\n"
	                       "f assets/a/d/e/f 644 0\n"
	                       "f assets/a/d/g 644 1994\n"
	                       "f spin.toml 644 3988\n");
	cr_assert(ociw_digest_equal(&diff_id, &layer.diff_id));
	ociwp_tar_layers_deinit(&layer, 1);
	ociwp_spools_deinit(&spools);
}

Test(tar_layer, a_large_layer_reads_back)
{
	ociwp_spools spools = {0};
	OCIWP_AUTO(memory) ociwp_memory *memory = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(content) ociw_content *content = NULL;
	ociwp_source large = make_source((3 << 20) + 1, 3);
	ociwp_tar_member member = {NULL, "large", &large};
	ociwp_tar_layer layer = {.members = ociwp_memdup(&member, sizeof(member)),
	                         .member_count = 1,
	                         .plain = large.size};
	ociwp_tar_settings settings = {.threads = 2};
	ociw_digest diff_id;
	cr_assert_eq(ociwp_memory_new("test", &memory, NULL), 0);
	cr_assert_eq(ociwp_tar_layers_make(&layer, 1, &spools, &settings, NULL, NULL), 0);
	cr_assert_eq(ociwp_tar_layer_add(&layer, "application/gzip", memory, &desc, NULL), 0);
	ociwp_tar_layers_deinit(&layer, 1);
	ociwp_spools_deinit(&spools); /* the content keeps them */
	cr_assert_eq(ociwp_memory_publish(ociwp_steal(&memory), &content, NULL), 0);
	OCIWP_AUTO(str) char *list = list_layer(content, desc, &diff_id);
	cr_assert_str_eq(list, "f large 644 3145729\n");
	cr_assert(ociw_digest_equal(&diff_id, &layer.diff_id));
	ociwp_source_deinit(&large);
}

Test(tar_layer, names_compare_as_if_they_were_joined)
{
	static const struct {
		ociwp_tar_member a, b;
		int want;
	} rows[] = {
	        {{"a", "b", NULL}, {NULL, "a/b", NULL}, 0},
	        {{"a", "b", NULL}, {"a-b", "b", NULL}, 1},
	        {{"a", "b", NULL}, {"a", "b/c", NULL}, -1},
	        {{NULL, "a", NULL}, {"a", "b", NULL}, -1},
	        {{"a", "\xc3\xa9", NULL}, {"a", "z", NULL}, 1},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_eq(ociwp_tar_member_compare(&rows[i].a, &rows[i].b), rows[i].want, "%zu",
		             i);
}

Test(tar_layer, a_diff_id_that_nobody_wants_is_not_made_and_the_blob_is_the_same)
{
	ociwp_tar_layer layers[2][LAYERS];
	ociwp_spools spools = {0};
	for (size_t i = 0; i < 2; i++) {
		ociwp_tar_settings settings = {.threads = 2, .no_diff_ids = i == 1};
		plan(layers[i]);
		cr_assert_eq(ociwp_tar_layers_make(layers[i], LAYERS, &spools, &settings, NULL, NULL), 0);
	}
	for (size_t i = 0; i < LAYERS; i++) {
		cr_expect(ociw_digest_equal(&layers[0][i].digest, &layers[1][i].digest));
		cr_expect_eq(layers[0][i].diff_id.len, 32);
		cr_expect_eq(layers[1][i].diff_id.len, 0);
	}
	ociwp_tar_layers_deinit(layers[0], LAYERS);
	ociwp_tar_layers_deinit(layers[1], LAYERS);
	ociwp_spools_deinit(&spools);
}

static int find_never(void *self, const uint8_t key[32], bool diff_id, ociwp_tar_layer *layer, bool *found,
                      ociw_error **err)
{
	(void)diff_id;
	(void)layer;
	(void)found;
	(void)err;
	memcpy(self, key, 32);
	return 0;
}

static int keep_nothing(void *self, const uint8_t key[32], ociwp_tar_layer *layer, ociw_error **err)
{
	(void)self;
	(void)key;
	(void)layer;
	(void)err;
	return 0;
}

Test(tar_layer, the_key_of_the_cache_follows_names_modes_and_content)
{
	uint8_t keys[4][32];
	ociwp_spools spools = {0};
	ociwp_source plain = sources[1];
	plain.executable = false;
	ociwp_tar_member rows[] = {{"a", "x", &sources[1]},
	                           {"b", "x", &sources[1]},
	                           {"a", "x", &plain},
	                           {"a", "x", &sources[2]}};
	for (size_t i = 0; i < 4; i++) {
		ociwp_layer_cache cache = {find_never, keep_nothing, keys[i]};
		ociwp_tar_settings settings = {.threads = 1, .cache = &cache};
		ociwp_tar_layer layer = {.members = ociwp_memdup(&rows[i], sizeof(rows[i])),
		                         .member_count = 1};
		cr_assert_eq(ociwp_tar_layers_make(&layer, 1, &spools, &settings, NULL, NULL), 0);
		ociwp_tar_layers_deinit(&layer, 1);
		for (size_t j = 0; j < i; j++)
			cr_assert_neq(memcmp(keys[i], keys[j], 32), 0);
	}
	ociwp_spools_deinit(&spools);
}
