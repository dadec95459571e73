/* SPDX-License-Identifier: Apache-2.0
 *
 * Extraction as a whole: tar layers of any kind through the public call, on both walkers. Nothing may
 * change outside the destination, nothing may be left after a failure, and both ways must give the
 * same verdict and tree. The last two bytes choose where the input is cut into two layers, and flags.
 */
#include "fuzz-tar.h"
#include "codec/mediatype.h"
#include "io/fsys-tree.h"
#include "oci/descriptor.h"
#include "oci/memory.h"

#include <oci-wasm/extract.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALLOWED                                                                                      \
	((uint32_t)OCIW_EXTRACT_KEEP_SETID | OCIW_EXTRACT_XATTRS | OCIW_EXTRACT_ABSOLUTE_NAMES)

static char base[64];
static struct stat canary_before;

static void leave(void)
{
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)ociwp_tree_remove(tmp, strrchr(base, '/') + 1);
	close(tmp);
}

/* One sandbox for the process: a canary beside the destinations. */
static int sandbox(void)
{
	static int dir = -1;
	if (dir >= 0)
		return dir;
	snprintf(base, sizeof(base), "/tmp/ociw-fuzz-XXXXXX");
	FUZZ_ASSERT(mkdtemp(base));
	dir = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_ASSERT(dir >= 0 && mkdirat(dir, "outside", 0755) == 0);
	int fd = openat(dir, "outside/canary", O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	FUZZ_ASSERT(fd >= 0 && write(fd, "canary", 6) == 6);
	close(fd);
	FUZZ_ASSERT(fstatat(dir, "outside/canary", &canary_before, 0) == 0);
	atexit(leave);
	return dir;
}

static void check_outside(int dir, int expected)
{
	struct stat now;
	FUZZ_ASSERT(fstatat(dir, "outside/canary", &now, 0) == 0);
	FUZZ_ASSERT(now.st_size == 6 && now.st_nlink == 1 && now.st_mode == canary_before.st_mode &&
		    now.st_ctim.tv_sec == canary_before.st_ctim.tv_sec &&
		    now.st_ctim.tv_nsec == canary_before.st_ctim.tv_nsec);
	DIR *list = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	FUZZ_ASSERT(list);
	int count = 0;
	while (readdir(list))
		count++;
	closedir(list);
	FUZZ_ASSERT(count == 3 + expected); /* ".", "..", "outside" */
}

/* --- the tree as a number, whatever the order of its names ---------------------------------- */

static uint64_t hash_text(uint64_t hash, const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ ((const uint8_t *)data)[i]) * UINT64_C(1099511628211);
	return hash;
}

static int add_directory(void *data, int fd, uint64_t inode)
{
	(void)inode;
	DIR *list = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	FUZZ_ASSERT(list);
	for (struct dirent *entry; (entry = readdir(list));) {
		struct stat st;
		if (strcmp(entry->d_name, "..") == 0)
			continue;
		FUZZ_ASSERT(fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0);
		uint64_t hash = hash_text(14695981039346656037u, entry->d_name,
					  strlen(entry->d_name));
		hash = hash_text(hash, &st.st_mode, sizeof(st.st_mode));
		hash = hash_text(hash, &st.st_mtim.tv_sec, sizeof(st.st_mtim.tv_sec));
		if (!S_ISDIR(st.st_mode)) {
			hash = hash_text(hash, &st.st_size, sizeof(st.st_size));
			FUZZ_ASSERT(strncmp(entry->d_name, ".wh.", 4) != 0);
		}
		*(uint64_t *)data += hash;
	}
	closedir(list);
	return 0;
}

/* --- the image ------------------------------------------------------------------------------ */

static void add_layer(ociwp_memory *memory, ociwp_buf *json, const uint8_t *data, size_t size)
{
	ociw_descriptor *desc = NULL;
	ociw_span bytes = {data, size};
	FUZZ_ASSERT(ociwp_descriptor_of_bytes(OCIWP_MT_OCI_LAYER, bytes, &desc, NULL) == 0);
	FUZZ_ASSERT(ociwp_memory_add_bytes(memory, desc, bytes, NULL) == 0);
	ociwp_buf_printf(json, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}",
			 json->len ? "," : "", OCIWP_MT_OCI_LAYER, ociw_descriptor_digest(desc),
			 size);
	ociw_descriptor_free(desc);
}

