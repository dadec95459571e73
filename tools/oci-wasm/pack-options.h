/* SPDX-License-Identifier: Apache-2.0
 *
 * Options that pack and push share, and what they become for ociw_pack().
 */
#ifndef OCI_WASM_PACK_OPTIONS_H
#define OCI_WASM_PACK_OPTIONS_H

#include "tool.h"

#define PACK_FORMATS_MAX 4

struct pack_arguments {
	const char *file;
	const char *format;
	struct string_list annotations;
	const char *annotation_file;
	const char *profile;
	const char *platform;
	const char *layers;
	const char *compose;
	const char *compose_deny;
	const char *compat;
	const char *created;
	const char *node_tag;
	const char *cache_dir;
	bool no_compose;
	bool no_cache;
	bool no_entrypoint;
	bool no_infer;
	bool allow_outside;
	bool quiet_traps;
	bool werror;
	uint64_t parallel;
	uint64_t max_layers;
};

/* Rows of an option table whose target struct has the arguments as member MEMBER. */
#define PACK_OPTION_SPECS(type, member)                                                              \
	{"file", 'f', OPTION_STRING, offsetof(type, member.file), "FILE",                            \
	 "spin.toml, a folder that has one, or a .wasm file", NULL},                                 \
	{"format", 0, OPTION_STRING, offsetof(type, member.format), "FORMAT",                        \
	 "image format: spin, spin-node, rootfs, wasm; several with commas (default: by the file)",  \
	 NULL},                                                                                      \
	{"layers", 0, OPTION_STRING, offsetof(type, member.layers), "HOW",                           \
	 "how static files travel (default: files, bundles when there are too many)",                \
	 "auto|files|bundles|archives"},                                                             \
	{"node-tag", 0, OPTION_STRING, offsetof(type, member.node_tag), "TAG",                       \
	 "tag of the spin-node image beside a spin one (default: TAG-node)", NULL},                  \
	{"annotation", 'a', OPTION_LIST, offsetof(type, member.annotations), "KEY=VALUE",            \
	 "annotate the manifest", NULL},                                                             \
	{"annotation-file", 0, OPTION_STRING, offsetof(type, member.annotation_file), "FILE",        \
	 "annotations as JSON, as oras takes them", NULL},                                           \
	{"profile", 0, OPTION_STRING, offsetof(type, member.profile), "NAME",                        \
	 "build profile of the Spin manifest", NULL},                                                \
	{"platform", 0, OPTION_STRING, offsetof(type, member.platform), "OS/ARCH",                   \
	 "platform of a rootfs image (default: linux/amd64)", NULL},                                 \
	{"compose", 0, OPTION_STRING, offsetof(type, member.compose), "HOW",                         \
	 "compose component dependencies with this program, or \"none\"", NULL},                     \
	{"compose-deny", 0, OPTION_STRING, offsetof(type, member.compose_deny), "FILE",              \
	 "adapter that denies the host to dependencies that inherit nothing", NULL},                 \
	{"no-compose", 0, OPTION_FLAG, offsetof(type, member.no_compose), NULL,                      \
	 "pack component dependencies as layers of their own", NULL},                                \
	{"compat", 0, OPTION_STRING, offsetof(type, member.compat), "TOOL",                          \
	 "write exactly what this tool writes, with its quirks", "spin"},                            \
	{"created", 0, OPTION_STRING, offsetof(type, member.created), "SECONDS",                     \
	 "creation time, in seconds since 1970 (default: SOURCE_DATE_EPOCH, else none)", NULL},      \
	{"no-entrypoint", 0, OPTION_FLAG, offsetof(type, member.no_entrypoint), NULL,                \
	 "leave the Entrypoint [\"/\"] out of the config", NULL},                                    \
	{"no-infer", 0, OPTION_FLAG, offsetof(type, member.no_infer), NULL,                          \
	 "no annotations from the app's name, version and so on", NULL},                             \
	{"allow-outside", 0, OPTION_FLAG, offsetof(type, member.allow_outside), NULL,                \
	 "let files and symlinks lead out of the app's folder", NULL},                               \
	{"quiet-traps", 0, OPTION_FLAG, offsetof(type, member.quiet_traps), NULL,                    \
	 "no warnings about file patterns that often surprise", NULL},                               \
	{"werror", 0, OPTION_FLAG, offsetof(type, member.werror), NULL,                              \
	 "treat warnings about the manifest as errors", NULL},                                       \
	{"cache-dir", 0, OPTION_STRING, offsetof(type, member.cache_dir), "DIR",                     \
	 "pack cache (default: $XDG_CACHE_HOME/oci-wasm)", NULL},                                    \
	{"no-cache", 0, OPTION_FLAG, offsetof(type, member.no_cache), NULL,                          \
	 "neither read nor write the pack cache", NULL},                                             \
	{"max-layers", 0, OPTION_NUMBER, offsetof(type, member.max_layers), "N",                     \
	 "most content layers of a spin image before bundles (default: 499)", NULL},                 \
	{"jobs", 'j', OPTION_NUMBER, offsetof(type, member.parallel), "N",                           \
	 "threads (default: one a core)", NULL}

/* Splits "spin,spin-node"; 0 or a usage error. */
int parse_formats(const struct command *command, const char *text,
		  ociw_format formats[PACK_FORMATS_MAX], size_t *count);
/* Values of enum ociw_pack_layers and enum ociw_pack_flags. */
uint32_t pack_layers_of(const char *name);
uint32_t pack_flags_of(const struct pack_arguments *args);

/* Packs; blobs go to @p send_to (may be NULL) early where that pays. 0 and *out, or an exit status that has been told. *format_count and formats say what is in
 * it, the first being the main one. */
int pack_run(struct tool *tool, const struct command *command, const struct pack_arguments *args,
	     ociw_content *send_to, ociw_content **out, ociw_format formats[PACK_FORMATS_MAX], size_t *format_count);
/* Sends what was packed to an end: each image under its tag; prints the digests. */
int pack_send(struct tool *tool, const struct command *command, ociw_content *packed,
	      const ociw_format *formats, size_t format_count, const struct pack_arguments *args,
	      const char *destination, uint32_t parallel);
/* The same to an end that is open; @p destination is what it was called. */
int pack_send_to(struct tool *tool, const struct command *command, ociw_content *packed,
		 const ociw_format *formats, size_t format_count, const struct pack_arguments *args,
		 const struct end *end, const char *destination, uint32_t parallel);

#endif
