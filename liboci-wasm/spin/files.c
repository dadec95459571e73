/* SPDX-License-Identifier: Apache-2.0
 *
 * Resolves `files` with Spin's meaning (specs/spin.md 1.8), and its traps as warnings (7.3 item 3).
 * What leaves the app's folder is refused unless a flag allows it.
 */
#include "spin/files.h"
#include "base/buf.h"
#include "base/path.h"
#include "base/str.h"
#include "spin/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct exclude {
	ociwp_glob *glob;
	bool used;    /* it kept something out */
	bool crossed; /* a wildcard of it took a '/' */
} exclude;

typedef struct resolver {
	const ociwp_component *component;
	ociwp_report *report;
	const char *root;
	char *real_root;
	int root_fd;
	uid_t user;
	exclude *excludes;
	ociwp_file *found; /* in the order of definition */
	size_t count;
	ociwp_pool *names;
	uint64_t *total;
	/* Of the entry at hand: */
	const ociwp_files_entry *entry;
	const char *strip;  /* taken off the front of results, or "" */
	const char *prefix; /* put in front of them, or "" */
	size_t before;
	bool warned_name;
	bool linked; /* the next file may be behind a link */
	bool told;   /* the walk ended by an error that says where */
} resolver;

static ociwp_where at_entry(const resolver *rs, const char *rule)
{
	return (ociwp_where){rs->entry->at, rs->component->id, rule};
}

static bool may_leave(const resolver *rs)
{
	return rs->report->flags & (OCIWP_APP_COMPAT_SPIN | OCIWP_APP_ALLOW_OUTSIDE);
}

static int refuse_outside(const resolver *rs, const char *path, ociw_error **err)
{
	return ociwp_report_fail(rs->report, at_entry(rs, "files-outside"), OCIW_ERR_UNSAFE, err,
	                         "%s leaves the app's folder: move it there, or allow that with "
	                         "--allow-outside",
	                         ociwp_quote(path));
}

/* A path that is inside as it is written, and leads out. */
static int refuse_link(const resolver *rs, const char *path, ociw_error **err)
{
	return ociwp_report_fail(
	        rs->report, at_entry(rs, "files-outside"), OCIW_ERR_UNSAFE, err,
	        "symbolic link %s leads out of the app's folder: put what it leads "
	        "to in its place, or allow that with --allow-outside",
	        ociwp_quote(path));
}

/* An error of the system, or of a limit, that knows nothing of the manifest. */
static int wrap_place(const resolver *rs, int r, ociw_error **err)
{
	const ociwp_where where = at_entry(rs, "");
	return ociwp_wrap(err, r, "%s:%u:%u: component %s: files", rs->report->file, where.at.line,
	                  where.at.column, ociwp_quote(where.component));
}

/* "", "." and inner ".." removed: "a/./b//../c" is "a/c". *up counts the ".." that are left over,
 * which are not in the result. NULL without memory. */
static char *normalize(const char *path, size_t *up)
{
	char *out = ociwp_malloc(strlen(path) + 1);
	size_t len = 0;
	*up = 0;
	while (out && *path) {
		size_t n = strcspn(path, "/");
		if (n == 2 && path[0] == '.' && path[1] == '.') {
			if (len == 0)
				++*up;
			while (len && out[--len] != '/')
				;
		} else if (n && !(n == 1 && *path == '.')) {
			if (len)
				out[len++] = '/';
			memcpy(out + len, path, n);
			len += n;
		}
		path += n + (path[n] == '/');
	}
	if (out)
		out[len] = '\0';
	return out;
}

static bool has_parent_part(const char *path)
{
	for (; *path; path += strcspn(path, "/"), path += *path == '/')
		if (path[0] == '.' && path[1] == '.' && (path[2] == '/' || !path[2]))
			return true;
	return false;
}

/* Does the real place of a path lie under the real root? A path that cannot be followed does not.
 */
