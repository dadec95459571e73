/* SPDX-License-Identifier: Apache-2.0
 *
 * Pulls an image from a registry into an OCI layout directory and unpacks it from there. Shows
 * progress, a limit of its own, and what to do with an error.
 *
 *   cc pull.c $(pkg-config --cflags --libs liboci-wasm) -o pull
 *   ./pull localhost:5000/app:1.0 image tree
 */
#include <oci-wasm/oci-wasm.h>
#include <stdio.h>

/* Runs on the thread that called the operation. Anything but 0 would stop it. */
static int show(const ociw_event *event, void *user_data)
{
	FILE *out = user_data;

	if (event->kind == OCIW_EVENT_BLOB_DONE)
		fprintf(out, "got %s, %llu bytes\n", event->digest, (unsigned long long)event->total);
	else if (event->kind == OCIW_EVENT_WARNING)
		fprintf(out, "warning: %s\n", event->message);
	return 0;
}

static int pull(const char *name, const char *layout_path, const char *tree, const ociw_op *op,
		ociw_error **err)
{
	ociw_copy_options copy = OCIW_COPY_OPTIONS_INIT;
	ociw_extract_options extract = OCIW_EXTRACT_OPTIONS_INIT;
	ociw_content *repository = NULL, *layout = NULL;
	ociw_reference *reference = NULL;
	ociw_client *client = NULL;

	copy.op = op;
	extract.op = op;
	int r = ociw_reference_parse(name, &reference, err);
	if (r >= 0)
		r = ociw_client_new(&client, err);
	if (r >= 0)
		r = ociw_client_repository(client, reference, &repository, err);
	if (r >= 0)
		r = ociw_layout_open(layout_path, OCIW_LAYOUT_WRITE | OCIW_LAYOUT_CREATE, &layout, err);
	if (r >= 0)
		r = ociw_copy(repository, ociw_reference_name(reference), layout, "pulled", &copy, NULL,
			      err);
	if (r >= 0)
		r = ociw_extract(layout, "pulled", tree, &extract, NULL, err);

	ociw_content_free(layout);
	ociw_content_free(repository); /* before its client */
	ociw_client_free(client);
	ociw_reference_free(reference);
	return r;
}

int main(int argc, char **argv)
{
	ociw_limits limits = OCIW_LIMITS_INIT;
	ociw_op op = OCIW_OP_INIT;
	ociw_error *err = NULL;

	if (argc != 4) {
		fprintf(stderr, "usage: pull REFERENCE LAYOUT TREE\n");
		return 2;
	}
	limits.max_unpacked_bytes = UINT64_C(1) << 30; /* more than this is not for us */
	op.limits = &limits;
	op.event = show;
	op.user_data = stderr;
	int r = pull(argv[1], argv[2], argv[3], &op, &err);
	if (r < 0) {
		fprintf(stderr, "pull: %s\n", ociw_error_message(err));
		if (ociw_error_code(err) == OCIW_ERR_LIMIT)
			fprintf(stderr, "pull: if you trust it, raise the limit\n");
	}
	ociw_error_free(err);
	return r < 0;
}
