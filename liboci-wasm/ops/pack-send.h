/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends blobs of an image that is still being packed: layers as they are made, and the wasm, which
 * needs no making. What is not sent, for whatever reason, is left to the copy that comes after.
 */
#ifndef OCIW_OPS_PACK_SEND_H
#define OCIW_OPS_PACK_SEND_H

#include "ops/copy-blobs.h"
#include "ops/pack-private.h"
#include <pthread.h>

typedef struct ociwp_pack_sender {
	const ociwp_pack *pack;
	const ociwp_draft *draft;
	ociwp_layer_sink sink;
	pthread_mutex_t mutex; /* of what follows */
	ociw_content *view;
	ociwp_blob_crew *crew; /* NULL until the first layer is made */
} ociwp_pack_sender;

/* Has @p draft tell of its layers, when there is somewhere to send them. */
void ociwp_pack_sender_init(ociwp_pack_sender *sender, const ociwp_pack *pack, ociwp_draft *draft);
/* Waits for what is under way (@p so_far 0), or drops it. Only cancelling is an error. */
int ociwp_pack_sender_finish(ociwp_pack_sender *sender, int so_far, ociw_error **err);

#endif
