/* SPDX-License-Identifier: Apache-2.0
 *
 * The layout of every open struct of the installed headers, as programs were compiled with it: sizes of
 * each release, places of members. A member that moved or a struct that shrank breaks them; a struct
 * that grew gets a row of its own release (design: append only, zero is what it was before).
 * Numbers are those of 64-bit targets.
 */
#include "base/alloc.h"
#include "base/op.h"

#include <criterion/criterion.h>
#include <oci-wasm/oci-wasm.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if UINTPTR_MAX == UINT64_MAX

/* --- sizes -------------------------------------------------------------------------------- */

typedef struct size_row {
	const char *release, *name;
	size_t then, now;
	bool stamped; /* has its size in it; else it is frozen for ever */
} size_row;

#define SIZE(release, type, then) {release, #type, then, sizeof(type), true}
#define VALUE(release, type, then) {release, #type, then, sizeof(type), false}

/* Rows are only added. The last one of a struct is today's size. */
static const size_row sizes[] = {
	VALUE("0.1", ociw_attach_file, 16),
	SIZE("0.1", ociw_attach_options, 56),
	SIZE("0.1", ociw_cache_gc_options, 40),
	SIZE("0.1", ociw_cache_gc_result, 48),
	SIZE("0.1", ociw_convert_options, 72),
	SIZE("0.1", ociw_copy_options, 32),
	VALUE("0.1", ociw_digest, 72),
	VALUE("0.1", ociw_span, 16),
	SIZE("0.1", ociw_extract_options, 56),
	SIZE("0.1", ociw_inspect_options, 24),
	SIZE("0.1", ociw_reader_ops, 24),
	SIZE("0.1", ociw_writer_ops, 32),
	SIZE("0.1", ociw_limits, 128),
	SIZE("0.1", ociw_event, 56),
	SIZE("0.1", ociw_op, 40),
	VALUE("0.1", ociw_annotation, 16),
	VALUE("0.1", ociw_compose_part, 16),
	SIZE("0.1", ociw_composition, 56),
	SIZE("0.1", ociw_pack_options, 176),
	SIZE("0.1", ociw_package_settings, 48),
	SIZE("0.1", ociw_credential, 48),
	SIZE("0.1", ociw_tags_options, 32),
	SIZE("0.1", ociw_spin_options, 32),
	SIZE("0.1", ociw_spin_finding, 56),
	SIZE("0.1", ociw_finding, 40),
	SIZE("0.1", ociw_gc_options, 24),
};

Test(abi, the_last_row_of_each_struct_is_its_size_and_none_was_larger)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(sizes); i++) {
		bool last = true;
		for (size_t j = i + 1; j < OCIWP_ARRAY_LEN(sizes); j++)
			last = last && strcmp(sizes[i].name, sizes[j].name) != 0;
		cr_expect_leq(sizes[i].then, sizes[i].now, "%s was larger in %s", sizes[i].name,
			      sizes[i].release);
		cr_expect(!last || sizes[i].then == sizes[i].now,
			  "%s has %zu bytes now: add a row for the coming release", sizes[i].name,
			  sizes[i].now);
	}
}

/* --- members ------------------------------------------------------------------------------ */

typedef struct member_row {
	const char *name;
	size_t then, now;
} member_row;

#define MEMBER(type, member, then) {#type "." #member, then, offsetof(type, member)}

