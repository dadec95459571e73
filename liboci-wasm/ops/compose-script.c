/* SPDX-License-Identifier: Apache-2.0
 *
 * Matching names of dependencies with imports, as Spin's composer does it, and writing down the
 * result. Names come from wasm that may be anybody's: only harmless ones get into the script.
 */
#include "ops/compose-script.h"
#include "base/str.h"
#include "spin/names.h"
#include <stdio.h>

#define NONE SIZE_MAX

/* "ns:name/interface@version" of an import or export; false for names of another shape. */
typedef struct world_name {
	const char *package, *interface;
	size_t package_len, interface_len;
	bool has_version;
	ociwp_semver version;
} world_name;

static bool world_name_parse(const char *text, world_name *out)
{
	const char *slash = strchr(text, '/');
	*out = (world_name){.package = text};
	if (!slash || !memchr(text, ':', (size_t)(slash - text)))
		return false;
	const char *at = strchr(slash, '@');
	out->package_len = (size_t)(slash - text);
	out->interface = slash + 1;
	out->interface_len = at ? (size_t)(at - out->interface) : strlen(out->interface);
	out->has_version = at != NULL;
	return !at || ociwp_semver_parse(at + 1, strlen(at + 1), &out->version);
}

static bool same_text(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && memcmp(a, b, a_len) == 0;
}

static bool matches(const ociwp_dependency_name *name, const char *import)
{
	world_name w;
	if (name->plain)
		return ociwp_streq(name->text, import);
	if (!world_name_parse(import, &w) ||
	    !same_text(name->package, name->package_len, w.package, w.package_len))
		return false;
	if (name->interface &&
	    !same_text(name->interface, name->interface_len, w.interface, w.interface_len))
		return false;
	return !name->has_version ||
	       (w.has_version && ociwp_semver_compare(&name->version, &w.version) == 0);
}

static bool has_name(char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (ociwp_streq(names[i], name))
			return true;
	return false;
}

/* Up to three names, for a message. */
static const char *some_names(char *const *names, size_t count, char text[400])
{
	size_t len = 0;
	text[0] = '\0';
	for (size_t i = 0; i < count && i < 3; i++) {
		int n = snprintf(text + len, 400 - len, "%s%.100s", i ? ", " : "",
		                 ociwp_quote(names[i]));
		len += n > 0 ? (size_t)n : 0;
	}
	if (count > 3)
		snprintf(text + len, 400 - len, " and %zu more", count - 3);
	return count ? text : "nothing";
}

/* The import at @p i is to be satisfied by one more member. */
static int claim(const ociwp_wasm_info *component, size_t i, const ociwp_compose_member *members,
                 size_t member, size_t *owners, ociw_error **err)
{
	char text[400];
	const ociwp_compose_member *m = &members[member];
	const char *import = component->imports[i];
	const char *export = m->export_name ? m->export_name : import;
	if (owners[i] != NONE)
		return ociwp_fail(err, OCIW_ERR_FORMAT,
		                  "dependencies %s and %s both stand for the import %s",
		                  ociwp_quote(members[owners[i]].name), ociwp_quote(m->name),
		                  ociwp_quote(import));
	if (!has_name(m->info->exports, m->info->export_count, export))
		return ociwp_fail(err, OCIW_ERR_FORMAT,
		                  "dependency %s does not export %s, which the import %s needs; it "
		                  "exports %s%s",
		                  ociwp_quote(m->name), ociwp_quote(export), ociwp_quote(import),
		                  some_names(m->info->exports, m->info->export_count, text),
		                  m->export_name ? "" : ": name the right one with export");
	owners[i] = member;
	return 0;
}

static int match_member(const ociwp_wasm_info *component, const ociwp_compose_member *members,
                        size_t member, size_t *owners, ociw_error **err)
{
	ociwp_dependency_name name = {0};
	ociwp_name_error why;
	char text[400];
	bool matched = false;
	int r = ociwp_dependency_name_parse(members[member].name, &name, &why);
	if (r < 0)
		return r == OCIW_ERR_NOMEM
		               ? ociwp_nomem(err)
		               : ociwp_fail(err, OCIW_ERR_FORMAT, "dependency %s: %s",
		                            ociwp_quote(members[member].name), why.text);
	for (size_t i = 0; r == 0 && i < component->import_count; i++) {
		if (!matches(&name, component->imports[i]))
			continue;
		matched = true;
		r = claim(component, i, members, member, owners, err);
	}
	ociwp_dependency_name_deinit(&name);
	if (r == 0 && !matched)
		r = ociwp_fail(err, OCIW_ERR_FORMAT,
		               "dependency %s is none of its imports; they are %s",
		               ociwp_quote(members[member].name),
		               some_names(component->imports, component->import_count, text));
	return r;
}