static bool is_inside(const resolver *rs, const char *path)
{
	char absolute[PATH_MAX], real[PATH_MAX];
	size_t len = strlen(rs->real_root);
	int n = snprintf(absolute, sizeof(absolute), "%s/%s", rs->root, path);
	if (n < 0 || (size_t)n >= sizeof(absolute) || !realpath(absolute, real))
		return false;
	if (len == 1)
		return true; /* the root of the file system */
	return strncmp(real, rs->real_root, len) == 0 && (real[len] == '/' || !real[len]);
}

/* Path of a source as written, seen from the root; an absolute one must be under it. */
static int relative(const resolver *rs, const char *path, const char **out, ociw_error **err)
{
	size_t up, len = strlen(rs->root);
	*out = path;
	if (*path == '/') {
		/* For Spin there is no way either. */
		if (strncmp(path, rs->root, len) != 0 || (path[len] && path[len] != '/' && len > 1))
			return ociwp_report_fail(
			        rs->report, at_entry(rs, "files-outside"), OCIW_ERR_UNSAFE, err,
			        "%s is outside of the app's folder: only paths below spin.toml can "
			        "be packed",
			        ociwp_quote(path));
		*out = path + len + strspn(path + len, "/");
	}
	OCIWP_AUTO(str) char *plain = normalize(*out, &up);
	if (!plain)
		return ociwp_nomem(err);
	return up && !may_leave(rs) ? refuse_outside(rs, path, err) : 0;
}

/* One text for both names where it can be: most paths are the end of their source. */
static bool name_file(resolver *rs, ociwp_file *file, const char *source, const char *path)
{
	OCIWP_AUTO(str) char *joined = ociwp_path_join(rs->root, source);
	if (!joined)
		return false;
	size_t len = strlen(joined), path_len = strlen(path);
	bool is_end = path_len <= len && ociwp_streq(joined + len - path_len, path);
	char *kept = ociwp_pool_strdup(rs->names, joined);
	file->source.from.path = kept;
	if (kept && is_end)
		file->path = kept + len - path_len;
	else if (kept)
		file->path = ociwp_pool_strdup(rs->names, path);
	return file->path;
}

static int add_found(resolver *rs, char *take_path, const char *source, const struct stat *st,
                     ociw_error **err)
{
	OCIWP_AUTO(str) char *path = take_path;
	const ociw_limits *limits = &rs->report->limits;
	if (++*rs->total > limits->max_entries)
		return ociwp_report_fail(rs->report, at_entry(rs, "limit"), OCIW_ERR_LIMIT, err,
		                         "more than %llu files",
		                         (unsigned long long)limits->max_entries);
	if (!ociwp_path_is_relative_normal(path, limits->max_path_bytes, limits->max_path_depth))
		return ociwp_report_fail(rs->report, at_entry(rs, "limit"), OCIW_ERR_LIMIT, err,
		                         "path %s is too long", ociwp_quote(path));
	ociwp_file *grown = ociwp_grow_array(rs->found, rs->count, sizeof(*grown));
	if (!grown)
		return ociwp_nomem(err);
	rs->found = grown;
	ociwp_file *added = &grown[rs->count];
	added->source = (ociwp_source){
	        .kind = OCIWP_SOURCE_FILE,
	        .looked = true,
	        .readable = st->st_mode & S_IRUSR && st->st_uid == rs->user,
	        .executable = st->st_mode & S_IXUSR,
	        .fd = -1,
	        .size = (uint64_t)st->st_size,
	};
	ociwp_file_stamp_of(st, &added->source.stamp);
	if (!name_file(rs, added, source, path))
		return ociwp_nomem(err);
	rs->count++;
	return 0;
}

/* @p destination as written; one that climbs out of the component's folder is lost, as in Spin. */
static int place(resolver *rs, const char *destination, const char *source, const struct stat *st,
                 ociw_error **err)
{
	size_t up;
	char *path = normalize(destination, &up);
	if (!path)
		return ociwp_nomem(err);
	if (!up)
		return add_found(rs, path, source, st, err);
	free(path);
	if (!may_leave(rs))
		return ociwp_report_fail(
		        rs->report, at_entry(rs, "files-outside"), OCIW_ERR_UNSAFE, err,
		        "%s would land outside of the component's files, as %s: write a "
		        "destination without \"..\"",
		        ociwp_quote(source), ociwp_quote(destination));
	return ociwp_report_warn(
	        rs->report, at_entry(rs, "files-outside"), err,
	        "%s would land outside of the component's files, as %s: it is lost",
	        ociwp_quote(source), ociwp_quote(destination));
}

