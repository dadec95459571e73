/* SPDX-License-Identifier: Apache-2.0
 *
 * Pack: from spin.toml or a wasm file to images, held as a content that copy() sends anywhere.
 */
#ifndef OCIW_PACK_H
#define OCIW_PACK_H

#include <oci-wasm/content.h>
#include <oci-wasm/copy.h>
#include <oci-wasm/format.h>

OCIW_BEGIN_DECLS

/** How to lay out static files of a Spin app. */
typedef enum ociw_pack_layers {
	OCIW_LAYERS_AUTO = 0,    /**< a layer a file; bundles when over the limit of 499 */
	OCIW_LAYERS_FILES = 1,   /**< a layer a file, whatever their number */
	OCIW_LAYERS_BUNDLES = 2, /**< size-bounded bundles (spin-node.md 3) */
	OCIW_LAYERS_ARCHIVES = 3 /**< one archive a component, as Spin does it */
} ociw_pack_layers;

/** What to do with component dependencies. */
typedef enum ociw_pack_compose {
	OCIW_COMPOSE_REFUSE = 0, /**< an app with dependencies is an error that names the choices */
	OCIW_COMPOSE_NONE = 1,   /**< each dependency becomes a layer, uncomposed */
	OCIW_COMPOSE_CALLBACK = 2 /**< `compose` makes one component of them */
} ociw_pack_compose;

/** Flags of pack. */
enum ociw_pack_flags {
	OCIW_PACK_COMPAT_SPIN = 1 << 0,   /**< write what Spin writes, with its quirks */
	OCIW_PACK_NO_ENTRYPOINT = 1 << 1, /**< no Entrypoint ["/"] in the config */
	OCIW_PACK_ALLOW_OUTSIDE = 1 << 2, /**< files and symlinks may lead out of the app's folder */
	OCIW_PACK_NO_CACHE = 1 << 3,      /**< neither read nor write the pack cache */
	OCIW_PACK_NO_INFER = 1 << 4,      /**< no annotations from the manifest's metadata */
	OCIW_PACK_QUIET_TRAPS = 1 << 5,   /**< no warnings about patterns that surprise */
	OCIW_PACK_WERROR = 1 << 6         /**< warnings are errors */
};

/** One annotation. */
typedef struct ociw_annotation {
	const char *key;
	const char *value;
} ociw_annotation;

/** Fetches a remote wasm source into @p into, which is not to be committed; called only for manifests
 * that name one. The bytes are verified by the library.
 *
 * @param kind     "url", "package", or "package-range" where the version is a requirement
 * @param locator  the URL; or "ns:name" or "registry/ns:name"
 * @param version  of packages, else NULL
 * @param digest   the wanted digest or NULL
 * @return 0 or a code */
typedef int (*ociw_fetch_cb)(const char *kind, const char *locator, const char *version,
			     const char *digest, ociw_writer *into, void *user_data,
			     ociw_error **err);

/** One package that a composition's script names, and the local file that is it. */
typedef struct ociw_compose_part {
	const char *package; /**< "oci:main" */
	const char *path;
} ociw_compose_part;

/** A component to be composed with its dependencies. Valid during the callback. */
typedef struct ociw_composition {
	size_t size;                    /**< sizeof(ociw_composition) */
	const char *component_id;
	const ociw_compose_part *parts; /**< component, dependencies, adapters if there are any */
	size_t part_count;
	const char *script;             /**< how they are wired, in the language of wac */
	const char *script_path;        /**< where a file with the script may be made */
	const char *out_path;           /**< the file to be made */
} ociw_composition;

/** Composes by an external program. @return 0 or a code */
typedef int (*ociw_compose_cb)(const ociw_composition *what, void *user_data, ociw_error **err);

/** Options of pack; zero is the default. */
typedef struct ociw_pack_options {
	size_t size;                        /**< sizeof(ociw_pack_options) */
	const ociw_op *op;                  /**< NULL: defaults */
	const char *path;                   /**< spin.toml, a folder with one, or a .wasm file */
	const ociw_format *formats;         /**< wanted formats; NULL: by the kind of `path` */
	size_t format_count;
	const ociw_annotation *annotations; /**< on the manifest */
	size_t annotation_count;
	const char *annotation_file;        /**< ANN-5, or NULL */
	const char *profile;                /**< Spin build profile, or NULL */
	const char *platform;               /**< of rootfs images, "linux/amd64" by default */
	const char *cache_dir;              /**< pack cache and fetched sources; NULL: no cache */
	const char *temp_dir;               /**< for spooled bundles; NULL: $TMPDIR or /tmp */
	uint32_t layers;                    /**< enum ociw_pack_layers */
	uint32_t compose;                   /**< enum ociw_pack_compose */
	uint32_t flags;                     /**< enum ociw_pack_flags */
	uint32_t parallel;                  /**< threads: one a core */
	int64_t created;                    /**< seconds since 1970 for `created`; used when `has_created` */
	uint32_t has_created;               /**< the tool sets both from SOURCE_DATE_EPOCH */
	uint32_t max_content_layers;        /**< 499 by default */
	ociw_fetch_cb fetch;
	void *fetch_data;
	ociw_compose_cb compose_cb;
	void *compose_data;
	const char *compose_deny;           /**< a component that stands between dependencies that inherit
					       nothing and the host, as Spin's deny adapter; or NULL */
	ociw_content *send_to; /**< a registry that gets blobs while others are still made, or NULL. What
				*   could not be sent is no error: ociw_copy() to the same content sends
				*   the rest, and says what is wrong */
} ociw_pack_options;

#define OCIW_PACK_OPTIONS_INIT                                                                       \
	{                                                                                            \
		sizeof(ociw_pack_options), NULL, NULL, NULL, 0, NULL, 0, NULL, NULL, NULL, NULL,     \
			NULL, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL                \
	}

/** Packs. In @p out each image has the name of its format ("spin", "spin-node" ...), and the first
 * format is what NULL resolves to. Source files are read when the content is: they must stay. */
OCIW_API OCIW_NODISCARD int ociw_pack(const ociw_pack_options *options, ociw_content **out,
				      ociw_error **err);

OCIW_END_DECLS

#endif
