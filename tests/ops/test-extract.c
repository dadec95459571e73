/* SPDX-License-Identifier: Apache-2.0
 *
 * The call itself: options, names, cancellation, destinations, several runs at once.
 */
#include "../support/images.h"

#include <oci-wasm/extract.h>
#include <signal.h>
#include <sys/wait.h>

static ociw_content *small_image(void)
{
	struct image image = image_begin();
	ociwp_buf tar = OCIWP_BUF_INIT;
	tar_file(&tar, "f", "x");
	tar_end(&tar);
	image_tar(&image, &tar, true);
	return image_end_rootfs(&image);
}

Test(extract, a_name_that_is_not_there_touches_nothing)
{
	struct place place = place_new();
	ociw_content *content = small_image();
	cr_expect_eq(ociw_extract(content, "v2", place.out, NULL, NULL, NULL), OCIW_ERR_NOTFOUND);
	cr_expect_eq(place_count(&place), 0);
	ociw_content_free(content);
	place_free(&place);
}

Test(extract, unknown_modes_are_invalid)
{
	struct place place = place_new();
	ociw_content *content = small_image();
	ociw_extract_options options = OCIW_EXTRACT_OPTIONS_INIT;
	options.mode = 77;
	cr_expect_eq(ociw_extract(content, NULL, place.out, &options, NULL, NULL),
		     OCIW_ERR_INVALID);
	cr_expect_eq(place_count(&place), 0);
	ociw_content_free(content);
	place_free(&place);
}

Test(extract, a_full_destination_is_kept)
{
	struct place place = place_new();
	ociw_content *content = small_image();
	cr_assert_eq(ociw_extract(content, NULL, place.out, NULL, NULL, NULL), 0);
	cr_expect_eq(ociw_extract(content, NULL, place.out, NULL, NULL, NULL), OCIW_ERR_EXISTS);
	cr_expect(place_has(&place, "f"));
	cr_expect_eq(place_count(&place), 1);
	ociw_content_free(content);
	place_free(&place);
}

static int stop_at_layer(const ociw_event *event, void *user_data)
{
	(void)user_data;
	return event->kind == OCIW_EVENT_BLOB_DONE;
}

Test(extract, an_event_callback_can_stop_it)
{
	struct place place = place_new();
	ociw_content *content = small_image();
	ociw_extract_options options = OCIW_EXTRACT_OPTIONS_INIT;
	ociw_op op = OCIW_OP_INIT;
	op.event = stop_at_layer;
	options.op = &op;
	cr_expect_eq(ociw_extract(content, NULL, place.out, &options, NULL, NULL),
		     OCIW_ERR_CANCELLED);
	cr_expect_eq(place_count(&place), 0);
	ociw_content_free(content);
	place_free(&place);
}

Test(extract, a_cancelled_run_leaves_nothing)
{
	struct place place = place_new();
	ociw_content *content = small_image();
	ociw_extract_options options = OCIW_EXTRACT_OPTIONS_INIT;
	ociw_op op = OCIW_OP_INIT;
	ociw_cancel *cancel = ociw_cancel_new();
	ociw_cancel_trigger(cancel);
	op.cancel = cancel;
	options.op = &op;
	cr_expect_eq(ociw_extract(content, NULL, place.out, &options, NULL, NULL),
		     OCIW_ERR_CANCELLED);
	cr_expect_eq(place_count(&place), 0);
	ociw_cancel_free(cancel);
	ociw_content_free(content);
	place_free(&place);
}

/* D7: one of eight wins, the others say so and clean up. */
Test(extract, eight_processes_on_one_destination_make_one_tree)
{
	struct place place = place_new();
	int won = 0, lost = 0;
	for (int i = 0; i < 8; i++) {
		if (fork() == 0) {
			ociw_content *content = small_image();
			int r = ociw_extract(content, NULL, place.out, NULL, NULL, NULL);
			ociw_content_free(content);
			_exit(r == 0 ? 0 : r == OCIW_ERR_EXISTS ? 1 : 2);
		}
	}
	for (int i = 0; i < 8; i++) {
		int status = 0;
		cr_assert_gt(wait(&status), 0);
		won += WIFEXITED(status) && WEXITSTATUS(status) == 0;
		lost += WIFEXITED(status) && WEXITSTATUS(status) == 1;
	}
	cr_expect_eq(won, 1);
	cr_expect_eq(lost, 7);
	cr_expect(place_has(&place, "f"));
	cr_expect_eq(place_count(&place), 1);
	place_free(&place);
}

Test(extract, an_image_without_layers_is_an_empty_root)
{
	struct place place = place_new();
	struct image image = image_begin();
	ociw_content *content = image_end_rootfs(&image);
	struct stat st;
	cr_assert_eq(ociw_extract(content, NULL, place.out, NULL, NULL, NULL), 0);
	cr_assert(place_stat(&place, ".", &st));
	cr_expect_eq(st.st_mode & 07777, 0755);
	ociw_content_free(content);
	place_free(&place);
}
