/* SPDX-License-Identifier: Apache-2.0
 *
 * Packs a Spin app, or a wasm file, into an OCI layout directory and prints the digest.
 *
 *   cc pack.c $(pkg-config --cflags --libs liboci-wasm) -o pack
 *   ./pack spin.toml image 1.0
 */
#include <oci-wasm/oci-wasm.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	ociw_pack_options options = OCIW_PACK_OPTIONS_INIT;
	ociw_content *packed = NULL, *layout = NULL;
	ociw_descriptor *image = NULL;
	ociw_error *err = NULL;

	if (argc != 4) {
		fprintf(stderr, "usage: pack FILE LAYOUT TAG\n");
		return 2;
	}
	options.path = argv[1];
	int r = ociw_pack(&options, &packed, &err);
	if (r >= 0)
		r = ociw_layout_open(argv[2], OCIW_LAYOUT_WRITE | OCIW_LAYOUT_CREATE, &layout, &err);
	if (r >= 0)
		r = ociw_copy(packed, NULL, layout, argv[3], NULL, &image, &err);
	if (r >= 0)
		printf("%s\n", ociw_descriptor_digest(image));
	else
		fprintf(stderr, "pack: %s\n", ociw_error_message(err));

	ociw_error_free(err);
	ociw_descriptor_free(image);
	ociw_content_free(layout);
	ociw_content_free(packed);
	return r < 0;
}
