/* SPDX-License-Identifier: Apache-2.0
 *
 * Blobs that leave while others are still packed: which, what is checked, and that a failure there
 * is none of the pack.
 */
#include "../support/far-end.h"
#include "base/map.h"
#include "codec/mediatype.h"
#include "io/stream.h"
#include "oci/content.h"
#include "pack-fixture.h"
#include <pthread.h>

/* A registry as far as blobs go: notes what it was given. */
struct far {
	pthread_mutex_t mutex;
	ociwp_map *got;
	int puts, fail_with;
};

static struct far far = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static int far_put(void *self, const ociw_descriptor *desc, const ociwp_blob_source *source,
                   const ociw_op *op, ociw_error **err)
{
	struct far *f = self;
	int r = far_take(source, op, err);
	pthread_mutex_lock(&f->mutex);
	f->puts++;
	if (r == 0 && f->fail_with)
		r = ociwp_fail(err, (ociw_code)f->fail_with, "the registry is in a bad mood");
	if (r == 0)
		cr_assert(ociwp_map_set(f->got, desc->digest, NULL));
	pthread_mutex_unlock(&f->mutex);
	return r;
}

static int far_has(void *self, const ociw_descriptor *desc, const ociw_op *op, bool *out,
                   ociw_error **err)
{
	struct far *f = self;
	(void)op;
	(void)err;
	pthread_mutex_lock(&f->mutex);
	*out = ociwp_map_contains(f->got, desc->digest);
	pthread_mutex_unlock(&f->mutex);
	return 0;
}

static const ociwp_content_ops far_ops = {.resolve = far_resolve,
                                          .open = far_open,
                                          .has = far_has,
                                          .put = far_put,
                                          .free = far_free,
                                          .remote = true};
static ociwp_content_ops near_ops;

/* An app with enough files for several bundles. */
static ociw_pack_options begin(const ociwp_content_ops *ops)
{
	static char block[600000];
	app_begin("files = [\"d/*\"]\n");
	for (int i = 0; i < 20; i++) {
		char name[16];
		snprintf(name, sizeof(name), "d/%d", i);
		for (size_t j = 0; j < sizeof(block); j++)
			block[j] = (char)('a' + j % (size_t)(i + 2));
		write_bytes(name, block, sizeof(block));
	}
	ociw_pack_options options = pack_options();
	options.layers = OCIW_LAYERS_BUNDLES;
	options.parallel = 2;
	far.got = ociwp_map_new(NULL);
	far.puts = far.fail_with = 0;
	cr_assert_eq(ociwp_content_new(ops, &far, "far", &options.send_to, NULL), 0);
	return options;
}

static void end(ociw_pack_options *options)
{
	ociw_content_free(options->send_to);
	ociwp_map_free(far.got);
}

TestSuite(pack_send, .fini = app_end);

Test(pack_send, bundles_and_wasm_are_there_when_pack_returns)
{
	ociw_pack_options options = begin(&far_ops);
	OCIWP_AUTO(content) ociw_content *content = NULL;
	size_t bundles = 0;
	cr_assert_eq(ociw_pack(&options, &content, NULL), 0);
	ociwp_manifest *manifest = manifest_of(content, NULL);
	for (size_t i = 0; i < manifest->layer_count; i++) {
		const ociw_descriptor *layer = manifest->layers[i];
		bool lock = ociwp_streq(layer->media_type, OCIWP_MT_SPIN_LOCK);
		cr_expect_eq(ociwp_map_contains(far.got, layer->digest), !lock, "%s",
		             layer->digest);
		bundles += ociwp_streq(layer->media_type, OCIWP_MT_SPIN_BUNDLE);
	}
	cr_expect_gt(bundles, 1);
	cr_expect_eq(far.puts, (int)bundles + 1);
	ociwp_manifest_free(manifest);
	end(&options);
}

Test(pack_send, the_image_is_the_same_without_it)
{
	ociw_pack_options options = begin(&far_ops);
	char *with = pack_digest(&options);
	end(&options);
	options.send_to = NULL;
	char *without = pack_digest(&options);
	cr_expect_str_eq(with, without);
	free(with);
	free(without);
}

Test(pack_send, what_cannot_be_sent_is_left_to_the_copy)
{
	ociw_pack_options options = begin(&far_ops);
	far.fail_with = OCIW_ERR_AUTH;
	free(pack_digest(&options));
	cr_expect_geq(far.puts, 1);
	cr_expect_eq(ociwp_map_size(far.got), 0);
	end(&options);
}

Test(pack_send, nothing_goes_to_an_end_on_this_machine)
{
	near_ops = far_ops;
	near_ops.remote = false;
	ociw_pack_options options = begin(&near_ops);
	free(pack_digest(&options));
	cr_expect_eq(far.puts, 0);
	end(&options);
}

/* Bundles from the cache have been sent before, most likely: the copy asks. */
Test(pack_send, an_unchanged_app_sends_nothing_early)
{
	ociw_pack_options options = begin(&far_ops);
	char cache[300];
	snprintf(cache, sizeof(cache), "%s/cache", app_dir);
	options.cache_dir = cache;
	free(pack_digest(&options));
	cr_expect_gt(far.puts, 1);
	far.puts = 0;
	free(pack_digest(&options));
	cr_expect_eq(far.puts, 0);
	end(&options);
}

static int stop_when_sending(const ociw_event *event, void *user_data)
{
	(void)user_data;
	return event->kind == OCIW_EVENT_BLOB_BEGIN || event->kind == OCIW_EVENT_BLOB_DONE;
}

Test(pack_send, the_callback_hears_of_it_and_can_stop_it)
{
	ociw_pack_options options = begin(&far_ops);
	ociw_op op = OCIW_OP_INIT;
	op.event = stop_when_sending;
	options.op = &op;
	free(pack_failure(&options, OCIW_ERR_CANCELLED));
	end(&options);
}