static bool is_excluded(resolver *rs, const char *path)
{
	for (size_t i = 0; i < rs->component->exclude_files.count; i++) {
		exclude *e = &rs->excludes[i];
		if (!ociwp_glob_match(e->glob, path, strlen(path), false))
			continue;
		e->used = true;
		e->crossed |= !ociwp_glob_match(e->glob, path, strlen(path), true);
		return true;
	}
	return false;
}

static int take_file(resolver *rs, const char *path, const struct stat *st, ociw_error **err)
{
	if (is_excluded(rs, path))
		return 0;
	/* Only a link or a ".." can lead out, and folders were judged before they were walked. */
	bool linked = rs->linked, suspicious = linked || has_parent_part(path);
	rs->linked = false;
	if (suspicious && !may_leave(rs) && !is_inside(rs, path))
		return linked ? refuse_link(rs, path, err) : refuse_outside(rs, path, err);
	size_t strip = strlen(rs->strip);
	const char *rest = strip && strncmp(path, rs->strip, strip) == 0 ? path + strip : path;
	rest += strspn(rest, "/");
	OCIWP_AUTO(buf) ociwp_buf destination = OCIWP_BUF_INIT;
	ociwp_buf_printf(&destination, "%s%s%s", rs->prefix, *rs->prefix ? "/" : "", rest);
	if (ociwp_buf_check(&destination, err) < 0)
		return OCIW_ERR_NOMEM;
	return place(rs, destination.data, path, st, err);
}

static int on_file(void *user_data, const char *path, const struct stat *st, ociw_error **err)
{
	resolver *rs = user_data;
	int r = take_file(rs, path, st, err);
	rs->told = r < 0;
	return r;
}

static int on_link(void *user_data, const char *path, bool is_folder, ociw_error **err)
{
	resolver *rs = user_data;
	/* Links to files are judged when the file is wanted; a folder before it is walked. */
	rs->linked |= !is_folder;
	if (!is_folder || may_leave(rs) || is_inside(rs, path))
		return 0;
	rs->told = true;
	return refuse_link(rs, path, err);
}

static int on_skipped(void *user_data, const char *path, const char *why, ociw_error **err)
{
	resolver *rs = user_data;
	if (rs->warned_name)
		return 0;
	rs->warned_name = true; /* one is enough for an entry */
	int r = ociwp_report_trap(rs->report, at_entry(rs, "files-skipped"), err,
	                          "%s %s: it is skipped", ociwp_quote(path), why);
	rs->told = r < 0;
	return r;
}

static const ociwp_walk_ops walk_ops = {on_file, on_link, on_skipped};

/* Walks @p pattern; results lose @p strip and get @p prefix. */
static int walk(resolver *rs, const char *pattern, const char *strip, const char *prefix,
                ociw_error **err)
{
	const char *problem;
	rs->strip = strip;
	rs->prefix = prefix;
	int r = ociwp_walk(rs->root_fd, pattern, &rs->report->limits, rs->report->op, &walk_ops, rs,
	                   &problem, err);
	if (r < 0 && problem)
		return ociwp_report_fail(rs->report, at_entry(rs, "files-pattern"), OCIW_ERR_FORMAT,
		                         err, "pattern %s: %s", ociwp_quote(rs->entry->source),
		                         problem);
	return r < 0 && r != OCIW_ERR_CANCELLED && !rs->told ? wrap_place(rs, r, err) : r;
}

