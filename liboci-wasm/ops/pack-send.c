/* SPDX-License-Identifier: Apache-2.0
 *
 * Nothing is sent before a layer was made: an app whose layers are all in the cache has most likely
 * been pushed before, and the copy finds that out with one request.
 */
#include "ops/pack-send.h"
#include "codec/mediatype.h"

#define PARALLEL 3 /* sending is cheap beside making, and each costs memory */

static int send_source(ociwp_pack_sender *sender, const ociwp_source *source, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	int r = ociwp_source_add(source, OCIWP_MT_SPIN_WASM, sender->pack->memory, &desc, err);
	return r < 0 ? r : ociwp_blob_crew_add(sender->crew, desc, err);
}

static int send_wasm(ociwp_pack_sender *sender, ociw_error **err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < sender->draft->component_count; i++) {
		const ociwp_draft_component *component = &sender->draft->components[i];
		r = send_source(sender, &component->wasm, err);
		for (size_t j = 0; r == 0 && j < component->dependency_count; j++)
			r = send_source(sender, &component->dependencies[j], err);
		for (size_t j = 0; r == 0 && j < component->trigger_count; j++)
			r = send_source(sender, &component->triggers[j], err);
	}
	return r;
}

static int start(ociwp_pack_sender *sender, ociw_error **err)
{
	const ociwp_copy_blobs_options options = {.op = sender->pack->op, .parallel = PARALLEL};
	int r = ociwp_memory_view(sender->pack->memory, &sender->view, err);
	if (r == 0)
		r = ociwp_blob_crew_new(sender->view, sender->pack->options.send_to, &options,
		                        &sender->crew, err);
	/* A rootfs image has its wasm in a layer. */
	if (r == 0 && (ociwp_pack_wants(sender->pack, OCIW_FORMAT_SPIN) ||
	               ociwp_pack_wants(sender->pack, OCIW_FORMAT_SPIN_NODE)))
		r = send_wasm(sender, err);
	return r;
}

/* On any thread. */
static int on_layer(void *self, const ociwp_tar_layer *layer, ociw_error **err)
{
	ociwp_pack_sender *sender = self;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	pthread_mutex_lock(&sender->mutex);
	int r = sender->crew ? 0 : start(sender, err);
	if (r == 0)
		r = ociwp_tar_layer_add(layer, OCIWP_MT_OCI_LAYER_GZIP, sender->pack->memory, &desc,
		                        err);
	if (r == 0)
		r = ociwp_blob_crew_add(sender->crew, desc, err);
	pthread_mutex_unlock(&sender->mutex);
	return r;
}

static int on_turn(void *self, ociw_error **err)
{
	ociwp_pack_sender *sender = self;
	pthread_mutex_lock(&sender->mutex);
	ociwp_blob_crew *crew = sender->crew;
	pthread_mutex_unlock(&sender->mutex);
	return crew ? ociwp_blob_crew_attend(crew, err) : 0;
}

void ociwp_pack_sender_init(ociwp_pack_sender *sender, const ociwp_pack *pack, ociwp_draft *draft)
{
	*sender = (ociwp_pack_sender){.pack = pack, .draft = draft};
	pthread_mutex_init(&sender->mutex, NULL);
	sender->sink = (ociwp_layer_sink){on_layer, on_turn, sender};
	if (pack->options.send_to && ociwp_content_is_remote(pack->options.send_to))
		draft->sink = &sender->sink;
}

int ociwp_pack_sender_finish(ociwp_pack_sender *sender, int so_far, ociw_error **err)
{
	ociw_error *why = NULL;
	int r = 0;
	if (sender->crew)
		r = ociwp_blob_crew_finish(sender->crew, so_far == 0, &why);
	ociw_content_free(sender->view);
	pthread_mutex_destroy(&sender->mutex);
	if (r == OCIW_ERR_CANCELLED && so_far == 0)
		return ociwp_error_move(err, why);
	ociw_error_free(why);
	return so_far;
}
