/* SPDX-License-Identifier: Apache-2.0
 *
 * Choosing one image of an index (IDX-2..8).
 */
#include "codec/mediatype.h"
#include "codec/platform.h"
#include "oci/manifest.h"
#include "oci/memory.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define LAYER                                                                                        \
	"{\"mediaType\":\"application/wasm\",\"digest\":"                                             \
	"\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\",\"size\":2}"

/* Adds bytes as a blob or manifest and gives their descriptor. */
static ociw_descriptor *add(ociwp_memory *memory, const char *type, const char *text,
			    const char *name)
{
	ociw_descriptor *desc = NULL;
	ociw_span bytes = {text, strlen(text)};
	cr_assert_eq(ociwp_descriptor_of_bytes(type, bytes, &desc, NULL), 0);
	cr_assert_eq(ociwp_memory_add_manifest(memory, desc, bytes, name, NULL), 0);
	return desc;
}

/* An image whose config has a platform; different for each @p id. */
static ociw_descriptor *image(ociwp_memory *memory, const char *os, const char *architecture, int id)
{
	char config[256], manifest[1024];
	snprintf(config, sizeof(config), "{\"os\":\"%s\",\"architecture\":\"%s\",\"id\":%d}", os,
		 architecture, id);
	OCIWP_AUTO(descriptor) ociw_descriptor *c =
		add(memory, OCIWP_MT_OCI_CONFIG, config, NULL);
	snprintf(manifest, sizeof(manifest),
		 "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"%s\",\"digest\":\"%s\","
		 "\"size\":%zu},\"layers\":[" LAYER "]}",
		 OCIWP_MT_OCI_CONFIG, c->digest, strlen(config));
	return add(memory, OCIWP_MT_OCI_MANIFEST, manifest, NULL);
}

static void entry(ociwp_buf *index, const ociw_descriptor *desc, const char *platform)
{
	ociwp_buf_printf(index, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%llu",
			 index->len ? "," : "{\"schemaVersion\":2,\"manifests\":[", desc->media_type,
			 desc->digest, (unsigned long long)desc->size);
	if (platform) {
		const char *slash = strchr(platform, '/');
		ociwp_buf_printf(index, ",\"platform\":{\"os\":\"%.*s\",\"architecture\":\"%s\"}",
				 (int)(slash - platform), platform, slash + 1);
	}
	ociwp_buf_puts(index, "}");
}

/* The digest that is selected of @p name, as one of @p images; -1 and the code otherwise. */
static int selected(ociw_content *content, const char *platform, ociw_descriptor **images,
		    size_t count, int *code, ociw_error **err)
{
	OCIWP_AUTO(platform) ociw_platform *want = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	if (platform)
		cr_assert_eq(ociw_platform_parse(platform, &want, NULL), 0);
	*code = ociwp_image_select(content, "top", want, NULL, &desc, err);
	for (size_t i = 0; *code == 0 && i < count; i++)
		if (strcmp(desc->digest, images[i]->digest) == 0)
			return (int)i;
	return -1;
}

struct world {
	ociw_content *content;
	ociw_descriptor *images[8];
	size_t count;
};

static void world_init(struct world *w, const char *const *platforms, size_t count)
{
	OCIWP_AUTO(buf) ociwp_buf index = OCIWP_BUF_INIT;
	ociwp_memory *memory = NULL;
	cr_assert_eq(ociwp_memory_new("memory", &memory, NULL), 0);
	w->count = count;
	for (size_t i = 0; i < count; i++) {
		bool has_own = platforms[i][0] != '-';
		char os[64];
		const char *text = has_own ? platforms[i] : platforms[i] + 1;
		const char *slash = strchr(text, '/');
		snprintf(os, sizeof(os), "%.*s", (int)(slash - text), text);
		w->images[i] = image(memory, os, slash + 1, (int)i);
		entry(&index, w->images[i], has_own ? text : NULL);
	}
	ociwp_buf_puts(&index, "]}");
	ociw_descriptor_free(add(memory, OCIWP_MT_OCI_INDEX, index.data, "top"));
	cr_assert_eq(ociwp_memory_publish(memory, &w->content, NULL), 0);
}

static void world_deinit(struct world *w)
{
	for (size_t i = 0; i < w->count; i++)
		ociw_descriptor_free(w->images[i]);
	ociw_content_free(w->content);
}

static void check(const char *const *platforms, size_t count, const char *want, int expected)
{
	struct world w;
	int code;
	world_init(&w, platforms, count);
	int got = selected(w.content, want, w.images, w.count, &code, NULL);
	cr_expect_eq(got, expected, "%s: image %d, not %d", want ? want : "any platform", got, expected);
	if (expected < 0)
		cr_expect_eq(code, OCIW_ERR_NOTFOUND);
	world_deinit(&w);
}

#define CHECK(want, expected, ...)                                                                  \
	check((const char *const[]){__VA_ARGS__},                                                    \
	      sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), want, expected)

Test(select, an_explicit_platform_takes_the_first_match)
{
	CHECK("linux/amd64", 1, "linux/arm64", "linux/amd64", "linux/amd64");
	CHECK("linux/x86_64", 0, "linux/amd64");
	CHECK("wasip1/wasm", 1, "wasip2/wasm", "Wasip1/wasm");
	CHECK("linux/riscv64", -1, "linux/arm64", "linux/amd64");
}