/* "FOLDER/" + all below. NULL without memory. */
static char *all_below(const char *folder)
{
	OCIWP_AUTO(buf) ociwp_buf pattern = OCIWP_BUF_INIT;
	ociwp_buf_printf(&pattern, "%s%s**/*", folder, *folder ? "/" : "");
	return pattern.failed ? NULL : ociwp_buf_steal(&pattern);
}

/* The folder's name is part of the pattern: wildcard characters in it mean what they mean to Spin.
 */
static int walk_folder(resolver *rs, const char *folder, const char *strip, const char *prefix,
                       ociw_error **err)
{
	OCIWP_AUTO(str) char *pattern = all_below(folder);
	return pattern ? walk(rs, pattern, strip, prefix, err) : ociwp_nomem(err);
}

static int place_single(resolver *rs, const char *path, const char *destination,
                        const struct stat *st, ociw_error **err)
{
	if (!S_ISREG(st->st_mode))
		return ociwp_report_fail(rs->report, at_entry(rs, "files-special"), OCIW_ERR_UNSAFE,
		                         err, "%s is neither a file nor a folder",
		                         ociwp_quote(path));
	if (!may_leave(rs) && !is_inside(rs, path))
		return refuse_link(rs, path, err);
	size_t len = strlen(destination);
	const char *last = ociwp_path_basename(destination);
	if (!len || !*last || ociwp_streq(last, ".") || ociwp_streq(last, ".."))
		return ociwp_report_fail(
		        rs->report, at_entry(rs, "files-destination"), OCIW_ERR_FORMAT, err,
		        "%s is not a valid destination file name",
		        ociwp_quote(rs->entry->destination ? rs->entry->destination : destination));
	for (size_t i = 0; i < rs->component->exclude_files.count; i++) {
		if (!ociwp_glob_match(rs->excludes[i].glob, path, strlen(path), false))
			continue;
		rs->excludes[i].used = true;
		int r = ociwp_report_trap(
		        rs->report, at_entry(rs, "files-exclude-single"), err,
		        "%s is packed although exclude_files has %s: excludes do not "
		        "touch files that are named one by one",
		        ociwp_quote(path), ociwp_quote(rs->component->exclude_files.items[i]));
		if (r < 0)
			return r;
		break;
	}
	return place(rs, destination, path, st, err);
}

static int warn_everything(resolver *rs, const char *pattern, const char *instead, ociw_error **err)
{
	return ociwp_report_trap(rs->report, at_entry(rs, "files-everything"), err,
	                         "pattern %s packs the app's whole folder; if it is meant, write "
	                         "\"./%s\"",
	                         ociwp_quote(pattern), instead);
}

/* @p path: of the folder, seen from the app's. */
static int warn_doubled(resolver *rs, const char *folder, const char *path, ociw_error **err)
{
	size_t up;
	if (rs->count == rs->before)
		return ociwp_report_trap(rs->report, at_entry(rs, "files-nothing"), err,
		                         "folder %s gives no files", ociwp_quote(folder));
	OCIWP_AUTO(str) char *plain = normalize(path, &up);
	if (!plain)
		return ociwp_nomem(err);
	if (!*plain && !up) /* the app's own folder has no name that could come twice */
		return warn_everything(rs, folder, "**/*", err);
	OCIWP_AUTO(str) char *once = all_below(plain);
	if (!once)
		return ociwp_nomem(err);
	return ociwp_report_trap(
	        rs->report, at_entry(rs, "files-doubled"), err,
	        "folder %s is packed as %s; to have it once, write %s, or { source = %s, "
	        "destination = \"/\" } for what is in it",
	        ociwp_quote(folder), ociwp_quote(rs->found[rs->before].path),
	        ociwp_quote(once), ociwp_quote(plain));
}

/* The first folder of a pattern that is not there: most patterns without files have one. NULL without,
 * or without memory. */
static char *missing_folder(const resolver *rs, const char *pattern)
{
	struct stat st;
	for (const char *slash = strchr(pattern, '/'); slash; slash = strchr(slash + 1, '/')) {
		OCIWP_AUTO(str) char *folder = ociwp_strndup(pattern, (size_t)(slash - pattern));
		if (!folder || ociwp_looks_like_glob(folder))
			return NULL;
		if (*folder && fstatat(rs->root_fd, folder, &st, 0) != 0)
			return errno == ENOENT ? ociwp_steal(&folder) : NULL;
	}
	return NULL;
}