/* The language has no escapes, and needs none for names that a component can have. */
static int write_name(ociwp_buf *out, const char *name, ociw_error **err)
{
	for (const char *c = name; *c; c++)
		if (!ociwp_is_alnum(*c) && !strchr(":/@.+-_", *c))
			return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
			                  "the name %s cannot be written down for a composer",
			                  ociwp_quote(name));
	ociwp_buf_printf(out, "\"%s\"", name);
	return 0;
}

/* "NAME": INSTANCE_I["EXPORT"], */
static int write_wire(ociwp_buf *out, const char *import, const char *instance, size_t i,
                      const char *export, ociw_error **err)
{
	ociwp_buf_puts(out, "    ");
	int r = write_name(out, import, err);
	ociwp_buf_printf(out, ": %s%zu[", instance, i);
	if (r == 0)
		r = write_name(out, export, err);
	ociwp_buf_puts(out, "],\n");
	return r;
}

/* What the adapter exports in the place of an import: the same, or a version that may stand for it;
 * NULL when it lets the import pass. */
static const char *denial_of(const ociwp_wasm_info *deny, const char *import)
{
	world_name want, has;
	bool versioned = world_name_parse(import, &want) && want.has_version;
	for (size_t i = 0; i < deny->export_count; i++) {
		const char *export = deny->exports[i];
		if (ociwp_streq(export, import))
			return export;
		if (versioned && world_name_parse(export, &has) && has.has_version &&
		    same_text(has.package, has.package_len, want.package, want.package_len) &&
		    same_text(has.interface, has.interface_len, want.interface,
		              want.interface_len) &&
		    ociwp_semver_compatible(&has.version, &want.version))
			return export;
	}
	return NULL;
}

/* Each denied dependency has an adapter of its own, as in Spin. */
static int write_member(ociwp_buf *out, const ociwp_compose_member *m, size_t i,
                        const ociwp_wasm_info *deny, ociw_error **err)
{
	bool denied = false;
	int r = 0;
	for (size_t j = 0; m->denied && j < m->info->import_count; j++)
		denied |= denial_of(deny, m->info->imports[j]) != NULL;
	if (denied)
		ociwp_buf_printf(out, "let deny%zu = new " OCIWP_COMPOSE_DENY " { ... };\n", i);
	ociwp_buf_printf(out, "let dependency%zu = new " OCIWP_COMPOSE_DEPENDENCY "%zu {\n", i, i);
	for (size_t j = 0; denied && r == 0 && j < m->info->import_count; j++) {
		const char *export = denial_of(deny, m->info->imports[j]);
		if (export)
			r = write_wire(out, m->info->imports[j], "deny", i, export, err);
	}
	ociwp_buf_puts(out, "    ...\n};\n");
	return r;
}

static int write_script(const ociwp_wasm_info *component, const ociwp_compose_member *members,
                        size_t count, const ociwp_wasm_info *deny, const size_t *owners,
                        ociwp_buf *out, ociw_error **err)
{
	int r = 0;
	ociwp_buf_puts(out, "package oci:composed;\n");
	for (size_t i = 0; r == 0 && i < count; i++)
		r = write_member(out, &members[i], i, deny, err);
	ociwp_buf_puts(out, "let main = new " OCIWP_COMPOSE_MAIN " {\n");
	for (size_t i = 0; r == 0 && i < component->import_count; i++) {
		const char *import = component->imports[i];
		if (owners[i] == NONE)
			continue;
		const char *export = members[owners[i]].export_name;
		r = write_wire(out, import, "dependency", owners[i], export ? export : import, err);
	}
	ociwp_buf_puts(out, "    ...\n};\nexport main...;\n");
	return r < 0 ? r : ociwp_buf_check(out, err);
}

int ociwp_compose_script(const ociwp_wasm_info *component, const ociwp_compose_member *members,
                         size_t count, const ociwp_wasm_info *deny, ociwp_buf *out,
                         ociw_error **err)
{
	OCIWP_AUTO(mem) size_t *owners = ociwp_calloc(component->import_count, sizeof(*owners));
	int r = 0;
	if (!owners)
		return ociwp_nomem(err);
	for (size_t i = 0; i < component->import_count; i++)
		owners[i] = NONE;
	for (size_t i = 0; r == 0 && i < count; i++)
		r = match_member(component, members, i, owners, err);
	return r < 0 ? r : write_script(component, members, count, deny, owners, out, err);
}
