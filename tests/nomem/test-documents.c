/* SPDX-License-Identifier: Apache-2.0
 *
 * Running out of memory anywhere in the codecs and the image model is OCIW_ERR_NOMEM, and leaks
 * nothing.
 */
#include "base/str.h"
#include "codec/mediatype.h"
#include "codec/wasm-binary.h"
#include "fail-alloc.h"
#include "io/stream.h"
#include "oci/manifest.h"
#include "oci/memory.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <oci-wasm/reference.h>
#include <stdio.h>

#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define DESC(type) "{\"mediaType\":\"" type "\",\"digest\":\"sha256:" HEX "\",\"size\":2"
#define MANIFEST                                                                                    \
	"{\"schemaVersion\":2,\"artifactType\":\"a/b\",\"config\":" DESC("a/b") ",\"data\":\"e30=\"},"  \
	"\"layers\":[" DESC("a/b") ",\"annotations\":{\"b\":\"1\",\"a\":\"2\"}}],\"subject\":"          \
	DESC(OCIWP_MT_OCI_MANIFEST) ",\"artifactType\":\"c/d\"},\"annotations\":{\"k\":\"v\"}}"
#define INDEX                                                                                       \
	"{\"schemaVersion\":2,\"manifests\":[" DESC(OCIWP_MT_OCI_MANIFEST) ",\"platform\":{"            \
	"\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\",\"os.version\":\"1\"}}]}"
#define CONFIG                                                                                      \
	"{\"architecture\":\"wasm\",\"os\":\"wasip1\",\"config\":{\"Entrypoint\":[\"/\"],\"Env\":["     \
	"\"A=1\"],\"Labels\":{\"k\":\"v\"},\"WorkingDir\":\"/\"},\"rootfs\":{\"type\":\"layers\","      \
	"\"diff_ids\":[\"sha256:" HEX "\"]}}"

static int run_reference(void *data, ociw_error **err)
{
	ociw_reference *ref = NULL, *with = NULL;
	(void)data;
	int r = ociw_reference_parse("a:1@sha256:" HEX, &ref, err);
	if (r == 0)
		r = ociw_reference_with(ref, "2", "sha256:" HEX, &with, err);
	ociw_reference_free(ref);
	ociw_reference_free(with);
	return r;
}

static int run_target(void *data, ociw_error **err)
{
	ociw_target *target = NULL;
	int r = ociw_target_parse(data, &target, err);
	ociw_target_free(target);
	return r;
}

static int run_platform(void *data, ociw_error **err)
{
	OCIWP_AUTO(platform) ociw_platform *platform = NULL;
	OCIWP_AUTO(platform) ociw_platform *copy = NULL;
	(void)data;
	int r = ociw_platform_parse("linux/arm/v7", &platform, err);
	return r < 0 ? r : ociwp_platform_dup(platform, &copy, err);
}

Test(nomem_documents, names)
{
	static const char *const targets[] = {"oci:a:b", "oci-archive:a", "containerd:a", "store:a",
					      "h.io/a:1"};
	fail_alloc_each("reference", run_reference, NULL);
	fail_alloc_each("platform", run_platform, NULL);
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(targets); i++)
		fail_alloc_each(targets[i], run_target, (void *)targets[i]);
}

static int run_manifest(void *data, ociw_error **err)
{
	OCIWP_AUTO(manifest) ociwp_manifest *m = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *copy = NULL;
	OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
	(void)data;
	int r = ociwp_manifest_parse((ociw_span){MANIFEST, strlen(MANIFEST)}, NULL, NULL, &m, err);
	if (r < 0)
		return r;
	ociwp_manifest_draft draft = {
		.media_type = m->media_type,
		.artifact_type = m->artifact_type,
		.config = m->config,
		.layers = (const ociw_descriptor *const *)m->layers,
		.layer_count = m->layer_count,
		.subject = m->subject,
		.annotations = &m->annotations,
	};
	r = ociwp_manifest_write(&draft, &out, err);
	return r < 0 ? r : ociw_descriptor_dup(m->config, &copy, err);
}

static int run_index(void *data, ociw_error **err)
{
	OCIWP_AUTO(index) ociwp_index *index = NULL;
	(void)data;
	return ociwp_index_parse((ociw_span){INDEX, strlen(INDEX)}, NULL, NULL, &index, err);
}

