/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk of Rust's glob crate: literal parts of a pattern are looked up, others list the folder.
 * What is in a folder is looked at from that folder, which is half the work of a long path; deep down
 * paths are looked up from a folder further up, so that depth costs no file descriptors.
 */
#include "spin/walk.h"
#include "base/buf.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* As many symbolic links as the kernel follows in one path: a link to a parent folder ends there.
 */
#define MAX_LINKS 40
#define ENTRIES_SIZE ((size_t)32 << 10)
/* So many folders of the path at hand stay open. */
#define OPEN_FOLDERS 16

typedef struct pattern_part {
	ociwp_glob *glob;
	char *literal; /* its text when it has no wildcard */
} pattern_part;

typedef struct walk {
	int base_fd;     /* the folder that paths are looked up from */
	size_t base_len; /* of the path at hand, what leads to it */
	const ociw_limits *limits;
	const ociw_op *op;
	const ociwp_walk_ops *ops;
	void *user_data;
	ociw_error **err;
	pattern_part *parts;
	size_t part_count;
	bool folders_only;
	uint64_t steps;
	ociwp_buf path;
	char *entries; /* what the kernel says of a folder; used up before the next one is read */
} walk;

typedef struct child {
	char *name;
	unsigned char type;
} child;

typedef struct children {
	child *items;
	size_t count;
} children;

typedef enum kind { KIND_NONE, KIND_FILE, KIND_FOLDER, KIND_OTHER } kind;

static int fill(walk *w, size_t part, unsigned depth, unsigned links);

static const char *here(const walk *w)
{
	return w->path.len ? w->path.data : ".";
}

/* The same as seen from base_fd. */
static const char *from_base(const walk *w)
{
	return w->path.len > w->base_len ? w->path.data + w->base_len : ".";
}

static int skipped(walk *w, const char *why)
{
	return w->ops->skipped ? w->ops->skipped(w->user_data, here(w), why, w->err) : 0;
}

/* Adds a name to the path; the length before comes back in *before. */
static int push(walk *w, const char *name, size_t *before)
{
	*before = w->path.len;
	if (w->path.len)
		ociwp_buf_putc(&w->path, '/');
	ociwp_buf_puts(&w->path, name);
	if (ociwp_buf_check(&w->path, w->err) < 0)
		return OCIW_ERR_NOMEM;
	if (w->path.len > w->limits->max_path_bytes)
		return ociwp_fail(w->err, OCIW_ERR_LIMIT, "path %s is longer than %llu bytes",
		                  ociwp_quote(w->path.data),
		                  (unsigned long long)w->limits->max_path_bytes);
	return 0;
}

static void pop(walk *w, size_t before)
{
	w->path.len = before;
	if (w->path.data)
		w->path.data[before] = '\0';
}

/* Nothing is there, as far as anybody can tell. Other failures must not pass for that: an app would be
 * packed without a file of its own. */
static bool is_absent(int errnum)
{
	return errnum == ENOENT || errnum == ENOTDIR || errnum == ELOOP || errnum == ENAMETOOLONG;
}

static int absent_or_fail(walk *w, int errnum)
{
	return is_absent(errnum)
	               ? 0
	               : ociwp_fail_errno(w->err, errnum, "look at %s", ociwp_quote(here(w)));
}

/* What is at the path, links followed. The callback hears of each link that leads somewhere. */
static int look(walk *w, unsigned char type, unsigned *links, kind *out, struct stat *st)
{
	*out = KIND_NONE;
	bool link = type == DT_LNK;
	if (type == DT_DIR) { /* whose stat data nobody asks for */
		*out = KIND_FOLDER;
		return 0;
	}
	if (type == DT_UNKNOWN) {
		if (fstatat(w->base_fd, from_base(w), st, AT_SYMLINK_NOFOLLOW) != 0)
			return absent_or_fail(w, errno);
		link = S_ISLNK(st->st_mode);
	}
	if (link && ++*links > MAX_LINKS)
		return 0;
	if (fstatat(w->base_fd, from_base(w), st, 0) != 0)
		return link && is_absent(errno)
		               ? skipped(w, "is a symbolic link that leads nowhere")
		               : absent_or_fail(w, errno);
	*out = S_ISDIR(st->st_mode) ? KIND_FOLDER : S_ISREG(st->st_mode) ? KIND_FILE : KIND_OTHER;
	if (link && w->ops->link)
		return w->ops->link(w->user_data, here(w), *out == KIND_FOLDER, w->err);
	return 0;
}