static int warn_pattern(resolver *rs, const char *pattern, ociw_error **err)
{
	if (rs->count > rs->before)
		return 0;
	OCIWP_AUTO(str) char *missing = missing_folder(rs, pattern);
	if (missing)
		return ociwp_report_trap(rs->report, at_entry(rs, "files-nothing"), err,
		                         "pattern %s gives no files: there is no folder %s",
		                         ociwp_quote(pattern), ociwp_quote(missing));
	if (ociwp_streq(pattern, "**") || ociwp_ends_with(pattern, "/**"))
		return ociwp_report_trap(
		        rs->report, at_entry(rs, "files-nothing"), err,
		        "pattern %s matches folders only, so no files; for all files "
		        "below write \"%s/*\"",
		        ociwp_quote(pattern), pattern);
	return ociwp_report_trap(rs->report, at_entry(rs, "files-nothing"), err,
	                         "pattern %s gives no files", ociwp_quote(pattern));
}

static int check_pattern_end(resolver *rs, const char *pattern, ociw_error **err)
{
	bool parent = ociwp_streq(pattern, "..") || ociwp_ends_with(pattern, "/..");
	if (parent || ociwp_streq(pattern, ".") || ociwp_ends_with(pattern, "/."))
		return ociwp_report_fail(
		        rs->report, at_entry(rs, "files-pattern"), OCIW_ERR_FORMAT, err,
		        "pattern %s cannot end in a %s; write {source, destination}, or "
		        "a pattern that ends in **/*",
		        ociwp_quote(pattern), parent ? "parent folder (..)" : "current folder (.)");
	if (ociwp_streq(pattern, "*") || ociwp_streq(pattern, "**/*"))
		return warn_everything(rs, pattern, pattern, err);
	return 0;
}

/* What is named is not there, or is a link to nothing. */
static int fail_missing(resolver *rs, const char *path, const char *why, ociw_error **err)
{
	struct stat st;
	bool link = fstatat(rs->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
	return ociwp_report_fail(rs->report, at_entry(rs, "files-missing"), OCIW_ERR_NOTFOUND, err,
	                         "%s %s%s%s", ociwp_quote(rs->entry->source),
	                         link ? "is a symbolic link that leads nowhere" : "does not exist",
	                         link || !*why ? "" : " ", link ? "" : why);
}

static int resolve_pattern(resolver *rs, ociw_error **err)
{
	const char *pattern = rs->entry->source, *path;
	int r = check_pattern_end(rs, pattern, err);
	if (r < 0 || (r = relative(rs, pattern, &path, err)) < 0)
		return r;
	struct stat st;
	if (fstatat(rs->root_fd, *path ? path : ".", &st, 0) == 0) {
		if (!S_ISDIR(st.st_mode))
			return place_single(rs, path, path, &st, err);
		r = walk_folder(rs, path, "", path, err);
		return r < 0 ? r : warn_doubled(rs, pattern, path, err);
	}
	if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != ENAMETOOLONG)
		return wrap_place(
		        rs, ociwp_fail_errno(err, errno, "look at %s", ociwp_quote(pattern)), err);
	if (!ociwp_looks_like_glob(pattern))
		return fail_missing(rs, path, "and doesn't appear to be a glob pattern", err);
	r = walk(rs, path, "", "", err);
	return r < 0 ? r : warn_pattern(rs, pattern, err);
}

