/* SPDX-License-Identifier: Apache-2.0
 *
 * docker save archives: manifests made up from manifest.json, layers verified against diff_ids,
 * what cannot be an image refused (wasm-formats.md 3.2).
 */
#include "../support/tars.h"
#include "store/docker-archive.h"

#include <sys/syscall.h>

/* In the place of libc's: counts what is read. */
static size_t bytes_read;

ssize_t pread(int fd, void *buf, size_t len, off_t offset)
{
	ssize_t n = syscall(SYS_pread64, fd, buf, len, offset);

	bytes_read += n > 0 ? (size_t)n : 0;
	return n;
}

TestSuite(docker_archive, .init = scratch_make, .fini = scratch_remove);

/* sha256 of a text, to be used at once. */
static const char *sha256(const void *data, size_t len)
{
	static char text[2][OCIW_DIGEST_TEXT_MAX];
	static int next;
	ociw_digest digest;

	cr_assert_eq(ociw_digest_bytes(OCIW_DIGEST_SHA256, (ociw_span){data, len}, &digest, NULL),
	             0);
	return ociw_digest_format(&digest, text[next++ % 2]);
}

static void make_archive(const void *layer, size_t len, const char *diff_id, const char *manifest)
{
	OCIWP_AUTO(buf) ociwp_buf tar = OCIWP_BUF_INIT;
	char config[512];

	snprintf(config, sizeof(config),
	         "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
	         "\"diff_ids\":[\"%s\"]}}",
	         diff_id);
	raw_file(&tar, "config.json", config);
	raw_entry(&tar, "layer.tar", '0', NULL, layer, len);
	raw_entry(&tar, "id/layer.tar", '2', "../layer.tar", "", 0);
	raw_file(&tar, "manifest.json", manifest);
	raw_finish(&tar, in_scratch("d.tar"));
}

#define ONE                                                                                        \
	"[{\"Config\":\"config.json\",\"RepoTags\":[\"host:5000/a/b:v1\"],\"Layers\":[\"id/"       \
	"layer.tar\"]}]"

static ociw_content *open_it(void)
{
	ociw_content *content = NULL;
	ociw_error *err = NULL;

	expect_ok(ociw_archive_open(in_scratch("d.tar"), NULL, &content, &err), &err);
	return content;
}

static void expect_refused(int code, const char *part)
{
	ociw_content *content = NULL;
	ociw_error *err = NULL;

	expect_error(ociw_archive_open(in_scratch("d.tar"), NULL, &content, &err), &err, code,
	             part);
}

Test(docker_archive, a_plain_layer_is_its_diff_id)
{
	make_archive("layer bytes", 11, sha256("layer bytes", 11), ONE);
	OCIWP_AUTO(content) ociw_content *archive = open_it();
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *copied = NULL;
	ociw_error *err = NULL;

	expect_ok(ociw_copy(archive, "host:5000/a/b:v1", layout, "v1", NULL, &copied, &err), &err);
	cr_expect_str_eq(copied->media_type, OCIWP_MT_DOCKER_MANIFEST);
	expect_name(archive, "v1", copied);
	OCIWP_AUTO(str) char *text = read_text(blob_path(in_scratch("l"), copied->digest));
	cr_expect_not_null(strstr(text, OCIWP_MT_DOCKER_CONFIG));
	cr_expect_not_null(strstr(text, OCIWP_MT_DOCKER_LAYER "\""));
}

Test(docker_archive, one_layer_of_many_images_is_hashed_once)
{
	static char layer[1 << 20] = "\x1f\x8b";
	OCIWP_AUTO(buf) ociwp_buf manifest = OCIWP_BUF_INIT;

	for (int i = 0; i < 100; i++)
		ociwp_buf_printf(&manifest, "%s{\"Config\":\"config.json\",\"Layers\":[\"layer.tar\"]}",
		                 i ? "," : "[");
	ociwp_buf_puts(&manifest, "]");
	make_archive(layer, sizeof(layer), sha256("", 0), manifest.data);
	bytes_read = 0;
	OCIWP_AUTO(content) MAYBE ociw_content *archive = open_it();
	cr_expect_lt(bytes_read, 3 * sizeof(layer));
}

Test(docker_archive, a_compressed_layer_is_hashed)
{
	OCIWP_AUTO(buf) ociwp_buf gzip = OCIWP_BUF_INIT;

	cr_assert_eq(ociwp_gzip_bytes("layer bytes", 11, &gzip, NULL), 0);
	make_archive(gzip.data, gzip.len, sha256("layer bytes", 11), ONE);
	OCIWP_AUTO(content) ociw_content *archive = open_it();
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	ociw_error *err = NULL;

	expect_ok(ociw_copy(archive, NULL, layout, "v1", NULL, NULL, &err), &err);
	cr_expect(exists(blob_path(in_scratch("l"), sha256(gzip.data, gzip.len))));
}

Test(docker_archive, a_layer_that_is_not_its_diff_id_is_refused_when_read)
{
	make_archive("layer bytes", 11, sha256("other bytes", 11), ONE);
	OCIWP_AUTO(content) ociw_content *archive = open_it();
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	ociw_error *err = NULL;

	expect_error(ociw_copy(archive, NULL, layout, "v1", NULL, NULL, &err), &err,
	             OCIW_ERR_DIGEST, NULL);
}

Test(docker_archive, a_wasm_layer_needs_an_oci_layout)
{
	make_archive("\0asm\1\0\0\0", 8, sha256("\0asm\1\0\0\0", 8), ONE);
	expect_refused(OCIW_ERR_UNSUPPORTED, "use an OCI layout");
}

Test(docker_archive, manifests_that_lie_are_refused)
{
	static const struct {
		const char *manifest;
		int code;
		const char *part;
	} rows[] = {
	        {"{}", OCIW_ERR_FORMAT, "not an array"},
	        {"[1]", OCIW_ERR_FORMAT, "image 0"},
	        {"[{\"Config\":\"config.json\"}]", OCIW_ERR_FORMAT, "Layers"},
	        {"[{\"Config\":\"config.json\",\"Layers\":[]}]", OCIW_ERR_FORMAT, "1 diff_ids"},
	        {"[{\"Config\":\"config.json\",\"Layers\":[7]}]", OCIW_ERR_FORMAT, "Layers[0]"},
	        {"[{\"Config\":\"config.json\",\"Layers\":[\"gone\"]}]", OCIW_ERR_NOTFOUND, "gone"},
	        {"[{\"Config\":\"gone\",\"Layers\":[]}]", OCIW_ERR_NOTFOUND, "gone"},
	        {"[{\"Config\":\"../../etc/passwd\",\"Layers\":[]}]", OCIW_ERR_NOTFOUND, "passwd"},
	        {"[{\"Config\":\"config.json\",\"RepoTags\":[7],\"Layers\":[\"layer.tar\"]}]",
	         OCIW_ERR_FORMAT, "RepoTags[0]"},
	};

	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		make_archive("layer bytes", 11, sha256("layer bytes", 11), rows[i].manifest);
		expect_refused(rows[i].code, rows[i].part);
	}
}
