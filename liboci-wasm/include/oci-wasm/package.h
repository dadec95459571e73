/* SPDX-License-Identifier: Apache-2.0
 *
 * Packages of WebAssembly components ("ns:name" with a version): in which registry and repository
 * they are, as wkg finds them (specs/wasm-formats.md 1.3), and their one binary.
 */
#ifndef OCIW_PACKAGE_H
#define OCIW_PACKAGE_H

#include <oci-wasm/content.h>

OCIW_BEGIN_DECLS

/** Which namespaces and packages live where. Immutable. */
typedef struct ociw_packages ociw_packages;

/** Reads a config.toml of wkg; keys for other things than the place of packages are left alone.
 *
 * @param config  its text; empty for the built-in places alone
 * @param path    how the file is called in messages
 * @return 0; OCIW_ERR_FORMAT with line and column; OCIW_ERR_LIMIT; OCIW_ERR_NOMEM
 * @since 0.1 */
OCIW_API OCIW_NODISCARD int ociw_packages_new(ociw_span config, const char *path,
                                              ociw_packages **out, ociw_error **err);
OCIW_API void ociw_packages_free(ociw_packages *packages);

/** The registry of a package "ns:name": its override, its namespace, the default, what is built in;
 * NULL when none of them has it. Borrowed. */
OCIW_API const char *ociw_packages_registry(const ociw_packages *packages, const char *package);

/** True when a registry says by itself where its packages are, in a file at
 * https://REGISTRY/.well-known/wasm-pkg/registry.json; false when the config says it. */
OCIW_API bool ociw_packages_wants_metadata(const ociw_packages *packages, const char *package,
                                           const char *registry);

/** The repository of a package.
 *
 * @param registry  as ociw_packages_registry() or a manifest has it
 * @param metadata  the registry.json of the registry; empty when it has none
 * @param out       "HOST/PREFIXNS/NAME", to be freed with ociw_free()
 * @return 0; OCIW_ERR_INVALID when @p package is none; OCIW_ERR_FORMAT; OCIW_ERR_UNSUPPORTED when
 * the registry speaks another protocol than OCI; OCIW_ERR_UNSAFE when its metadata leads from a public
 * name to a local address; OCIW_ERR_NOMEM
 * @since 0.1 */
OCIW_API OCIW_NODISCARD int ociw_packages_repository(const ociw_packages *packages,
                                                     const char *registry, const char *package,
                                                     ociw_span metadata, char **out,
                                                     ociw_error **err);

/** How a registry of packages is called, as config.toml has it below [registry."NAME".oci]. Strings are
 * borrowed until the next call with these packages, and wiped when they go. */
typedef struct ociw_package_settings {
	size_t size;                          /**< sizeof(ociw_package_settings) */
	const char *protocol;                 /**< "http" or "https", or NULL */
	const char *username;                 /**< or NULL */
	const char *password;                 /**< or NULL */
	const char *certificates;             /**< extra authorities, PEM, or NULL */
	uint32_t accept_invalid_certificates;
} ociw_package_settings;

/** Looks the settings of a registry up.
 *
 * @param registry  as ociw_packages_registry() or a manifest has it
 * @return 1 there are some; 0 none; OCIW_ERR_FORMAT for values that make no sense, without what they
 * are; OCIW_ERR_UNSUPPORTED for certificates in another encoding than PEM; OCIW_ERR_NOMEM
 * @since 0.1 */
OCIW_API OCIW_NODISCARD int ociw_packages_settings(ociw_packages *packages, const char *registry,
                                                   ociw_package_settings *out, ociw_error **err);

/** The tag of a version: '+', which a tag cannot hold, becomes '_'.
 * @param out  to be freed with ociw_free() */
OCIW_API OCIW_NODISCARD int ociw_package_tag(const char *version, char **out, ociw_error **err);

/** Is @p tag a version that meets @p requirement (">=1.2, <2", "^1", "*"), and a later one than
 * @p best (NULL: none yet)? False for tags that are no versions. */
OCIW_API bool ociw_package_tag_better(const char *requirement, const char *tag, const char *best);

/** Writes the one binary of a package's image, verified.
 *
 * @param name  tag or digest; NULL: the content's own
 * @param into  borrowed; not committed
 * @return 0; OCIW_ERR_UNSUPPORTED when the image has not exactly one wasm layer; others as for
 * reading
 * @since 0.1 */
OCIW_API OCIW_NODISCARD int ociw_package_read(ociw_content *content, const char *name,
                                              const ociw_op *op, ociw_writer *into,
                                              ociw_error **err);

OCIW_END_DECLS

#endif
