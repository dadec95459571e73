/* SPDX-License-Identifier: Apache-2.0
 *
 * Spin apps as trees (spin.md 4.3, 5.3, 7.3; spin-node.md 4), first what the real shim leaves.
 */
#include "../support/images.h"

#include <oci-wasm/extract.h>
#include <oci-wasm/store.h>

#define LOCK                                                                                         \
	"{\"spin_lock_version\":0,\"metadata\":{\"name\":\"t\",\"trigger\":{\"type\":\"http\"},"     \
	"\"triggers\":{}},\"triggers\":[{\"id\":\"a-http\",\"trigger_type\":\"http\","               \
	"\"trigger_config\":{\"component\":\"a\",\"route\":\"/a\"}},{\"id\":\"b-http\","             \
	"\"trigger_type\":\"http\",\"trigger_config\":{\"component\":\"b\",\"route\":\"/b\"}}],"     \
	"\"components\":[{\"id\":\"a\",\"source\":{\"content_type\":\"application/wasm\","           \
	"\"digest\":\"%s\"},\"files\":[%s]},{\"id\":\"b\",\"source\":{\"content_type\":"             \
	"\"application/wasm\",\"inline\":\"AGFzbQEAAAA\"}}]}"
#define MODULE "\0asm\1\0\0\0padding"

static int run(ociw_content *content, const char *name, uint32_t mode,
	       const char *const *components, size_t count, const struct place *place, char *why)
{
	ociw_extract_options options = OCIW_EXTRACT_OPTIONS_INIT;
	ociw_error *err = NULL;
	options.mode = mode;
	options.flags = OCIW_EXTRACT_NO_SYNC;
	options.components = components;
	options.component_count = count;
	options.file_url_root = "/srv/my app";
	int r = ociw_extract(content, name, place->out, &options, NULL, &err);
	snprintf(why, 1024, "%s", ociw_error_message(err));
	if (r < 0)
		cr_expect_eq(place_count(place), 0, "nothing half-made");
	ociw_error_free(err);
	return r;
}

/* The app of LOCK with these files, as an image. */
static ociw_content *app(const char *files, const void *data, size_t data_len, ociwp_buf *tar)
{
	struct image image = image_begin();
	ociwp_buf lock = OCIWP_BUF_INIT;
	ociw_descriptor *wasm = NULL;
	ociw_span module = {MODULE, sizeof(MODULE)};
	cr_assert_eq(ociwp_descriptor_of_bytes(OCIWP_MT_SPIN_WASM, module, &wasm, NULL), 0);
	image_layer(&image, OCIWP_MT_SPIN_WASM, NULL, MODULE, sizeof(MODULE));
	if (data)
		image_layer(&image, OCIWP_MT_SPIN_DATA, NULL, data, data_len);
	if (tar) {
		tar_end(tar);
		image_tar(&image, tar, true);
	}
	ociwp_buf_printf(&lock, LOCK, ociw_descriptor_digest(wasm), files);
	image_layer(&image, OCIWP_MT_SPIN_LOCK, NULL, lock.data, lock.len);
	ociwp_buf_deinit(&lock);
	ociw_descriptor_free(wasm);
	return image_end(&image, OCIWP_MT_OCI_CONFIG,
			 "{\"architecture\":\"wasm\",\"os\":\"wasip1\",\"rootfs\":{\"type\":"
			 "\"layers\",\"diff_ids\":[%s]}}");
}

/* Paths and modes as in testdata/golden/shim; sizes too, but for wasm, which the shim compiles. */
static void compare_with_shim(const char *name, const char *golden)
{
	struct place place = place_new();
	ociw_content *content = NULL;
	char path[512], command[2048], why[1024];
	const char *testdata = getenv("OCIW_TESTDATA");
	snprintf(path, sizeof(path), "%s/golden/shim/two", testdata);
	cr_assert_eq(ociw_layout_open(path, OCIW_LAYOUT_READ, &content, NULL), 0);
	cr_assert_eq(run(content, name, OCIW_EXTRACT_SPIN_CACHE, NULL, 0, &place, why), 0, "%s",
		     why);
	snprintf(command, sizeof(command),
		 "cd %s && { find . -type f -printf '%%P %%m %%s\\n' | LC_ALL=C sort;"
		 " find . -mindepth 1 -type d -printf '%%P/ %%m\\n' | LC_ALL=C sort; }"
		 " | sed 's,\\(registry/wasm/.* 644\\) .*,\\1,' > %s/got;"
		 " sed 's,\\(registry/wasm/.* 644\\) .*,\\1,' %s/golden/shim/%s | diff - %s/got",
		 place.out, place.dir, testdata, golden, place.dir);
	cr_expect_eq(system(command), 0);
	ociw_content_free(content);
	place_free(&place);
}

