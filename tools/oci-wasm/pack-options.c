/* SPDX-License-Identifier: Apache-2.0
 *
 * From the options of pack and push to ociw_pack() and ociw_copy().
 */
#include "pack-options.h"
#include "compose.h"
#include "exit-status.h"
#include "fetch.h"

#include <stdlib.h>
#include <string.h>

int parse_formats(const struct command *command, const char *text,
			 ociw_format formats[PACK_FORMATS_MAX], size_t *count)
{
	*count = 0;
	while (text && *text) {
		char name[32];
		size_t len = strcspn(text, ",");
		if (*count == PACK_FORMATS_MAX || len >= sizeof(name))
			return tool_usage(command, "--format takes at most %d formats",
					  PACK_FORMATS_MAX);
		snprintf(name, sizeof(name), "%.*s", (int)len, text);
		formats[*count] = ociw_format_parse(name);
		if (formats[*count] == OCIW_FORMAT_UNKNOWN)
			return tool_usage(command,
					  "\"%s\" is no format; there are spin, spin-node, rootfs, "
					  "wasm",
					  name);
		++*count;
		text += len + (text[len] == ',');
	}
	return 0;
}

int parse_annotations(const struct command *command, const struct string_list *list,
			     ociw_annotation **out)
{
	*out = calloc(list->count + 1, sizeof(**out));
	if (!*out)
		return EXIT_OTHER;
	for (size_t i = 0; i < list->count; i++) {
		char *text = strdup(list->items[i]);
		char *equals = text ? strchr(text, '=') : NULL;
		if (!equals || equals == text) {
			free(text);
			return tool_usage(command, "--annotation takes KEY=VALUE, not \"%s\"",
					  list->items[i]);
		}
		*equals = '\0';
		(*out)[i] = (ociw_annotation){text, equals + 1};
	}
	return 0;
}

void free_annotations(ociw_annotation *annotations)
{
	for (size_t i = 0; annotations && annotations[i].key; i++)
		free((char *)annotations[i].key);
	free(annotations);
}

static int parse_created(const struct command *command, const char *option,
			 ociw_pack_options *options)
{
	const char *text = option ? option : getenv("SOURCE_DATE_EPOCH");
	char *end;

	if (!text || !*text)
		return 0;
	options->created = strtoll(text, &end, 10);
	if (*end || options->created < 0 || options->created > INT64_C(253402300799))
		return tool_usage(command, "%s is no number of seconds since 1970: \"%s\"",
				  option ? "--created" : "SOURCE_DATE_EPOCH", text);
	options->has_created = 1;
	return 0;
}

uint32_t pack_layers_of(const char *name)
{
	if (!name)
		/* Spin's own switch, for scripts that set it already (spin.md 3.1). */
		return getenv("SPIN_OCI_ARCHIVE_LAYERS") ? OCIW_LAYERS_ARCHIVES : OCIW_LAYERS_AUTO;
	if (strcmp(name, "files") == 0)
		return OCIW_LAYERS_FILES;
	if (strcmp(name, "bundles") == 0)
		return OCIW_LAYERS_BUNDLES;
	return strcmp(name, "archives") == 0 ? OCIW_LAYERS_ARCHIVES : OCIW_LAYERS_AUTO;
}

uint32_t pack_flags_of(const struct pack_arguments *args)
{
	uint32_t flags = 0;

	flags |= args->compat ? OCIW_PACK_COMPAT_SPIN : 0;
	flags |= args->no_entrypoint ? OCIW_PACK_NO_ENTRYPOINT : 0;
	flags |= args->allow_outside ? OCIW_PACK_ALLOW_OUTSIDE : 0;
	flags |= args->no_cache ? OCIW_PACK_NO_CACHE : 0;
	flags |= args->no_infer ? OCIW_PACK_NO_INFER : 0;
	flags |= args->quiet_traps ? OCIW_PACK_QUIET_TRAPS : 0;
	flags |= args->werror ? OCIW_PACK_WERROR : 0;
	return flags;
}

/* What --compose and --no-compose mean; 0 or a usage error. */
static int parse_compose(const struct command *command, const struct pack_arguments *args,
			 struct composer *composer, ociw_pack_options *options)
{
	bool none = args->compose && strcmp(args->compose, "none") == 0;

	if (args->no_compose && args->compose && !none)
		return tool_usage(command, "--no-compose and --compose=%s exclude each other",
				  args->compose);
	if (args->compose && !*args->compose)
		return tool_usage(command, "--compose needs a program, or \"none\"");
	if (args->compose_deny && (none || !args->compose))
		return tool_usage(command, "--compose-deny needs --compose=wac");
	options->compose_deny = args->compose_deny;
	if (args->no_compose || none) {
		options->compose = OCIW_COMPOSE_NONE;
	} else if (args->compose) {
		composer->program = args->compose;
		options->compose = OCIW_COMPOSE_CALLBACK;
		options->compose_cb = compose_component;
		options->compose_data = composer;
	}
	return 0;
}

