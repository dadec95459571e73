/* SPDX-License-Identifier: Apache-2.0
 *
 * oci-wasm-extract: local content to a directory, for shims and hooks that cannot link the library.
 * Small and quick to start: neither libcurl nor libstdc++. One call of the library does the work.
 */
#include "exit-status.h"
#include "extract-options.h"

#include <oci-wasm/oci-wasm.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAM "oci-wasm-extract"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct settings {
	struct extract_settings extract;
	const char *cache, *link;
	uint64_t max_age, max_size;
	bool gc, check, json, quiet, verbose, help, version;
};

#define MEMBER(name) offsetof(struct settings, name)

static const struct option_spec specs[] = {
	{"cache", 0, OPTION_STRING, MEMBER(cache), "DIR",
	 "extract once into this shared cache; without a destination print where", NULL},
	{"link", 0, OPTION_STRING, MEMBER(link), "HOW",
	 "how a destination gets its files from the cache (default: copy)",
	 "copy|reflink|hardlink"},
	{"check", 0, OPTION_FLAG, MEMBER(check), NULL,
	 "count names and bytes of a cached tree before it is trusted", NULL},
	{"gc", 0, OPTION_FLAG, MEMBER(gc), NULL,
	 "remove old trees from the cache; takes no operands", NULL},
	{"max-age", 0, OPTION_NUMBER, MEMBER(max_age), "SECONDS",
	 "with --gc: remove what was not used for longer", NULL},
	{"max-size", 0, OPTION_NUMBER, MEMBER(max_size), "N",
	 "with --gc: keep at most so many bytes, the last used ones", NULL},
	{"json", 0, OPTION_FLAG, MEMBER(json), NULL, "print the result as JSON", NULL},
	{"quiet", 'q', OPTION_FLAG, MEMBER(quiet), NULL, "no warnings", NULL},
	{"verbose", 'v', OPTION_FLAG, MEMBER(verbose), NULL, "say what is done, a line each", NULL},
	{"version", 0, OPTION_FLAG, MEMBER(version), NULL, "show the version", NULL},
	{"help", 'h', OPTION_FLAG, MEMBER(help), NULL, "show this help", NULL},
};

/* Set before handlers are installed, never changed after: all that a handler touches. */
static ociw_cancel *cancel_flag;
static volatile sig_atomic_t signal_seen;