static ociw_content *make_image(const uint8_t *data, size_t size, size_t cut)
{
	ociwp_memory *memory = NULL;
	ociwp_buf layers = OCIWP_BUF_INIT, manifest = OCIWP_BUF_INIT;
	ociw_descriptor *config = NULL, *desc = NULL;
	ociw_content *content = NULL;
	ociw_span empty = {"{}", 2};
	FUZZ_ASSERT(ociwp_memory_new("fuzz", &memory, NULL) == 0);
	if (cut > 0)
		add_layer(memory, &layers, data, cut);
	add_layer(memory, &layers, data + cut, size - cut);
	FUZZ_ASSERT(ociwp_descriptor_of_bytes(OCIWP_MT_OCI_EMPTY, empty, &config, NULL) == 0);
	FUZZ_ASSERT(ociwp_memory_add_bytes(memory, config, empty, NULL) == 0);
	ociwp_buf_printf(&manifest,
			 "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"%s\",\"digest\":\"%s\","
			 "\"size\":2},\"layers\":[%s]}",
			 OCIWP_MT_OCI_EMPTY, ociw_descriptor_digest(config), layers.data);
	ociw_span text = ociwp_buf_span(&manifest);
	FUZZ_ASSERT(ociwp_descriptor_of_bytes(OCIWP_MT_OCI_MANIFEST, text, &desc, NULL) == 0);
	FUZZ_ASSERT(ociwp_memory_add_manifest(memory, desc, text, "v1", NULL) == 0);
	FUZZ_ASSERT(ociwp_memory_publish(memory, &content, NULL) == 0);
	ociw_descriptor_free(config);
	ociw_descriptor_free(desc);
	ociwp_buf_deinit(&layers);
	ociwp_buf_deinit(&manifest);
	return content;
}

static int extract(ociw_content *content, uint32_t flags, uint64_t *tree)
{
	ociw_extract_options options = OCIW_EXTRACT_OPTIONS_INIT;
	ociw_limits limits = OCIW_LIMITS_INIT;
	ociw_op op = OCIW_OP_INIT;
	ociw_error *err = NULL;
	char out[80];
	int dir = sandbox();
	limits.max_entries = 300;
	limits.max_unpacked_bytes = 1 << 20;
	op.limits = &limits;
	options.op = &op;
	options.mode = OCIW_EXTRACT_ROOTFS;
	options.flags = flags | OCIW_EXTRACT_NO_SYNC;
	snprintf(out, sizeof(out), "%s/out", base);
	int r = ociw_extract(content, NULL, out, &options, NULL, &err);
	FUZZ_ASSERT(r == 0 || (r < 0 && (int)ociw_error_code(err) == r));
	ociw_error_free(err);
	check_outside(dir, r == 0);
	*tree = 0;
	if (r < 0)
		return r;
	int fd = openat(dir, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		/* As a normal user a tree of closed directories cannot be read without changing it. */
		FUZZ_ASSERT(geteuid() != 0 || ociwp_tree_directories(fd, false, add_directory, tree) == 0);
		close(fd);
	}
	FUZZ_ASSERT(ociwp_tree_remove(dir, "out") == 0);
	return r;
}

static void test(const uint8_t *data, size_t size)
{
	if (size < 2)
		return;
	uint32_t flags = ((uint32_t)data[size - 1] << 2) & ALLOWED;
	size_t cut = (size - 2) * data[size - 2] / 256 / 512 * 512;
	uint64_t one = 0, other = 0;
	ociw_content *content = make_image(data, size - 2, cut);
	int r = extract(content, flags, &one);
	FUZZ_ASSERT(extract(content, flags | OCIW_EXTRACT_NO_OPENAT2, &other) == r);
	FUZZ_ASSERT(one == other);
	ociw_content_free(content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 64 * 1024)
		return 0;
	fuzz_tar_both(data, size, test);
	return 0;
}