static int resolve_placement(resolver *rs, ociw_error **err)
{
	const ociwp_files_entry *entry = rs->entry;
	const char *destination = entry->destination + strspn(entry->destination, "/");
	const char *path;
	size_t up;
	int r = relative(rs, entry->source, &path, err);
	if (r < 0)
		return r;
	struct stat st;
	if (fstatat(rs->root_fd, *path ? path : ".", &st, 0) != 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return wrap_place(rs,
			                  ociwp_fail_errno(err, errno, "look at %s",
			                                   ociwp_quote(entry->source)),
			                  err);
		return fail_missing(rs, path,
		                    ociwp_looks_like_glob(entry->source)
		                            ? "as it is written: only patterns without a "
		                              "destination can have wildcards"
		                            : "",
		                    err);
	}
	if (!S_ISDIR(st.st_mode))
		return place_single(rs, path, destination, &st, err);
	/* Results come without "." parts, so what is taken off their front must be, too. */
	OCIWP_AUTO(str)
	char *strip = has_parent_part(path) ? ociwp_strdup(path) : normalize(path, &up);
	if (!strip)
		return ociwp_nomem(err);
	r = walk_folder(rs, path, strip, destination, err);
	if (r < 0 || rs->count > rs->before)
		return r;
	return ociwp_report_trap(rs->report, at_entry(rs, "files-nothing"), err,
	                         "folder %s gives no files", ociwp_quote(entry->source));
}

static int compile_excludes(resolver *rs, ociw_error **err)
{
	const ociwp_strings *patterns = &rs->component->exclude_files;
	rs->excludes = ociwp_calloc(patterns->count, sizeof(*rs->excludes));
	if (!rs->excludes)
		return ociwp_nomem(err);
	for (size_t i = 0; i < patterns->count; i++) {
		const char *text = patterns->items[i], *problem;
		size_t position;
		int r = ociwp_glob_new(text, strlen(text), &rs->excludes[i].glob, &problem,
		                       &position);
		if (r == OCIW_ERR_NOMEM)
			return ociwp_nomem(err);
		if (r < 0)
			return ociwp_report_fail(rs->report,
			                         (ociwp_where){patterns->places[i],
			                                       rs->component->id, "files-pattern"},
			                         OCIW_ERR_FORMAT, err,
			                         "exclude_files: pattern %s: %s", ociwp_quote(text),
			                         problem);
	}
	return 0;
}

static int warn_excludes(resolver *rs, ociw_error **err)
{
	const ociwp_strings *patterns = &rs->component->exclude_files;
	int r = 0;
	for (size_t i = 0; r == 0 && i < patterns->count; i++) {
		ociwp_where where = {patterns->places[i], rs->component->id, "exclude-nothing"};
		const char *text = patterns->items[i];
		if (!rs->excludes[i].used) {
			r = ociwp_report_trap(
			        rs->report, where, err,
			        "exclude_files: %s keeps nothing out; patterns are compared "
			        "with whole paths such as \"folder/file\", and a folder's "
			        "files are \"folder/*\"",
			        ociwp_quote(text));
		} else if (rs->excludes[i].crossed) {
			where.rule = "exclude-crossing";
			r = ociwp_report_trap(
			        rs->report, where, err,
			        "exclude_files: %s keeps files of sub-folders out, too: here, "
			        "unlike in `files`, wildcards take '/'",
			        ociwp_quote(text));
		}
	}
	return r;
}

static int by_path(const void *a, const void *b, void *context)
{
	const ociwp_file *found = context;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order = strcmp(found[x].path, found[y].path);
	return order ? order : (x > y) - (x < y);
}

/* Moves each file to its place; @p from[i] is where the one for place i lies, and is used up. */
static void reorder(ociwp_file *files, uint32_t *from, size_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		ociwp_file first = files[i];
		uint32_t at = i;
		while (from[at] != i) {
			uint32_t next = from[at];
			files[at] = files[next];
			from[at] = at;
			at = next;
		}
		files[at] = first;
		from[at] = at;
	}
}

/* By their numbers, as qsort() itself would need a second array of files; of equal paths the one that was
 * defined last comes last. */
static int sort_found(resolver *rs, ociw_error **err)
{
	if (rs->count > UINT32_MAX)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "%zu files are too many", rs->count);
	OCIWP_AUTO(mem) uint32_t *order = ociwp_calloc(rs->count, sizeof(*order));
	if (!order)
		return ociwp_nomem(err);
	for (uint32_t i = 0; i < rs->count; i++)
		order[i] = i;
	qsort_r(order, rs->count, sizeof(*order), by_path, rs->found);
	reorder(rs->found, order, rs->count);
	return 0;
}

