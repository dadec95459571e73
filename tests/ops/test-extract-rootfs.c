/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers of an image: digests, diff_ids, compression, one thread and two (extraction.md R1, F4, F6;
 * oci-client.md LYR-2, CFG).
 */
#include "../support/images.h"

#include <oci-wasm/extract.h>

static int extract(ociw_content *content, const struct place *place, uint32_t flags,
		   const ociw_limits *limits, char *why)
{
	ociw_extract_options options = OCIW_EXTRACT_OPTIONS_INIT;
	ociw_op op = OCIW_OP_INIT;
	ociw_error *err = NULL;
	op.limits = limits;
	options.op = &op;
	options.flags = flags | OCIW_EXTRACT_NO_SYNC;
	int r = ociw_extract(content, NULL, place->out, &options, NULL, &err);
	snprintf(why, 1024, "%s", ociw_error_message(err));
	if (r < 0)
		cr_expect_eq(place_count(place), 0, "nothing half-made");
	ociw_error_free(err);
	ociw_content_free(content);
	return r;
}

/* About @p mib MiB that do not compress, in files of 100 bytes to 100 KiB. */
static void fill(ociwp_buf *tar, unsigned mib)
{
	static uint8_t data[100000];
	uint64_t x = 88172645463325252U;
	for (size_t made = 0, i = 0; made < (size_t)mib << 20; i++) {
		char name[64];
		size_t len = i % 3 ? 100 + i * 37 % 9000 : sizeof(data);
		for (size_t k = 0; k < len; k++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			data[k] = (uint8_t)x;
		}
		snprintf(name, sizeof(name), "dir%zu/file%zu", i % 17, i);
		tar_add(tar, '0', name, NULL, 0644, data, len);
		made += len;
	}
	tar_end(tar);
}

Test(extract_rootfs, two_threads_and_one_give_the_same_tree)
{
	struct place one = place_new(), two = place_new();
	char why[1024], command[256];
	for (int i = 0; i < 2; i++) {
		struct image image = image_begin();
		ociwp_buf tar = OCIWP_BUF_INIT, upper = OCIWP_BUF_INIT;
		fill(&tar, 6);
		image_tar(&image, &tar, true);
		tar_file(&upper, ".wh.dir3", "");
		tar_file(&upper, "dir4/.wh..wh..opq", "");
		tar_file(&upper, "dir4/new", "new");
		tar_end(&upper);
		image_tar(&image, &upper, true);
		cr_assert_eq(extract(image_end_rootfs(&image), i ? &two : &one,
				     i ? 0 : OCIW_EXTRACT_SERIAL, NULL, why),
			     0, "%s", why);
	}
	cr_expect_not(place_has(&two, "dir3"));
	cr_expect(place_has(&two, "dir4/new"));
	cr_expect(place_has(&two, "dir5"));
	snprintf(command, sizeof(command), "diff -r %s %s", one.out, two.out);
	cr_expect_eq(system(command), 0);
	place_free(&one);
	place_free(&two);
}

/* A blob whose bytes are not those of its digest cannot be put in memory; a layout can hold one. */
static ociw_content *wrong_diff_id(bool big)
{
	struct image image = image_begin();
	ociwp_buf tar = OCIWP_BUF_INIT;
	if (big)
		fill(&tar, 4);
	else
		tar_end(&tar);
	image_tar(&image, &tar, true);
	image.diff_ids.data[image.diff_ids.len - 2] ^= 1;
	return image_end_rootfs(&image);
}

Test(extract_rootfs, a_wrong_diff_id_leaves_nothing)
{
	for (int big = 0; big < 2; big++) {
		struct place place = place_new();
		char why[1024];
		int r = extract(wrong_diff_id(big), &place, 0, NULL, why);
		/* The last digit may have become one that is no digit at all. */
		cr_expect(r == OCIW_ERR_DIGEST || r == OCIW_ERR_INVALID || r == OCIW_ERR_FORMAT,
			  "%s", why);
		place_free(&place);
	}
}