static const member_row members[] = {
	MEMBER(ociw_attach_file, path, 0),
	MEMBER(ociw_attach_file, media_type, 8),
	MEMBER(ociw_attach_options, size, 0),
	MEMBER(ociw_attach_options, op, 8),
	MEMBER(ociw_attach_options, artifact_type, 16),
	MEMBER(ociw_attach_options, files, 24),
	MEMBER(ociw_attach_options, file_count, 32),
	MEMBER(ociw_attach_options, annotations, 40),
	MEMBER(ociw_attach_options, annotation_count, 48),
	MEMBER(ociw_cache_gc_options, size, 0),
	MEMBER(ociw_cache_gc_options, op, 8),
	MEMBER(ociw_cache_gc_options, max_age_seconds, 16),
	MEMBER(ociw_cache_gc_options, max_bytes, 24),
	MEMBER(ociw_cache_gc_options, dry_run, 32),
	MEMBER(ociw_cache_gc_result, size, 0),
	MEMBER(ociw_cache_gc_result, kept, 8),
	MEMBER(ociw_cache_gc_result, kept_bytes, 16),
	MEMBER(ociw_cache_gc_result, removed, 24),
	MEMBER(ociw_cache_gc_result, removed_bytes, 32),
	MEMBER(ociw_cache_gc_result, leased, 40),
	MEMBER(ociw_convert_options, size, 0),
	MEMBER(ociw_convert_options, op, 8),
	MEMBER(ociw_convert_options, platform, 16),
	MEMBER(ociw_convert_options, formats, 24),
	MEMBER(ociw_convert_options, format_count, 32),
	MEMBER(ociw_convert_options, rootfs_platform, 40),
	MEMBER(ociw_convert_options, temp_dir, 48),
	MEMBER(ociw_convert_options, layers, 56),
	MEMBER(ociw_convert_options, flags, 60),
	MEMBER(ociw_convert_options, parallel, 64),
	MEMBER(ociw_convert_options, max_content_layers, 68),
	MEMBER(ociw_copy_options, size, 0),
	MEMBER(ociw_copy_options, op, 8),
	MEMBER(ociw_copy_options, platform, 16),
	MEMBER(ociw_copy_options, parallel, 24),
	MEMBER(ociw_copy_options, flags, 28),
	MEMBER(ociw_digest, algorithm, 0),
	MEMBER(ociw_digest, len, 4),
	MEMBER(ociw_digest, bytes, 8),
	MEMBER(ociw_span, data, 0),
	MEMBER(ociw_span, len, 8),
	MEMBER(ociw_extract_options, size, 0),
	MEMBER(ociw_extract_options, op, 8),
	MEMBER(ociw_extract_options, platform, 16),
	MEMBER(ociw_extract_options, mode, 24),
	MEMBER(ociw_extract_options, flags, 28),
	MEMBER(ociw_extract_options, components, 32),
	MEMBER(ociw_extract_options, component_count, 40),
	MEMBER(ociw_extract_options, file_url_root, 48),
	MEMBER(ociw_inspect_options, size, 0),
	MEMBER(ociw_inspect_options, op, 8),
	MEMBER(ociw_inspect_options, platform, 16),
	MEMBER(ociw_reader_ops, size, 0),
	MEMBER(ociw_reader_ops, read, 8),
	MEMBER(ociw_reader_ops, close, 16),
	MEMBER(ociw_writer_ops, size, 0),
	MEMBER(ociw_writer_ops, write, 8),
	MEMBER(ociw_writer_ops, commit, 16),
	MEMBER(ociw_writer_ops, abort, 24),
	MEMBER(ociw_limits, size, 0),
	MEMBER(ociw_limits, max_manifest_bytes, 8),
	MEMBER(ociw_limits, max_lock_bytes, 16),
	MEMBER(ociw_limits, max_json_depth, 24),
	MEMBER(ociw_limits, max_layers, 32),
	MEMBER(ociw_limits, max_blob_bytes, 40),
	MEMBER(ociw_limits, max_unpacked_bytes, 48),
	MEMBER(ociw_limits, max_entries, 56),
	MEMBER(ociw_limits, max_ratio, 64),
	MEMBER(ociw_limits, max_path_bytes, 72),
	MEMBER(ociw_limits, max_path_depth, 80),
	MEMBER(ociw_limits, max_zstd_window, 88),
	MEMBER(ociw_limits, max_index_depth, 96),
	MEMBER(ociw_limits, max_redirects, 104),
	MEMBER(ociw_limits, max_tries, 112),
	MEMBER(ociw_limits, retry_budget_ms, 120),
	MEMBER(ociw_event, size, 0),
	MEMBER(ociw_event, kind, 8),
	MEMBER(ociw_event, digest, 16),
	MEMBER(ociw_event, media_type, 24),
	MEMBER(ociw_event, message, 32),
	MEMBER(ociw_event, done, 40),
	MEMBER(ociw_event, total, 48),
	MEMBER(ociw_op, size, 0),
	MEMBER(ociw_op, limits, 8),
	MEMBER(ociw_op, event, 16),
	MEMBER(ociw_op, user_data, 24),
	MEMBER(ociw_op, cancel, 32),
	MEMBER(ociw_annotation, key, 0),
	MEMBER(ociw_annotation, value, 8),
	MEMBER(ociw_compose_part, package, 0),
	MEMBER(ociw_compose_part, path, 8),
	MEMBER(ociw_composition, size, 0),
	MEMBER(ociw_composition, component_id, 8),
	MEMBER(ociw_composition, parts, 16),
	MEMBER(ociw_composition, part_count, 24),
	MEMBER(ociw_composition, script, 32),
	MEMBER(ociw_composition, script_path, 40),
	MEMBER(ociw_composition, out_path, 48),
	MEMBER(ociw_pack_options, size, 0),
	MEMBER(ociw_pack_options, op, 8),
	MEMBER(ociw_pack_options, path, 16),
	MEMBER(ociw_pack_options, formats, 24),
	MEMBER(ociw_pack_options, format_count, 32),
	MEMBER(ociw_pack_options, annotations, 40),
	MEMBER(ociw_pack_options, annotation_count, 48),
	MEMBER(ociw_pack_options, annotation_file, 56),
	MEMBER(ociw_pack_options, profile, 64),
	MEMBER(ociw_pack_options, platform, 72),
	MEMBER(ociw_pack_options, cache_dir, 80),
	MEMBER(ociw_pack_options, temp_dir, 88),
	MEMBER(ociw_pack_options, layers, 96),
	MEMBER(ociw_pack_options, compose, 100),
	MEMBER(ociw_pack_options, flags, 104),
	MEMBER(ociw_pack_options, parallel, 108),
	MEMBER(ociw_pack_options, created, 112),
	MEMBER(ociw_pack_options, has_created, 120),
	MEMBER(ociw_pack_options, max_content_layers, 124),
	MEMBER(ociw_pack_options, fetch, 128),
	MEMBER(ociw_pack_options, fetch_data, 136),
	MEMBER(ociw_pack_options, compose_cb, 144),
	MEMBER(ociw_pack_options, compose_data, 152),
	MEMBER(ociw_pack_options, compose_deny, 160),
	MEMBER(ociw_pack_options, send_to, 168),
	MEMBER(ociw_package_settings, size, 0),
	MEMBER(ociw_package_settings, protocol, 8),
	MEMBER(ociw_package_settings, username, 16),
	MEMBER(ociw_package_settings, password, 24),
	MEMBER(ociw_package_settings, certificates, 32),
	MEMBER(ociw_package_settings, accept_invalid_certificates, 40),
	MEMBER(ociw_credential, size, 0),
	MEMBER(ociw_credential, username, 8),
	MEMBER(ociw_credential, password, 16),
	MEMBER(ociw_credential, identity_token, 24),
	MEMBER(ociw_credential, registry_token, 32),
	MEMBER(ociw_credential, source, 40),
	MEMBER(ociw_tags_options, size, 0),
	MEMBER(ociw_tags_options, op, 8),
	MEMBER(ociw_tags_options, last, 16),
	MEMBER(ociw_tags_options, page_size, 24),
	MEMBER(ociw_tags_options, hide_digest_tags, 28),
	MEMBER(ociw_spin_options, size, 0),
	MEMBER(ociw_spin_options, op, 8),
	MEMBER(ociw_spin_options, profile, 16),
	MEMBER(ociw_spin_options, flags, 24),
	MEMBER(ociw_spin_finding, size, 0),
	MEMBER(ociw_spin_finding, severity, 8),
	MEMBER(ociw_spin_finding, line, 12),
	MEMBER(ociw_spin_finding, column, 16),
	MEMBER(ociw_spin_finding, file, 24),
	MEMBER(ociw_spin_finding, component, 32),
	MEMBER(ociw_spin_finding, rule, 40),
	MEMBER(ociw_spin_finding, message, 48),
	MEMBER(ociw_finding, size, 0),
	MEMBER(ociw_finding, kind, 8),
	MEMBER(ociw_finding, digest, 16),
	MEMBER(ociw_finding, message, 24),
	MEMBER(ociw_finding, bytes, 32),
	MEMBER(ociw_gc_options, size, 0),
	MEMBER(ociw_gc_options, op, 8),
	MEMBER(ociw_gc_options, flags, 16),
	MEMBER(ociw_gc_options, min_age_seconds, 20),
};