static void on_signal(int number)
{
	signal_seen = number;
	ociw_cancel_trigger(cancel_flag);
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	/* So that a file over the limit is EFBIG with a message and not a death (D10). */
	sigaction(SIGXFSZ, &ignore, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

static int status_of(ociw_code code)
{
	if (signal_seen)
		return signal_seen == SIGINT ? EXIT_SIGINT : EXIT_SIGTERM;
	return exit_status_of(code);
}

static int fail(ociw_error *take_err)
{
	int status = status_of(ociw_error_code(take_err));

	fprintf(stderr, PROGRAM ": %s\n", ociw_error_message(take_err));
	ociw_error_free(take_err);
	return status;
}

static int usage(const char *text)
{
	fprintf(stderr,
		PROGRAM ": %s\nusage: " PROGRAM " [OPTION]... SOURCE DESTINATION\n       " PROGRAM
			" [OPTION]... --cache DIR SOURCE [DESTINATION]\nsee:   " PROGRAM
			" --help\n",
		text);
	return EXIT_USAGE;
}

static void print_help(const struct option_table tables[2])
{
	printf("usage: " PROGRAM " [OPTION]... SOURCE DESTINATION\n"
	       "       " PROGRAM " [OPTION]... --cache DIR SOURCE [DESTINATION]\n"
	       "       " PROGRAM " --cache DIR --gc [OPTION]...\n\n");
	print_wrapped(stdout,
		      "Unpacks a local image into DESTINATION, which must not exist or be an empty "
		      "directory. Everything is verified before one rename makes it visible: a "
		      "failure leaves nothing. Prints the digest of the image.",
		      0);
	printf("\nSources:\n"
	       "  oci:DIR[:NAME]           an OCI layout directory\n"
	       "  oci-archive:FILE[:NAME]  an OCI layout or image archive\n"
	       "  containerd:ROOT@DIGEST   the content store of a containerd, whose root is\n"
	       "                           commonly /var/lib/containerd\n"
	       "  -                        an archive on standard input\n"
	       "\nOptions:\n");
	options_print_help(stdout, &tables[0]);
	printf("\nThe cache, and what is printed:\n");
	options_print_help(stdout, &tables[1]);
	printf("\nExit statuses: 0 done, 2 usage, 3 not found, 6 damaged (digest, size or\n"
	       "stream), 7 not a suitable image, 8 over a limit, 9 refused as unsafe,\n"
	       "10 destination exists or is busy, 130 and 143 interrupted, 1 anything else\n");
}

static int on_event(const ociw_event *event, void *user_data)
{
	const struct settings *settings = user_data;

	switch (event->kind) {
	case OCIW_EVENT_WARNING:
		if (!settings->quiet)
			fprintf(stderr, PROGRAM ": warning: %s\n", event->message);
		break;
	case OCIW_EVENT_NOTE:
		if (settings->verbose)
			fprintf(stderr, PROGRAM ": %s\n", event->message);
		break;
	case OCIW_EVENT_BLOB_DONE:
		if (settings->verbose)
			fprintf(stderr, PROGRAM ": layer %s\n", event->digest);
		break;
	case OCIW_EVENT_BLOB_BEGIN:
	case OCIW_EVENT_BLOB_PROGRESS:
	case OCIW_EVENT_BLOB_SKIPPED:
	case OCIW_EVENT_RETRY:
	case OCIW_EVENT_FILES:
	case OCIW_EVENT_WOULD_SEND:
		break;
	}
	return 0;
}

/* --- sources -------------------------------------------------------------------------------- */

struct source {
	ociw_target *target;
	ociw_content *content;
	char *name; /* inside the content, or NULL */
	char *root; /* of a containerd, or NULL */
	int spool;  /* of standard input, or -1 */
};

static void source_close(struct source *source)
{
	ociw_content_free(source->content);
	ociw_target_free(source->target);
	free(source->name);
	free(source->root);
	if (source->spool >= 0)
		close(source->spool);
}

/* All of standard input in a file without a name: an archive is read in its own order. */
static int spool_stdin(int *out)
{
	const char *dir = getenv("TMPDIR");
	char path[4096], buf[1 << 16];
	ssize_t n;

	int fd = open(dir && *dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 && (size_t)snprintf(path, sizeof(path), "%s/" PROGRAM "-XXXXXX",
				       dir && *dir ? dir : "/tmp") < sizeof(path)) {
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			unlink(path);
	}
	while (fd >= 0 && (n = read(STDIN_FILENO, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR && !signal_seen)
			continue;
		for (ssize_t at = 0; n > 0 && at < n;) {
			ssize_t w = write(fd, buf + at, (size_t)(n - at));
			if (w < 0 && errno != EINTR)
				n = -1;
			at += w > 0 ? w : 0;
		}
		if (n < 0) {
			close(fd);
			return -1;
		}
	}
	*out = fd;
	return fd < 0 ? -1 : 0;
}

static int open_stdin(struct source *source, const ociw_op *op, ociw_error **err)
{
	if (spool_stdin(&source->spool) < 0) {
		fprintf(stderr, PROGRAM ": standard input: %s\n",
			signal_seen ? "interrupted" : strerror(errno));
		return OCIW_ERR_IO;
	}
	/* A name that messages may have in them. */
	if (dup2(source->spool, STDIN_FILENO) < 0)
		return ociw_error_set(err, OCIW_ERR_IO, "standard input: %s", strerror(errno));
	return ociw_archive_open("/dev/stdin", op, &source->content, err);
}

/* "ROOT@DIGEST" of a containerd: source, cut in two; names are in a database that is not read. */
static int open_target(struct source *source, const ociw_op *op, ociw_error **err)
{
	switch (ociw_target_get_kind(source->target)) {
	case OCIW_TARGET_LAYOUT:
		return ociw_layout_open(ociw_target_path(source->target), OCIW_LAYOUT_READ,
					&source->content, err);
	case OCIW_TARGET_ARCHIVE:
		return ociw_archive_open(ociw_target_path(source->target), op, &source->content,
					 err);
	case OCIW_TARGET_REGISTRY:
	case OCIW_TARGET_CONTAINERD:
	case OCIW_TARGET_STORE:
		break;
	}
	fprintf(stderr, PROGRAM ": only local sources: oci:, oci-archive:, containerd:, -\n");
	return OCIW_ERR_UNSUPPORTED;
}

/* What a source is named, without a look at it; 0 or EXIT_USAGE. */
static int parse_source(const char *text, struct source *source)
{
	static const char containerd[] = "containerd:";
	ociw_error *err = NULL;

	source->spool = -1;
	if (strcmp(text, "-") == 0)
		return 0;
	if (strncmp(text, containerd, strlen(containerd)) == 0) {
		const char *root = text + strlen(containerd), *at = strrchr(root, '@');
		if (!at || at == root || !ociw_digest_is_valid(at + 1))
			return usage("a containerd source is containerd:ROOT@DIGEST");
		source->root = strndup(root, (size_t)(at - root));
		source->name = strdup(at + 1);
		return source->root && source->name ? 0 : EXIT_OTHER;
	}
	if (ociw_target_parse(text, &source->target, &err) < 0) {
		fail(err);
		return EXIT_USAGE;
	}
	const char *name = ociw_target_name(source->target);
	source->name = name ? strdup(name) : NULL;
	return 0;
}

/* 0, or an exit status of a failure that has been told.
 * NOLINTBEGIN(clang-analyzer-unix.Malloc): what parse_source allocated goes in source_close, which the
 * analyzer loses sight of. */
static int open_source(const ociw_op *op, struct source *source)
{
	ociw_error *err = NULL;
	int r;

	if (source->root)
		r = ociw_containerd_store_open(source->root, &source->content, &err);
	else if (source->target)
		r = open_target(source, op, &err);
	else
		r = open_stdin(source, op, &err);
	if (r >= 0)
		return 0;
	return err ? fail(err) : status_of((ociw_code)r);
}
/* NOLINTEND(clang-analyzer-unix.Malloc) */

/* --- the run -------------------------------------------------------------------------------- */

struct run {
	const struct settings *settings;
	ociw_op op;
	ociw_limits limits;
	ociw_extract_options options;
	ociw_platform *platform;
	struct source source;
};

static int finish_output(void)
{
	if (fflush(stdout) == 0)
		return EXIT_OK;
	fprintf(stderr, PROGRAM ": standard output: %s\n", strerror(errno));
	return EXIT_OTHER;
}

static int extract(struct run *run, const char *to)
{
	ociw_extract_result *result = NULL;
	ociw_error *err = NULL;

	int status = open_source(&run->op, &run->source);
	if (status != 0)
		return status;
	if (ociw_extract(run->source.content, run->source.name, to, &run->options, &result, &err) <
	    0)
		return fail(err);
	printf("%s\n", run->settings->json ? ociw_extract_result_json(result)
					   : ociw_extract_result_digest(result));
	ociw_extract_result_free(result);
	return finish_output();
}

/* A hit by digest opens nothing but the cache. */
static int lease(struct run *run, ociw_cache *cache, ociw_lease **out)
{
	unsigned flags = run->settings->check ? OCIW_CACHE_CHECK_TREE : 0;
	const char *name = run->source.name;
	ociw_error *err = NULL;

	if (name && ociw_digest_is_valid(name) &&
	    ociw_cache_find(cache, name, &run->options, flags, out, NULL) == 0)
		return 0;
	int status = open_source(&run->op, &run->source);
	if (status != 0)
		return status;
	if (ociw_cache_get(cache, run->source.content, name, &run->options, flags, out, &err) < 0)
		return fail(err);
	return 0;
}

static int use_cache(struct run *run, const char *to)
{
	const char *how = run->settings->link;
	ociw_cache *cache = NULL;
	ociw_lease *held = NULL;
	ociw_error *err = NULL;

	if (ociw_cache_open(run->settings->cache, &cache, &err) < 0)
		return fail(err);
	int status = lease(run, cache, &held);
	if (status == 0 && to) {
		ociw_materialise way = !how || *how == 'c' ? OCIW_MATERIALISE_COPY
				       : *how == 'r'       ? OCIW_MATERIALISE_REFLINK
							   : OCIW_MATERIALISE_HARDLINK;
		if (ociw_lease_materialise(held, to, way, &run->op, &err) < 0)
			status = fail(err);
	}
	if (status == 0) {
		printf("%s\n", run->settings->json || to ? ociw_lease_json(held)
							 : ociw_lease_path(held));
		status = finish_output();
	}
	ociw_lease_release(held);
	ociw_cache_free(cache);
	return status;
}

static int collect_garbage(const struct run *run)
{
	ociw_cache_gc_options options = OCIW_CACHE_GC_OPTIONS_INIT;
	ociw_cache_gc_result result = {.size = sizeof(result)};
	ociw_cache *cache = NULL;
	ociw_error *err = NULL;

	options.op = &run->op;
	options.max_age_seconds = run->settings->max_age;
	options.max_bytes = run->settings->max_size;
	int r = ociw_cache_open(run->settings->cache, &cache, &err);
	if (r >= 0)
		r = ociw_cache_gc(cache, &options, &result, &err);
	ociw_cache_free(cache);
	if (r < 0)
		return fail(err);
	printf("{\"kept\":%llu,\"keptBytes\":%llu,\"leased\":%llu,\"removed\":%llu,"
	       "\"removedBytes\":%llu}\n",
	       (unsigned long long)result.kept, (unsigned long long)result.kept_bytes,
	       (unsigned long long)result.leased, (unsigned long long)result.removed,
	       (unsigned long long)result.removed_bytes);
	return finish_output();
}

static void run_init(struct run *run, const struct settings *s)
{
	*run = (struct run){.settings = s,
			    .op = OCIW_OP_INIT,
			    .limits = OCIW_LIMITS_INIT,
			    .options = OCIW_EXTRACT_OPTIONS_INIT};
	run->source.spool = -1;
	extract_options_apply(&s->extract, &run->options, &run->limits);
	run->op.limits = &run->limits;
	run->op.event = on_event;
	run->op.user_data = (void *)s;
	run->op.cancel = cancel_flag;
	run->options.op = &run->op;
}

static int work(const struct settings *s, int operands, char **argv)
{
	struct run run;
	ociw_error *err = NULL;

	run_init(&run, s);
	if (s->gc)
		return s->cache && operands == 0
			       ? collect_garbage(&run)
			       : usage("--gc needs --cache, and takes no operands");
	if (operands != 2 && !(s->cache && operands == 1))
		return usage("needs a source and a destination directory");
	const char *platform = s->extract.platform;
	if (platform && ociw_platform_parse(platform, &run.platform, &err) < 0) {
		fail(err);
		return EXIT_USAGE;
	}
	run.options.platform = run.platform;
	int status = parse_source(argv[0], &run.source);
	if (status == 0)
		status = s->cache ? use_cache(&run, operands == 2 ? argv[1] : NULL)
				  : extract(&run, argv[1]);
	source_close(&run.source);
	ociw_platform_free(run.platform);
	return status;
}

int main(int argc, char **argv)
{
	struct settings settings = {0};
	const struct option_table tables[2] = {
		{extract_option_specs, EXTRACT_OPTION_COUNT, &settings.extract},
		{specs, COUNT(specs), &settings},
	};
	char *message = NULL;

	int operands = options_parse(tables, COUNT(tables), argc - 1, argv + 1, &message);
	if (operands < 0) {
		int status = usage(message ? message : "bad options");
		free(message);
		string_list_free(&settings.extract.components);
		return status;
	}
	int status = EXIT_OK;
	if (settings.help) {
		print_help(tables);
	} else if (settings.version) {
		printf(PROGRAM " %s\n", ociw_version());
	} else {
		cancel_flag = ociw_cancel_new();
		if (!cancel_flag) {
			fprintf(stderr, PROGRAM ": out of memory\n");
			return EXIT_OTHER;
		}
		catch_signals();
		umask(077);
		status = work(&settings, operands, argv + 1);
		ociw_cancel_free(cancel_flag);
	}
	string_list_free(&settings.extract.components);
	return status;
}
