/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of a Spin app by digest (spin.md 3.3, 4.3; issue on extract modes): data layers, bundles of
 * any make, the same bytes in several places, what is missing and what is wrong.
 */
#include "../support/images.h"

#include <oci-wasm/extract.h>
#include <oci-wasm/store.h>

struct builder {
	struct image image;
	ociwp_buf files; /* JSON */
};

static struct builder begin(void)
{
	struct builder b = {.image = image_begin()};
	return b;
}

static void want(struct builder *b, const char *path, const void *data, size_t len)
{
	ociw_digest digest;
	char text[OCIW_DIGEST_TEXT_MAX];
	ociw_span bytes = {data, len};
	cr_assert_eq(ociw_digest_bytes(OCIW_DIGEST_SHA256, bytes, &digest, NULL), 0);
	ociwp_buf_printf(&b->files, "%s{\"digest\":\"%s\",\"path\":\"%s\"}",
			 b->files.len ? "," : "", ociw_digest_format(&digest, text), path);
}

static void bundle(struct builder *b, ociwp_buf *tar, size_t cut)
{
	ociwp_buf packed = OCIWP_BUF_INIT;
	cr_assert_eq(ociwp_gzip_bytes(tar->data, tar->len, &packed, NULL), 0);
	image_layer(&b->image, OCIWP_MT_SPIN_BUNDLE, NULL, packed.data, packed.len - cut);
	ociwp_buf_deinit(&packed);
	ociwp_buf_deinit(tar);
}

static ociw_content *end(struct builder *b)
{
	ociwp_buf lock = OCIWP_BUF_INIT;
	ociwp_buf_printf(&lock,
			 "{\"spin_lock_version\":0,\"triggers\":[],\"components\":[{\"id\":\"a\","
			 "\"source\":{\"content_type\":\"application/wasm\",\"inline\":"
			 "\"AGFzbQEAAAA\"},\"files\":[%s]}]}",
			 b->files.data ? b->files.data : "");
	image_layer(&b->image, OCIWP_MT_SPIN_LOCK, NULL, lock.data, lock.len);
	ociwp_buf_deinit(&lock);
	ociwp_buf_deinit(&b->files);
	return image_end(&b->image, OCIWP_MT_OCI_EMPTY, "{}");
}

static int warnings;

static int on_event(const ociw_event *event, void *user_data)
{
	(void)user_data;
	warnings += event->kind == OCIW_EVENT_WARNING;
	return 0;
}

static int extract(ociw_content *content, uint32_t mode, uint32_t flags,
		   const struct place *place, char *why)
{
	ociw_extract_options options = OCIW_EXTRACT_OPTIONS_INIT;
	ociw_op op = OCIW_OP_INIT;
	ociw_error *err = NULL;
	op.event = on_event;
	options.op = &op;
	options.mode = mode;
	options.flags = flags | OCIW_EXTRACT_NO_SYNC;
	int r = ociw_extract(content, NULL, place->out, &options, NULL, &err);
	snprintf(why, 1024, "%s", ociw_error_message(err));
	if (r < 0)
		cr_expect_eq(place_count(place), 0, "nothing half-made");
	ociw_error_free(err);
	ociw_content_free(content);
	return r;
}

/* @p mib MiB of members, every one wanted; names in the archive mean nothing. */
static void many(struct builder *b, ociwp_buf *tar, size_t mib)
{
	static uint8_t data[200000];
	uint64_t x = 88172645463325252U;
	for (size_t made = 0, i = 0; made < mib << 20; i++) {
		char name[64];
		size_t len = i % 5 ? 300 + i * 37 % 20000 : sizeof(data);
		for (size_t k = 0; k < len; k++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			data[k] = (uint8_t)x;
		}
		snprintf(name, sizeof(name), "./whatever-%zu", i);
		tar_add(tar, '0', name, NULL, 0600, data, len);
		snprintf(name, sizeof(name), "d%zu/f%zu", i % 3, i);
		want(b, name, data, len);
		made += len;
	}
	tar_end(tar);
}

Test(extract_spin_files, members_of_bundles_go_by_their_bytes)
{
	for (uint32_t flags = 0; flags <= OCIW_EXTRACT_SERIAL; flags += OCIW_EXTRACT_SERIAL) {
		struct place place = place_new();
		struct builder b = begin();
		ociwp_buf tar = OCIWP_BUF_INIT;
		struct stat st;
		char why[1024];
		many(&b, &tar, 4);
		bundle(&b, &tar, 0);
		cr_assert_eq(extract(end(&b), OCIW_EXTRACT_SPIN_FILES, flags, &place, why), 0,
			     "%s", why);
		cr_assert(place_stat(&place, "assets/a/d0/f0", &st));
		cr_expect_eq(st.st_size, 200000);
		cr_expect_eq(st.st_mode & 07777, 0644);
		cr_assert(place_stat(&place, "assets/a/d1/f1", &st));
		cr_expect_eq(st.st_size, 337);
		cr_expect_not(place_has(&place, ".ociw-member"));
		place_free(&place);
	}
}