Test(select, wasm_is_preferred_in_a_fixed_order)
{
	CHECK(NULL, 3, "wasi/wasm32", "wasi/wasm", "wasip1/wasm", "wasip2/wasm");
	CHECK(NULL, 2, "wasi/wasm32", "wasi/wasm", "wasip1/wasm");
	CHECK(NULL, 1, "linux/s390x", "wasi/wasm", "windows/amd64");
	CHECK(NULL, 0, "wasi/wasm32", "linux/s390x");
}

Test(select, this_machine_comes_after_wasm_and_a_sole_image_last)
{
	OCIWP_AUTO(platform) ociw_platform *host = NULL;
	cr_assert_eq(ociwp_platform_host(&host, NULL), 0);
	CHECK(NULL, 1, "plan9/mips", host->text);
	CHECK(NULL, 0, "plan9/mips");
	CHECK(NULL, -1, "plan9/mips", "plan9/sparc");
	CHECK("linux/amd64", -1, "plan9/mips");
}

Test(select, attestations_are_never_chosen)
{
	CHECK(NULL, 1, "unknown/unknown", "plan9/mips");
	CHECK(NULL, -1, "unknown/unknown");
	CHECK("unknown/unknown", -1, "unknown/unknown");
}

Test(select, an_entry_without_a_platform_has_that_of_its_config)
{
	CHECK(NULL, 1, "-plan9/mips", "-wasip1/wasm");
	CHECK("wasip1/wasm", 1, "-plan9/mips", "-wasip1/wasm");
	CHECK("wasip1/wasm", 1, "-wasip1/wasm", "wasip1/wasm");
}

Test(select, no_match_lists_what_there_is)
{
	struct world w;
	int code;
	ociw_error *err = NULL;
	world_init(&w, (const char *const[]){"linux/arm64", "windows/amd64"}, 2);
	cr_expect_eq(selected(w.content, "linux/s390x", w.images, 2, &code, &err), -1);
	cr_expect_eq(code, OCIW_ERR_NOTFOUND);
	cr_expect_str_eq(ociw_error_message(err), "memory: no image for platform linux/s390x; "
						  "the index has: linux/arm64, windows/amd64");
	ociw_error_free(err);
	world_deinit(&w);
}

Test(select, a_single_manifest_is_taken_whatever_its_platform)
{
	ociwp_memory *memory = NULL;
	OCIWP_AUTO(content) ociw_content *content = NULL;
	int code;
	cr_assert_eq(ociwp_memory_new("memory", &memory, NULL), 0);
	OCIWP_AUTO(descriptor) ociw_descriptor *desc =
		add(memory, OCIWP_MT_OCI_MANIFEST, "{\"not\":\"read\"}", "top");
	cr_assert_eq(ociwp_memory_publish(memory, &content, NULL), 0);
	cr_expect_eq(selected(content, "linux/s390x", &desc, 1, &code, NULL), 0);
}

Test(select, what_is_no_image_is_unsupported)
{
	ociwp_memory *memory = NULL;
	OCIWP_AUTO(content) ociw_content *content = NULL;
	int code;
	cr_assert_eq(ociwp_memory_new("memory", &memory, NULL), 0);
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = add(memory, "application/x", "x", "top");
	cr_assert_eq(ociwp_memory_publish(memory, &content, NULL), 0);
	cr_expect_eq(selected(content, NULL, &desc, 1, &code, NULL), -1);
	cr_expect_eq(code, OCIW_ERR_UNSUPPORTED);
}

/* @p levels indexes around one image. */
static int nested(int levels, const char *platform, ociw_error **err)
{
	ociwp_memory *memory = NULL;
	OCIWP_AUTO(content) ociw_content *content = NULL;
	int code;
	cr_assert_eq(ociwp_memory_new("memory", &memory, NULL), 0);
	ociw_descriptor *inner = image(memory, "linux", "s390x", 0);
	OCIWP_AUTO(descriptor) ociw_descriptor *leaf = NULL;
	cr_assert_eq(ociw_descriptor_dup(inner, &leaf, NULL), 0);
	for (int i = levels; i > 0; i--) {
		OCIWP_AUTO(buf) ociwp_buf index = OCIWP_BUF_INIT;
		entry(&index, inner, i == 1 ? "wasip1/wasm" : NULL);
		ociwp_buf_puts(&index, "]}");
		ociw_descriptor_free(inner);
		inner = add(memory, OCIWP_MT_OCI_INDEX, index.data, i == 1 ? "top" : NULL);
	}
	ociw_descriptor_free(inner);
	cr_assert_eq(ociwp_memory_publish(memory, &content, NULL), 0);
	int got = selected(content, platform, &leaf, 1, &code, err);
	return got == 0 ? 0 : code;
}

Test(select, nested_indexes_are_followed_and_pass_their_platform_on)
{
	cr_expect_eq(nested(3, "wasip1/wasm", NULL), 0);
	cr_expect_eq(nested(8, NULL, NULL), 0);
}

Test(select, nesting_is_limited)
{
	ociw_error *err = NULL;
	cr_expect_eq(nested(9, NULL, &err), OCIW_ERR_LIMIT);
	cr_expect(strstr(ociw_error_message(err), "deeper than 8"), "%s", ociw_error_message(err));
	ociw_error_free(err);
}