Test(abi, no_member_moves)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(members); i++)
		cr_expect_eq(members[i].now, members[i].then, "%s is at %zu, not %zu",
			     members[i].name, members[i].now, members[i].then);
}

/* --- initializers ------------------------------------------------------------------------- */

/* The size, and nothing else that is not zero. */
static void expect_default(const char *name, const void *options, size_t size)
{
	const unsigned char *bytes = options;
	size_t said;
	memcpy(&said, options, sizeof(said));
	cr_expect_eq(said, size, "%s", name);
	for (size_t i = sizeof(said); i < size; i++)
		cr_expect_eq(bytes[i], 0, "%s: byte %zu", name, i);
}

#define DEFAULT(type, init)                                                                        \
	do {                                                                                       \
		static const type options = init;                                                  \
		expect_default(#type, &options, sizeof(type));                                     \
	} while (0)

Test(abi, initializers_set_the_size_and_no_more)
{
	DEFAULT(ociw_attach_options, OCIW_ATTACH_OPTIONS_INIT);
	DEFAULT(ociw_cache_gc_options, OCIW_CACHE_GC_OPTIONS_INIT);
	DEFAULT(ociw_convert_options, OCIW_CONVERT_OPTIONS_INIT);
	DEFAULT(ociw_copy_options, OCIW_COPY_OPTIONS_INIT);
	DEFAULT(ociw_extract_options, OCIW_EXTRACT_OPTIONS_INIT);
	DEFAULT(ociw_inspect_options, OCIW_INSPECT_OPTIONS_INIT);
	DEFAULT(ociw_limits, OCIW_LIMITS_INIT);
	DEFAULT(ociw_op, OCIW_OP_INIT);
	DEFAULT(ociw_pack_options, OCIW_PACK_OPTIONS_INIT);
	DEFAULT(ociw_tags_options, OCIW_TAGS_OPTIONS_INIT);
	DEFAULT(ociw_spin_options, OCIW_SPIN_OPTIONS_INIT);
	DEFAULT(ociw_gc_options, OCIW_GC_OPTIONS_INIT);
}

/* --- old and new callers ------------------------------------------------------------------ */

/* As a program compiled with a struct of this size sees it: a page that ends behind it. */
typedef struct caller {
	size_t size;
	unsigned char rest[512];
} caller;

Test(abi, callers_of_every_release_are_read)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(sizes); i++) {
		caller old = {.size = sizes[i].then}, now;
		if (!sizes[i].stamped)
			continue;
		cr_assert_leq(sizes[i].now, sizeof(now));
		memset(old.rest, 0xff, sizeof(old.rest));
		cr_assert_eq(ociwp_options_read(&now, sizes[i].now, &old, NULL), 0, "%s",
			     sizes[i].name);
		cr_expect_eq(now.size, sizes[i].now);
		for (size_t at = sizes[i].then; at < sizes[i].now; at++)
			cr_expect_eq(((unsigned char *)&now)[at], 0, "%s: byte %zu",
				     sizes[i].name, at);
	}
}

Test(abi, callers_of_a_later_release_are_read_while_they_set_nothing_new)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(sizes); i++) {
		caller later = {.size = sizes[i].now + 8}, now;
		if (!sizes[i].stamped)
			continue;
		cr_expect_eq(ociwp_options_read(&now, sizes[i].now, &later, NULL), 0, "%s",
			     sizes[i].name);
		((unsigned char *)&later)[sizes[i].now + 3] = 1;
		cr_expect_eq(ociwp_options_read(&now, sizes[i].now, &later, NULL),
			     OCIW_ERR_INVALID, "%s", sizes[i].name);
	}
}

#else

Test(abi, layouts_are_written_down_for_64_bits_only)
{
	cr_skip_test("not a 64-bit target");
}

#endif