Test(extract_spin, spin_cache_is_what_the_shim_leaves)
{
	compare_with_shim("v1", "two-v1.txt");
	compare_with_shim("archive", "two-archive.txt");
}

Test(extract_spin, auto_gives_files_a_lock_with_urls_and_a_manifest)
{
	struct place place = place_new();
	ociw_content *content =
		app("{\"inline\":\"aGk\",\"path\":\"dir/hi.txt\"}", NULL, 0, NULL);
	char why[1024], text[4096];
	cr_assert_eq(run(content, NULL, OCIW_EXTRACT_AUTO, NULL, 0, &place, why), 0, "%s", why);
	cr_expect_str_eq(place_read(&place, "assets/a/dir/hi.txt", text, sizeof(text)), "hi");
	cr_expect(place_has(&place, "wasm/a.wasm"));
	cr_expect(place_has(&place, "wasm/b.wasm"));
	cr_assert_not_null(place_read(&place, "spin.json", text, sizeof(text)));
	cr_expect(strstr(text, "\"source\": \"file:///srv/my%20app/wasm/a.wasm\"") != NULL, "%s",
		  text);
	cr_expect(strstr(text, "\"source\": \"file:///srv/my%20app/assets/a\"") != NULL);
	cr_expect(strstr(text, "digest") == NULL);
	cr_assert_not_null(place_read(&place, "spin.toml", text, sizeof(text)));
	cr_expect(strstr(text, "files = [{ source = \"assets/a\", destination = \"/\" }]") != NULL,
		  "%s", text);
	ociw_content_free(content);
	place_free(&place);
}

Test(extract_spin, only_the_chosen_components_come)
{
	static const char *const chosen[] = {"b"};
	static const uint32_t modes[] = {OCIW_EXTRACT_SPIN_FILES, OCIW_EXTRACT_SPIN_CACHE};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(modes); i++) {
		struct place place = place_new();
		ociw_content *content =
			app("{\"inline\":\"aGk\",\"path\":\"hi.txt\"}", NULL, 0, NULL);
		char why[1024], text[4096];
		cr_assert_eq(run(content, NULL, modes[i], chosen, 1, &place, why), 0, "%s", why);
		cr_expect_not(place_has(&place, "assets/a"));
		cr_expect_not(place_has(&place, "wasm/a.wasm"));
		cr_assert_not_null(place_read(&place, "spin.json", text, sizeof(text)));
		cr_expect(strstr(text, "a-http") == NULL, "%s", text);
		cr_expect(strstr(text, "b-http") != NULL);
		ociw_content_free(content);
		place_free(&place);
	}
}

Test(extract_spin, a_component_that_is_not_there_is_an_error)
{
	static const char *const chosen[] = {"zz"};
	struct place place = place_new();
	ociw_content *content = app("", NULL, 0, NULL);
	char why[1024];
	cr_expect_eq(run(content, NULL, OCIW_EXTRACT_AUTO, chosen, 1, &place, why),
		     OCIW_ERR_NOTFOUND);
	cr_expect(strstr(why, "no component \"zz\", it has \"a\", \"b\"") != NULL, "%s", why);
	ociw_content_free(content);
	place_free(&place);
}

/* spin-node: the files are in OCI layers, the lock names an empty marker. */
Test(extract_spin, a_spin_node_image_gives_the_files_of_its_layers)
{
	static const uint32_t modes[] = {OCIW_EXTRACT_SPIN_FILES, OCIW_EXTRACT_ROOTFS};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(modes); i++) {
		struct place place = place_new();
		ociwp_buf tar = OCIWP_BUF_INIT;
		char why[1024], text[4096];
		tar_dir(&tar, "assets", 0755);
		tar_file(&tar, "assets/a/x.txt", "x");
		ociw_content *content =
			app("{\"inline\":\"\",\"path\":\".oci-wasm\"}", NULL, 0, &tar);
		cr_assert_eq(run(content, NULL, modes[i], NULL, 0, &place, why), 0, "%s", why);
		cr_expect_str_eq(place_read(&place, "assets/a/x.txt", text, sizeof(text)), "x");
		bool cache = modes[i] == OCIW_EXTRACT_ROOTFS;
		cr_expect_eq(place_has(&place, "assets/a/.oci-wasm"), cache, "the shim's own");
		cr_expect_eq(place_has(&place, ".cache/registry/wasm"), cache);
		cr_assert_not_null(place_read(&place, "spin.json", text, sizeof(text)));
		cr_expect_eq(strstr(text, "/assets/a\"") != NULL, !cache, "%s", text);
		ociw_content_free(content);
		place_free(&place);
	}
}