Test(extract_rootfs, there_must_be_a_diff_id_for_each_layer)
{
	struct place place = place_new();
	struct image image = image_begin();
	ociwp_buf tar = OCIWP_BUF_INIT;
	char why[1024];
	tar_end(&tar);
	image_tar(&image, &tar, true);
	ociwp_buf_clear(&image.diff_ids);
	cr_expect_eq(extract(image_end_rootfs(&image), &place, 0, NULL, why), OCIW_ERR_FORMAT);
	cr_expect(strstr(why, "0 diff_ids for 1 layers") != NULL, "%s", why);
	place_free(&place);
}

Test(extract_rootfs, bytes_decide_and_not_the_media_type)
{
	struct place place = place_new();
	struct image image = image_begin();
	ociwp_buf tar = OCIWP_BUF_INIT, packed = OCIWP_BUF_INIT;
	char why[1024];
	tar_file(&tar, "f", "x");
	tar_end(&tar);
	cr_assert_eq(ociwp_gzip_bytes(tar.data, tar.len, &packed, NULL), 0);
	image_layer(&image, OCIWP_MT_OCI_LAYER, NULL, packed.data, packed.len);
	ociw_content *content = image_end(&image, OCIWP_MT_OCI_EMPTY, "{}");
	cr_expect_eq(extract(content, &place, 0, NULL, why), 0, "%s", why);
	cr_expect(place_has(&place, "f"));
	ociwp_buf_deinit(&tar);
	ociwp_buf_deinit(&packed);
	place_free(&place);
}

Test(extract_rootfs, unpacked_bytes_count_over_all_layers)
{
	for (uint32_t serial = 0; serial < 2; serial++) {
		struct place place = place_new();
		struct image image = image_begin();
		ociw_limits limits = OCIW_LIMITS_INIT;
		char why[1024];
		for (int i = 0; i < 3; i++) {
			ociwp_buf tar = OCIWP_BUF_INIT;
			fill(&tar, 1);
			image_tar(&image, &tar, true);
		}
		limits.max_unpacked_bytes = (uint64_t)5 << 19;
		cr_expect_eq(extract(image_end_rootfs(&image), &place,
				     serial ? OCIW_EXTRACT_SERIAL : 0, &limits, why),
			     OCIW_ERR_LIMIT, "%s", why);
		cr_expect(strstr(why, "unpacks to more than") != NULL, "%s", why);
		place_free(&place);
	}
}

Test(extract_rootfs, a_blob_can_be_checked_before_any_of_it_is_decoded)
{
	struct place place = place_new();
	struct image image = image_begin();
	ociwp_buf tar = OCIWP_BUF_INIT;
	char why[1024];
	fill(&tar, 3);
	image_tar(&image, &tar, true);
	cr_expect_eq(extract(image_end_rootfs(&image), &place, OCIW_EXTRACT_VERIFY_FIRST, NULL,
			     why),
		     0, "%s", why);
	cr_expect(place_has(&place, "dir1"));
	place_free(&place);
}

static int keep_warning(const ociw_event *event, void *user_data)
{
	if (event->kind == OCIW_EVENT_WARNING)
		snprintf(user_data, 256, "%s", event->message);
	return 0;
}

Test(extract_rootfs, layers_of_other_types_are_no_part_of_a_root_and_that_is_told)
{
	ociw_extract_options options = OCIW_EXTRACT_OPTIONS_INIT;
	ociw_op op = OCIW_OP_INIT;
	struct place place = place_new();
	struct image image = image_begin();
	ociwp_buf tar = OCIWP_BUF_INIT;
	char told[256] = "";
	image_layer(&image, OCIWP_MT_WASM, NULL, "\0asm\1\0\0\0", 8);
	tar_file(&tar, "f", "x");
	tar_end(&tar);
	image_tar(&image, &tar, false);
	ociw_content *content = image_end_rootfs(&image);
	op.event = keep_warning;
	op.user_data = told;
	options.op = &op;
	options.flags = OCIW_EXTRACT_NO_SYNC;
	cr_expect_eq(ociw_extract(content, NULL, place.out, &options, NULL, NULL), 0);
	cr_expect(place_has(&place, "f"));
	cr_expect_str_eq(told, "layer 1 (\"application/wasm\") is no part of a file system and is "
			       "left out");
	ociw_content_free(content);
	place_free(&place);
}