/* $XDG_CACHE_HOME/oci-wasm or ~/.cache/oci-wasm; NULL without either. */
static char *default_cache_dir(void)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *path = NULL;

	if (cache && cache[0] == '/') {
		if (asprintf(&path, "%s/oci-wasm", cache) < 0)
			return NULL;
	} else if (home && home[0] == '/') {
		if (asprintf(&path, "%s/.cache/oci-wasm", home) < 0)
			return NULL;
	}
	return path;
}

/* What the file is packed as when nobody says. */
static ociw_format default_format(const char *file)
{
	size_t len = strlen(file);

	return len > 5 && strcmp(file + len - 5, ".wasm") == 0 ? OCIW_FORMAT_WASM
							       : OCIW_FORMAT_SPIN;
}

int pack_run(struct tool *tool, const struct command *command, const struct pack_arguments *args,
	     ociw_content *send_to, ociw_content **out, ociw_format formats[PACK_FORMATS_MAX], size_t *format_count)
{
	ociw_pack_options options = OCIW_PACK_OPTIONS_INIT;
	struct composer composer = {.tool = tool};
	ociw_annotation *annotations = NULL;
	ociw_error *err = NULL;
	char *cache_dir = NULL;

	*out = NULL;
	int status = parse_formats(command, args->format, formats, format_count);
	if (status == 0)
		status = parse_annotations(command, &args->annotations, &annotations);
	if (status == 0)
		status = parse_created(command, args->created, &options);
	if (status == 0)
		status = parse_compose(command, args, &composer, &options);
	if (status == 0) {
		if (!*format_count)
			formats[(*format_count)++] = default_format(args->file);
		if (!args->cache_dir && !args->no_cache)
			cache_dir = default_cache_dir();
		options.op = &tool->op;
		options.path = args->file;
		options.formats = formats;
		options.format_count = *format_count;
		options.annotations = annotations;
		options.annotation_count = args->annotations.count;
		options.annotation_file = args->annotation_file;
		options.profile = args->profile;
		options.platform = args->platform;
		options.cache_dir = args->cache_dir ? args->cache_dir : cache_dir;
		options.layers = pack_layers_of(args->layers);
		options.flags = pack_flags_of(args);
		options.fetch = fetch_source;
		options.fetch_data = tool;
		options.send_to = send_to;
		options.parallel = (uint32_t)(args->parallel > 64 ? 64 : args->parallel);
		options.max_content_layers =
			(uint32_t)(args->max_layers > UINT32_MAX ? UINT32_MAX : args->max_layers);
		if (ociw_pack(&options, out, &err) < 0)
			status = tool_fail(tool, err);
	}
	free_annotations(annotations);
	free(cache_dir);
	return status;
}

/* The tag of one of several images: the main one as given, the others with their own. */
static char *tag_of(const struct pack_arguments *args, ociw_format format, size_t i,
		    const char *main_tag)
{
	char *tag = NULL;
	int n;

	if (i == 0 || !main_tag)
		return main_tag ? strdup(main_tag) : NULL;
	if (format == OCIW_FORMAT_SPIN_NODE && args->node_tag)
		return strdup(args->node_tag);
	if (format == OCIW_FORMAT_SPIN_NODE)
		n = asprintf(&tag, "%s-node", main_tag);
	else
		n = asprintf(&tag, "%s-%s", main_tag, ociw_format_name(format));
	return n < 0 ? NULL : tag;
}

int pack_send_to(struct tool *tool, const struct command *command, ociw_content *packed,
		 const ociw_format *formats, size_t format_count, const struct pack_arguments *args,
		 const struct end *end, const char *destination, uint32_t parallel)
{
	ociw_copy_options options = OCIW_COPY_OPTIONS_INIT;
	int status = 0;

	if (!end->name && format_count > 1)
		return tool_usage(command, "several formats need a tag in the destination");
	options.op = &tool->op;
	options.parallel = parallel;
	options.flags = tool->dry_run ? OCIW_COPY_DRY_RUN : 0;
	for (size_t i = 0; i < format_count && status == 0; i++) {
		ociw_descriptor *desc = NULL;
		ociw_error *err = NULL;
		char *tag = tag_of(args, formats[i], i, end->name);
		if (ociw_copy(packed, ociw_format_name(formats[i]), end->content, tag, &options,
			      &desc, &err) < 0) {
			status = tool_fail(tool, err);
		} else {
			progress_clear(tool->progress);
			print_descriptor(tool, tag ? tag : destination, desc);
		}
		ociw_descriptor_free(desc);
		free(tag);
	}
	return status == 0 ? tool_finish(tool) : status;
}

int pack_send(struct tool *tool, const struct command *command, ociw_content *packed,
	      const ociw_format *formats, size_t format_count, const struct pack_arguments *args,
	      const char *destination, uint32_t parallel)
{
	struct end end;
	int status = end_open(tool, destination, END_WRITE, &end);

	if (status != 0)
		return status;
	status = pack_send_to(tool, command, packed, formats, format_count, args, &end, destination,
			      parallel);
	end_close(&end);
	return status;
}