Test(extract_spin, a_lone_component_is_an_http_app)
{
	struct place place = place_new();
	struct image image = image_begin();
	char why[1024], text[4096];
	image_layer(&image, OCIWP_MT_WASM, NULL, MODULE, sizeof(MODULE));
	ociw_content *content = image_end(&image, OCIWP_MT_WASM_CONFIG, "{}");
	cr_assert_eq(run(content, NULL, OCIW_EXTRACT_SPIN_FILES, NULL, 0, &place, why), 0, "%s",
		     why);
	cr_expect(place_has(&place, "wasm/http-trigger1-component.wasm"));
	cr_assert_not_null(place_read(&place, "spin.json", text, sizeof(text)));
	cr_expect(strstr(text, "\"route\": \"/...\"") != NULL, "%s", text);
	ociw_content_free(content);
	place_free(&place);
}

Test(extract_spin, an_image_that_is_no_app_is_told_so)
{
	struct place place = place_new();
	struct image image = image_begin();
	ociwp_buf tar = OCIWP_BUF_INIT;
	char why[1024];
	tar_end(&tar);
	image_tar(&image, &tar, true);
	ociw_content *content = image_end_rootfs(&image);
	cr_expect_eq(run(content, NULL, OCIW_EXTRACT_SPIN_FILES, NULL, 0, &place, why),
		     OCIW_ERR_UNSUPPORTED);
	cr_expect(strstr(why, "no Spin app") != NULL, "%s", why);
	ociw_content_free(content);
	place_free(&place);
}

Test(extract_spin, a_wasm_that_no_layer_holds_is_an_error)
{
	struct place place = place_new();
	struct image image = image_begin();
	ociwp_buf lock = OCIWP_BUF_INIT;
	char why[1024];
	ociwp_buf_printf(&lock, LOCK,
			 "sha256:00000000000000000000000000000000"
			 "00000000000000000000000000000000",
			 "");
	image_layer(&image, OCIWP_MT_SPIN_LOCK, NULL, lock.data, lock.len);
	ociw_content *content = image_end(&image, OCIWP_MT_OCI_EMPTY, "{}");
	cr_expect_eq(run(content, NULL, OCIW_EXTRACT_AUTO, NULL, 0, &place, why), OCIW_ERR_FORMAT,
		     "%s", why);
	cr_expect(strstr(why, "no layer holds \"wasm/a.wasm\"") != NULL, "%s", why);
	ociwp_buf_deinit(&lock);
	ociw_content_free(content);
	place_free(&place);
}

Test(extract_spin, native_code_inside_the_lock_is_refused_in_every_mode)
{
	static const char lock[] =
		"{\"spin_lock_version\":0,\"triggers\":[],\"components\":[{\"id\":\"a\",\"source\":{"
		"\"content_type\":\"application/wasm\",\"inline\":\"f0VMRgIBAQAAAAAA\"}}]}";
	static const ociw_extract_mode modes[] = {OCIW_EXTRACT_SPIN_FILES, OCIW_EXTRACT_SPIN_CACHE};
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct place place = place_new();
		struct image image = image_begin();
		char why[1024];
		image_layer(&image, OCIWP_MT_SPIN_LOCK, NULL, lock, sizeof(lock) - 1);
		ociw_content *content = image_end(&image, OCIWP_MT_OCI_EMPTY, "{}");
		cr_expect_eq(run(content, NULL, modes[i], NULL, 0, &place, why), OCIW_ERR_UNSAFE, "%s",
			     why);
		cr_expect(strstr(why, "component \"a\": what is inline is native code") != NULL, "%s", why);
		ociw_content_free(content);
		place_free(&place);
	}
}

Test(extract_spin, native_code_is_refused)
{
	struct place place = place_new();
	struct image image = image_begin();
	ociwp_buf lock = OCIWP_BUF_INIT;
	ociw_descriptor *wasm = NULL;
	static const char elf[] = "\177ELF\2\1\1\0\0\0\0\0\0\0\0";
	ociw_span bytes = {elf, sizeof(elf)};
	char why[1024];
	cr_assert_eq(ociwp_descriptor_of_bytes(OCIWP_MT_SPIN_WASM, bytes, &wasm, NULL), 0);
	image_layer(&image, OCIWP_MT_SPIN_WASM, NULL, elf, sizeof(elf));
	ociwp_buf_printf(&lock, LOCK, ociw_descriptor_digest(wasm), "");
	image_layer(&image, OCIWP_MT_SPIN_LOCK, NULL, lock.data, lock.len);
	ociw_content *content = image_end(&image, OCIWP_MT_OCI_EMPTY, "{}");
	cr_expect_eq(run(content, NULL, OCIW_EXTRACT_AUTO, NULL, 0, &place, why), OCIW_ERR_UNSAFE,
		     "%s", why);
	ociwp_buf_deinit(&lock);
	ociw_descriptor_free(wasm);
	ociw_content_free(content);
	place_free(&place);
}