static int find_path(const void *key, const void *element)
{
	return strcmp(key, ((const ociwp_file *)element)->path);
}

/* The bytes of @p path that are folders of the path before it, too. */
static size_t shared_folders(const char *before, const char *path)
{
	size_t shared = 0;
	for (size_t i = 0; path[i] && path[i] == before[i]; i++)
		if (path[i] == '/')
			shared = i + 1;
	return shared;
}

/* A path cannot be a file and a folder. In their order, each folder is looked up once. */
static int check_conflicts(resolver *rs, ociw_error **err)
{
	char parent[PATH_MAX];
	for (size_t i = 0; i < rs->count; i++) {
		const char *path = rs->found[i].path;
		size_t known = i ? shared_folders(rs->found[i - 1].path, path) : 0;
		for (const char *slash = strchr(path + known, '/'); slash; slash = strchr(slash + 1, '/')) {
			size_t len = (size_t)(slash - path);
			if (len >= sizeof(parent))
				break;
			memcpy(parent, path, len);
			parent[len] = '\0';
			if (!bsearch(parent, rs->found, rs->count, sizeof(*rs->found), find_path))
				continue;
			return ociwp_report_fail(rs->report,
			                         (ociwp_where){rs->component->at, rs->component->id,
			                                       "files-conflict"},
			                         OCIW_ERR_FORMAT, err,
			                         "files: %s is a file, and a folder of %s",
			                         ociwp_quote(parent), ociwp_quote(path));
		}
	}
	return 0;
}

/* Sorts by path, the last definition of each wins, and hands the list over. */
static int finish(resolver *rs, ociwp_app_component *to, ociw_error **err)
{
	if (rs->count == 0)
		return 0;
	int r = sort_found(rs, err);
	if (r < 0)
		return r;
	size_t kept = 0;
	for (size_t i = 0; i < rs->count; i++) {
		if (kept && ociwp_streq(rs->found[kept - 1].path, rs->found[i].path))
			kept--;
		rs->found[kept++] = rs->found[i];
	}
	rs->count = kept;
	r = check_conflicts(rs, err);
	if (r < 0)
		return r;
	to->files = ociwp_steal(&rs->found);
	to->file_count = kept;
	return 0;
}

static int resolve_all(resolver *rs, ociw_error **err)
{
	int r = compile_excludes(rs, err);
	for (size_t i = 0; r == 0 && i < rs->component->file_count; i++) {
		rs->entry = &rs->component->files[i];
		rs->before = rs->count;
		rs->warned_name = false;
		r = rs->entry->destination ? resolve_placement(rs, err) : resolve_pattern(rs, err);
	}
	return r < 0 ? r : warn_excludes(rs, err);
}

int ociwp_files_resolve(const ociwp_component *from, const char *root, ociwp_report *report,
                        uint64_t *total, ociwp_app_component *to, ociw_error **err)
{
	if (from->file_count == 0)
		return 0;
	OCIWP_AUTO(fd) int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ociwp_fail_errno(err, errno, "app folder %s", ociwp_quote(root));
	char *real_root = realpath(root, NULL);
	if (!real_root)
		return ociwp_fail_errno(err, errno, "app folder %s", ociwp_quote(root));
	resolver rs = {.component = from,
	               .report = report,
	               .root = root,
	               .real_root = real_root,
	               .root_fd = fd,
	               .user = geteuid(),
	               .names = &to->names,
	               .total = total};
	int r = resolve_all(&rs, err);
	if (r == 0)
		r = finish(&rs, to, err);
	free(rs.found);
	for (size_t i = 0; rs.excludes && i < from->exclude_files.count; i++)
		ociwp_glob_free(rs.excludes[i].glob);
	free(rs.excludes);
	free(rs.real_root);
	return r;
}