static int found(walk *w, kind what, const struct stat *st)
{
	/* Folders match too, and are not files. */
	if (what != KIND_FILE || w->folders_only)
		return 0;
	return w->ops->file(w->user_data, w->path.data, st, w->err);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const child *)a)->name, ((const child *)b)->name);
}

static void children_free(children *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].name);
	free(list->items);
}

static int add_child(walk *w, children *list, const struct dirent64 *entry)
{
	if (ociwp_streq(entry->d_name, ".") || ociwp_streq(entry->d_name, ".."))
		return 0;
	size_t n = list->count;
	if (n >= w->limits->max_entries)
		return ociwp_fail(w->err, OCIW_ERR_LIMIT, "folder %s has more than %llu entries",
		                  ociwp_quote(here(w)), (unsigned long long)w->limits->max_entries);
	if ((n & (n - 1)) == 0) {
		child *grown = ociwp_realloc_array(list->items, n ? 2 * n : 1, sizeof(*grown));
		if (!grown)
			return ociwp_nomem(w->err);
		list->items = grown;
	}
	list->items[n] = (child){ociwp_strdup(entry->d_name), entry->d_type};
	if (!list->items[n].name)
		return ociwp_nomem(w->err);
	list->count++;
	return 0;
}

/* getdents64() and not readdir(), which makes four more calls and some memory for each folder: an app has
 * thousands, and packing it again when nothing changed is little else. */
static int read_folder(walk *w, int fd, children *list)
{
	if (!w->entries && !(w->entries = ociwp_malloc(ENTRIES_SIZE)))
		return ociwp_nomem(w->err);
	for (;;) {
		ssize_t len = getdents64(fd, w->entries, ENTRIES_SIZE);
		if (len <= 0)
			return len == 0 ? 0
			                : ociwp_fail_errno(w->err, errno, "folder %s",
			                                   ociwp_quote(here(w)));
		for (ssize_t at = 0; at < len;) {
			const struct dirent64 *entry = (const void *)(w->entries + at);
			int r = add_child(w, list, entry);
			if (r < 0)
				return r;
			at += entry->d_reclen;
		}
	}
}

/* With @p keep the folder stays open, for the caller to close. */
static int list_folder(walk *w, int *keep, children *list)
{
	int fd = openat(w->base_fd, from_base(w), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ociwp_fail_errno(w->err, errno, "folder %s", ociwp_quote(here(w)));
	int r = read_folder(w, fd, list);
	if (keep)
		*keep = fd;
	else
		close(fd);
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), by_name);
	return r;
}

/* A child of a listed folder against the pattern from @p part on. The path is that of the child. */
static int judge(walk *w, const char *name, kind what, const struct stat *st, size_t part,
                 unsigned depth, unsigned links)
{
	if (ociwp_glob_is_recursive(w->parts[part].glob)) {
		while (part + 1 < w->part_count && ociwp_glob_is_recursive(w->parts[part + 1].glob))
			part++;
		if (what == KIND_FOLDER) {
			int r = fill(w, part, depth + 1, links);
			if (r < 0)
				return r;
		}
		if (part + 1 == w->part_count)
			return 0; /* a folder at most */
		part++;
	}
	if (!ociwp_glob_match(w->parts[part].glob, name, strlen(name), false))
		return 0;
	if (part + 1 == w->part_count)
		return found(w, what, st);
	return what == KIND_FOLDER ? fill(w, part + 1, depth + 1, links) : 0;
}

static int visit_child(walk *w, const child *c, size_t part, unsigned depth, unsigned links)
{
	size_t before;
	struct stat st;
	kind what;
	int r = ociwp_check_cancel(w->op, w->err);
	if (r < 0 || (r = push(w, c->name, &before)) < 0)
		return r;
	uint64_t max = w->limits->max_entries;
	if (++w->steps / 8 > max)
		return ociwp_fail(w->err, OCIW_ERR_LIMIT, "more than %llu steps for one pattern",
		                  (unsigned long long)(8 * max));
	if (!ociwp_utf8_valid(c->name, strlen(c->name))) {
		r = skipped(w, "is no UTF-8 text");
	} else {
		r = look(w, c->type, &links, &what, &st);
		if (r == 0 && what != KIND_NONE)
			r = judge(w, c->name, what, &st, part, depth, links);
	}
	pop(w, before);
	return r;
}