static int run_config(void *data, ociw_error **err)
{
	OCIWP_AUTO(config) ociwp_config *config = NULL;
	(void)data;
	return ociwp_config_parse((ociw_span){CONFIG, strlen(CONFIG)}, NULL, &config, err);
}

Test(nomem_documents, documents)
{
	cr_expect_gt(fail_alloc_each("manifest", run_manifest, NULL), 50);
	cr_expect_gt(fail_alloc_each("index", run_index, NULL), 20);
	cr_expect_gt(fail_alloc_each("config", run_config, NULL), 20);
}

static int run_json(void *data, ociw_error **err)
{
	OCIWP_AUTO(json) json_t *value = NULL;
	OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
	ociwp_json_writer *w;
	const char *text = "{\"a\":[1,2.5,\"x\",null,true,{\"c\":[],\"b\":{}}]}";
	(void)data;
	int r = ociwp_json_parse((ociw_span){text, strlen(text)}, "x", 0, &value, err);
	if (r == 0)
		r = ociwp_json_writer_new(NULL, &out, &w, err);
	if (r < 0)
		return r;
	ociwp_json_value(w, value, true);
	return ociwp_json_writer_finish(w, err);
}

static int run_wasm(void *data, ociw_error **err)
{
	OCIWP_AUTO(wasm_info) ociwp_wasm_info *info = NULL;
	const ociw_span *binary = data;
	return ociwp_wasm_parse(*binary, &info, err);
}

static char *read_file(const char *name, size_t *len)
{
	char path[4096];
	char *data = NULL;
	ociw_reader *reader = NULL;
	snprintf(path, sizeof(path), "%s/%s", getenv("OCIW_TESTDATA"), name);
	cr_assert_eq(ociw_reader_new_fd(open(path, O_RDONLY | O_CLOEXEC), &reader, NULL), 0);
	cr_assert_eq(ociwp_read_all(reader, 1 << 20, &data, len, NULL), 0);
	return data;
}

Test(nomem_documents, codecs)
{
	ociw_span component, package;
	OCIWP_AUTO(str) char *first = read_file("golden/wkg/interfaces.wasm", &component.len);
	OCIWP_AUTO(str) char *second = read_file("golden/wkg/interfaces.wit.wasm", &package.len);
	component.data = first;
	package.data = second;
	fail_alloc_each("json", run_json, NULL);
	fail_alloc_each("component", run_wasm, &component);
	fail_alloc_each("package", run_wasm, &package);
}

static ociw_content *indexed(void)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *c = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *m = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *i = NULL;
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociwp_memory *memory = NULL;
	ociw_content *content = NULL;
	ociw_span config = {CONFIG, strlen(CONFIG)};
	cr_assert_eq(ociwp_memory_new("memory", &memory, NULL), 0);
	cr_assert_eq(ociwp_descriptor_of_bytes(OCIWP_MT_OCI_CONFIG, config, &c, NULL), 0);
	cr_assert_eq(ociwp_memory_add_bytes(memory, c, config, NULL), 0);
	ociwp_buf_printf(&text,
			 "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"%s\",\"digest\":\"%s\","
			 "\"size\":%zu},\"layers\":[]}",
			 c->media_type, c->digest, config.len);
	cr_assert_eq(
		ociwp_descriptor_of_bytes(OCIWP_MT_OCI_MANIFEST, ociwp_buf_span(&text), &m, NULL), 0);
	cr_assert_eq(ociwp_memory_add_manifest(memory, m, ociwp_buf_span(&text), NULL, NULL), 0);
	ociwp_buf_clear(&text);
	ociwp_buf_printf(&text,
			 "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"%s\",\"digest\":\"%s\","
			 "\"size\":%llu}]}",
			 m->media_type, m->digest, (unsigned long long)m->size);
	cr_assert_eq(ociwp_descriptor_of_bytes(OCIWP_MT_OCI_INDEX, ociwp_buf_span(&text), &i, NULL),
		     0);
	cr_assert_eq(ociwp_memory_add_manifest(memory, i, ociwp_buf_span(&text), "top", NULL), 0);
	cr_assert_eq(ociwp_memory_publish(memory, &content, NULL), 0);
	return content;
}

static int run_select(void *data, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	return ociwp_image_select(data, "top", NULL, NULL, &desc, err);
}

Test(nomem_documents, selection)
{
	OCIWP_AUTO(content) ociw_content *content = indexed();
	cr_expect_gt(fail_alloc_each("select", run_select, content), 50);
}