Test(extract_spin_files, the_same_bytes_may_be_wanted_in_several_places)
{
	static char large[100000];
	static const uint32_t modes[] = {OCIW_EXTRACT_SPIN_FILES, OCIW_EXTRACT_SPIN_CACHE};
	memset(large, 'L', sizeof(large));
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(modes); i++) {
		struct place place = place_new();
		struct builder b = begin();
		ociwp_buf tar = OCIWP_BUF_INIT;
		char why[1024], text[16];
		want(&b, "one", "small", 5);
		want(&b, "two", "small", 5);
		want(&b, "big1", large, sizeof(large));
		want(&b, "dir/big2", large, sizeof(large));
		want(&b, "data1", "from a data layer", 17);
		want(&b, "data2", "from a data layer", 17);
		tar_file(&tar, "x", "small");
		tar_add(&tar, '0', "y", NULL, 0644, large, sizeof(large));
		tar_file(&tar, "nobody", "wants this");
		tar_end(&tar);
		bundle(&b, &tar, 0);
		image_layer(&b.image, OCIWP_MT_SPIN_DATA, NULL, "from a data layer", 17);
		cr_assert_eq(extract(end(&b), modes[i], 0, &place, why), 0, "%s", why);
		cr_expect_str_eq(place_read(&place, "assets/a/two", text, sizeof(text)), "small");
		cr_expect(place_has(&place, "assets/a/one"));
		cr_expect(place_has(&place, "assets/a/big1"));
		cr_expect(place_has(&place, "assets/a/dir/big2"));
		cr_expect(place_has(&place, "assets/a/data1"));
		cr_expect(place_has(&place, "assets/a/data2"));
		place_free(&place);
	}
}

/* spin.md 3.3: a missing end is a warning when every wanted file came whole. */
Test(extract_spin_files, a_bundle_without_its_end_is_read_with_a_warning)
{
	struct place place = place_new();
	ociw_content *content = NULL;
	char path[512], why[1024];
	struct stat st;
	snprintf(path, sizeof(path), "%s/golden/layouts/spin-main-truncated-archive",
		 getenv("OCIW_TESTDATA"));
	cr_assert_eq(ociw_layout_open(path, OCIW_LAYOUT_READ, &content, NULL), 0);
	warnings = 0;
	/* Its one file is in the lock; only the shim's view reads the bundle. */
	cr_assert_eq(extract(content, OCIW_EXTRACT_SPIN_CACHE, 0, &place, why), 0, "%s", why);
	cr_expect_eq(warnings, 1);
	cr_expect(place_stat(&place, "assets/hello/static/a.css", &st));
	place_free(&place);
}

Test(extract_spin_files, a_bundle_without_its_trailer_gives_its_files)
{
	for (uint32_t flags = 0; flags <= OCIW_EXTRACT_SERIAL; flags += OCIW_EXTRACT_SERIAL) {
		struct place place = place_new();
		struct builder b = begin();
		ociwp_buf tar = OCIWP_BUF_INIT;
		char why[1024];
		many(&b, &tar, 3);
		bundle(&b, &tar, 8);
		warnings = 0;
		cr_assert_eq(extract(end(&b), OCIW_EXTRACT_SPIN_FILES, flags, &place, why), 0,
			     "%s", why);
		cr_expect_eq(warnings, 1);
		cr_expect(place_has(&place, "assets/a/d0/f0"));
		place_free(&place);
	}
}

Test(extract_spin_files, a_bundle_cut_inside_a_wanted_file_is_an_error)
{
	struct place place = place_new();
	struct builder b = begin();
	ociwp_buf tar = OCIWP_BUF_INIT;
	char why[1024];
	many(&b, &tar, 1);
	bundle(&b, &tar, 100000);
	cr_expect_eq(extract(end(&b), OCIW_EXTRACT_SPIN_FILES, 0, &place, why), OCIW_ERR_FORMAT,
		     "%s", why);
	cr_expect(strstr(why, "no layer holds") != NULL, "%s", why);
	place_free(&place);
}

Test(extract_spin_files, a_file_that_no_layer_holds_is_named)
{
	struct place place = place_new();
	struct builder b = begin();
	char why[1024];
	want(&b, "dir/x", "x", 1);
	cr_expect_eq(extract(end(&b), OCIW_EXTRACT_SPIN_FILES, 0, &place, why), OCIW_ERR_FORMAT);
	cr_expect(strstr(why, "\"assets/a/dir/x\"") != NULL, "%s", why);
	place_free(&place);
}

Test(extract_spin_files, inline_bytes_must_have_the_digest_beside_them)
{
	struct place place = place_new();
	struct builder b = begin();
	char why[1024];
	ociwp_buf_puts(&b.files,
		       "{\"inline\":\"aGk\",\"digest\":\"sha256:0000000000000000000000000000000000"
		       "000000000000000000000000000000\",\"path\":\"hi\"}");
	cr_expect_eq(extract(end(&b), OCIW_EXTRACT_SPIN_FILES, 0, &place, why), OCIW_ERR_DIGEST,
		     "%s", why);
	place_free(&place);
}

Test(extract_spin_files, paths_that_lead_out_are_refused)
{
	static const char *const paths[] = {"../x", "/etc/x", "a/../../x", "./x"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(paths); i++) {
		struct place place = place_new();
		struct builder b = begin();
		char why[1024];
		ociwp_buf_printf(&b.files, "{\"inline\":\"aGk\",\"path\":\"%s\"}", paths[i]);
		int r = extract(end(&b), OCIW_EXTRACT_SPIN_FILES, 0, &place, why);
		cr_expect_lt(r, 0, "%s", paths[i]);
		place_free(&place);
	}
}