/* A part without wildcards: looked up, not listed. */
static int visit_literal(walk *w, size_t part, unsigned depth, unsigned links)
{
	size_t before;
	struct stat st;
	kind what;
	int r = push(w, w->parts[part].literal, &before);
	if (r < 0)
		return r;
	r = look(w, DT_UNKNOWN, &links, &what, &st);
	if (r == 0 && what != KIND_NONE)
		r = part + 1 == w->part_count ? found(w, what, &st)
		    : what == KIND_FOLDER     ? fill(w, part + 1, depth + 1, links)
		                              : 0;
	pop(w, before);
	return r;
}

/* The path is a folder: what in it the pattern wants from @p part on. */
static int fill(walk *w, size_t part, unsigned depth, unsigned links)
{
	if (depth > w->limits->max_path_depth)
		return ociwp_fail(w->err, OCIW_ERR_LIMIT, "%s is nested deeper than %llu folders",
		                  ociwp_quote(here(w)),
		                  (unsigned long long)w->limits->max_path_depth);
	if (w->parts[part].literal)
		return visit_literal(w, part, depth, links);
	children list = {0};
	OCIWP_AUTO(fd) int fd = -1;
	int base_fd = w->base_fd;
	size_t base_len = w->base_len;
	int r = list_folder(w, depth < OPEN_FOLDERS ? &fd : NULL, &list);
	if (fd >= 0) {
		w->base_fd = fd;
		w->base_len = w->path.len ? w->path.len + 1 : 0;
	}
	for (size_t i = 0; r == 0 && i < list.count; i++)
		r = visit_child(w, &list.items[i], part, depth, links);
	w->base_fd = base_fd;
	w->base_len = base_len;
	children_free(&list);
	return r;
}

/* "" and "." stay where they are, except behind "**", where they match nothing. */
static bool is_empty_part(const walk *w, const char *text, size_t len)
{
	if (len > 1 || (len == 1 && *text != '.'))
		return false;
	return !w->part_count || !ociwp_glob_is_recursive(w->parts[w->part_count - 1].glob);
}

static int add_part(walk *w, const char *text, size_t len, const char **problem)
{
	if (is_empty_part(w, text, len))
		return 0;
	size_t position;
	pattern_part *part = &w->parts[w->part_count];
	int r = ociwp_glob_new(text, len, &part->glob, problem, &position);
	if (r < 0)
		return r == OCIW_ERR_NOMEM ? ociwp_nomem(w->err) : r;
	w->part_count++;
	if (ociwp_glob_is_literal(part->glob) && !(part->literal = ociwp_strndup(text, len)))
		return ociwp_nomem(w->err);
	return 0;
}

static int split(walk *w, const char *pattern, const char **problem)
{
	size_t slashes = 0, len = strlen(pattern);
	for (size_t i = 0; i < len; i++)
		slashes += pattern[i] == '/';
	w->folders_only = len && pattern[len - 1] == '/';
	w->parts = ociwp_calloc(slashes + 1, sizeof(*w->parts));
	if (!w->parts)
		return ociwp_nomem(w->err);
	int r = 0;
	for (const char *start = pattern; r == 0 && *start;) {
		size_t n = strcspn(start, "/");
		r = add_part(w, start, n, problem);
		start += n + (start[n] == '/');
	}
	return r;
}

static void release(walk *w)
{
	for (size_t i = 0; i < w->part_count; i++) {
		ociwp_glob_free(w->parts[i].glob);
		free(w->parts[i].literal);
	}
	free(w->parts);
	free(w->entries);
	ociwp_buf_deinit(&w->path);
}

int ociwp_walk(int root_fd, const char *pattern, const ociw_limits *limits, const ociw_op *op,
               const ociwp_walk_ops *ops, void *user_data, const char **problem, ociw_error **err)
{
	walk w = {.base_fd = root_fd,
	          .limits = limits,
	          .op = op,
	          .ops = ops,
	          .user_data = user_data,
	          .err = err,
	          .path = OCIWP_BUF_INIT};
	/* The whole must be a pattern, as well as each part. */
	ociwp_glob *whole = NULL;
	size_t position;
	*problem = NULL;
	int r = ociwp_glob_new(pattern, strlen(pattern), &whole, problem, &position);
	ociwp_glob_free(whole);
	if (r < 0)
		return r == OCIW_ERR_NOMEM ? ociwp_nomem(err) : r;
	r = split(&w, pattern, problem);
	if (r == 0) {
		*problem = NULL;
		r = w.part_count ? fill(&w, 0, 0, 0) : 0;
	}
	release(&w);
	return r;
}
