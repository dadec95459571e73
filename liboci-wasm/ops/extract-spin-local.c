/* SPDX-License-Identifier: Apache-2.0
 *
 * What a runtime on this host starts from: the lock with file:// URLs (spin.md 4.3), and a spin.toml
 * whose components mount one directory each, which the shim's loader takes (5.4).
 */
#include "ops/extract-spin.h"

#include "base/str.h"
#include "format/spin-toml.h"
#include "ops/extract-artifact.h"

void ociwp_spin_file_url(ociwp_buf *out, const char *root, const char *path)
{
	static const char plain[] = "-._~!$&'()*+,;=:@/";
	ociwp_buf_puts(out, "file://");
	for (int part = 0; part < 2; part++) {
		const char *text = part ? path : root;
		if (part && !(out->len > 0 && out->data[out->len - 1] == '/'))
			ociwp_buf_putc(out, '/');
		for (; *text; text++) {
			if (ociwp_is_alnum(*text) || strchr(plain, *text))
				ociwp_buf_putc(out, *text);
			else
				ociwp_buf_printf(out, "%%%02X", (unsigned char)*text);
		}
	}
}

/* Replaces a reference by the URL of a file below @p root. */
static int point_at(ociwp_lock_ref *ref, const char *root, const char *path, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf url = OCIWP_BUF_INIT;
	ociwp_spin_file_url(&url, root, path);
	char *source = ociwp_buf_steal(&url);
	if (!source)
		return ociwp_nomem(err);
	free(ref->source);
	free(ref->digest);
	free(ref->bytes);
	*ref = (ociwp_lock_ref){.source = source};
	return 0;
}

/* One mount of the whole folder instead of single files. */
static int mount_folder(ociwp_lock_component *component, const char *root, const char *path,
			ociw_error **err)
{
	ociwp_lock_file *mount = ociwp_new(ociwp_lock_file);
	if (!mount)
		return ociwp_nomem(err);
	ociwp_lock_files_free(component->files, component->file_count);
	component->files = mount;
	component->file_count = 1;
	component->has_files = true;
	mount->path = ociwp_strdup("/");
	return mount->path ? point_at(&mount->content, root, path, err) : ociwp_nomem(err);
}

/* Whether there is a folder of files for a component, from whatever source. */
static int has_folder(ociwp_extraction *x, const char *id, bool *out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf path = OCIWP_BUF_INIT;
	OCIWP_AUTO(fd) int fd = -1;
	ociw_error *why = NULL;
	*out = false;
	ociwp_buf_printf(&path, "assets/%s", id);
	int r = ociwp_buf_check(&path, err);
	if (r < 0)
		return r;
	r = ociwp_fsys_open_dir(x->fs, path.data, &fd, &why);
	*out = r == 0;
	if (r == 0 || r == OCIW_ERR_NOTFOUND) {
		ociw_error_free(why);
		return 0;
	}
	return ociwp_error_move(err, why);
}

static int localise(ociwp_extraction *x, ociwp_lock_component *component, const char *root,
		    ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf path = OCIWP_BUF_INIT;
	int r = 0;
	for (size_t i = 0; r == 0 && i < component->dependency_count; i++) {
		ociwp_buf_clear(&path);
		ociwp_buf_printf(&path, OCIWP_ROOTFS_DEPS "/%s.wasm",
				 component->dependencies[i].content.digest + 7);
		r = ociwp_buf_check(&path, err);
		if (r == 0)
			r = point_at(&component->dependencies[i].content, root, path.data, err);
	}
	ociwp_buf_clear(&path);
	ociwp_buf_printf(&path, OCIWP_ROOTFS_WASM "/%s.wasm", component->id);
	if (r == 0)
		r = ociwp_buf_check(&path, err);
	if (r == 0)
		r = point_at(&component->source, root, path.data, err);
	/* A folder also comes from the layers of a spin-node image, whatever the lock names. */
	bool folder = false;
	if (r == 0)
		r = has_folder(x, component->id, &folder, err);
	if (r < 0 || !folder)
		return r;
	ociwp_buf_clear(&path);
	ociwp_buf_printf(&path, "assets/%s", component->id);
	r = ociwp_buf_check(&path, err);
	return r == 0 ? mount_folder(component, root, path.data, err) : r;
}

static void draft_release(ociwp_draft *draft)
{
	for (size_t c = 0; c < draft->component_count; c++)
		free(draft->components[c].dependencies);
	free(draft->components);
}

/* What the writer of spin.toml looks at: whether a component has files, and digests of dependencies.
 * Put together here, so that the extractor needs nothing of packing. */
static int draft_component(ociwp_extraction *x, const ociwp_lock_component *component,
			   ociwp_draft_component *out, ociw_error **err)
{
	bool folder = false;
	int r = has_folder(x, component->id, &folder, err);
	if (r < 0)
		return r;
	out->id = component->id;
	out->file_count = folder;
	out->dependencies =
		ociwp_calloc(component->dependency_count + 1, sizeof(*out->dependencies));
	if (!out->dependencies)
		return ociwp_nomem(err);
	out->dependency_count = component->dependency_count;
	for (size_t i = 0; i < component->dependency_count; i++) {
		out->dependencies[i].known = true;
		(void)ociwp_hex_decode(out->dependencies[i].sha256, 32,
				       component->dependencies[i].content.digest + 7);
	}
	return 0;
}

/* spin.toml, while the lock still has its digests: those name the dependencies. */
static int put_toml(ociwp_extraction *x, ociwp_lock *lock, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf toml = OCIWP_BUF_INIT;
	ociwp_draft draft = {.lock = lock};
	draft.components = ociwp_calloc(lock->component_count + 1, sizeof(*draft.components));
	if (!draft.components)
		return ociwp_nomem(err);
	draft.component_count = lock->component_count;
	int r = 0;
	for (size_t c = 0; r == 0 && c < lock->component_count; c++)
		r = draft_component(x, &lock->components[c], &draft.components[c], err);
	if (r == 0)
		r = ociwp_spin_toml_write(&draft, &toml, err);
	draft_release(&draft);
	return r == 0 ? ociwp_extract_bytes(x, toml.data, toml.len, "spin.toml", err) : r;
}

int ociwp_spin_local_put(ociwp_extraction *x, ociwp_lock *lock, const char *root, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf json = OCIWP_BUF_INIT;
	OCIWP_AUTO(writer) ociw_writer *writer = NULL;
	if (root[0] != '/')
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s is no absolute path for file:// URLs",
				  ociwp_quote(root));
	int r = put_toml(x, lock, err);
	/* What no manifest can say is no reason to refuse: the lock says all of it. */
	if (r == OCIW_ERR_UNSUPPORTED) {
		ociw_error_free(err ? *err : NULL);
		if (err)
			*err = NULL;
		r = ociwp_extract_warn(x, err, "no spin.toml: the app cannot be put as one");
	}
	for (size_t c = 0; r == 0 && c < lock->component_count; c++)
		r = localise(x, &lock->components[c], root, err);
	if (r == 0)
		r = ociwp_writer_new_buf(&json, UINT64_MAX, &writer, err);
	if (r == 0)
		r = ociwp_lock_write(lock, true, writer, err);
	if (r == 0)
		r = ociw_writer_commit(ociwp_steal(&writer), err);
	return r == 0 ? ociwp_extract_bytes(x, json.data, json.len, "spin.json", err) : r;
}
