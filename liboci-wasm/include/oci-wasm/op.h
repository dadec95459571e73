/* SPDX-License-Identifier: Apache-2.0
 *
 * The context of one operation: limits, progress events, cancellation. Nobody stores it past the call.
 */
#ifndef OCIW_OP_H
#define OCIW_OP_H

#include <oci-wasm/export.h>

OCIW_BEGIN_DECLS

/** No limit. A limit of 0 means the default instead. */
#define OCIW_UNLIMITED UINT64_MAX

/** Limits of an operation. Zero means the default named in each line; docs/limits.md has them all. */
typedef struct ociw_limits {
	size_t size;                  /**< sizeof(ociw_limits) */
	uint64_t max_manifest_bytes;  /**< manifest, index, config: 4 MiB */
	uint64_t max_lock_bytes;      /**< Spin locked app: 64 MiB */
	uint64_t max_json_depth;      /**< nesting of JSON: 64 */
	uint64_t max_layers;          /**< layers of one image: 512 */
	uint64_t max_blob_bytes;      /**< one blob as stored: 16 GiB */
	uint64_t max_unpacked_bytes;  /**< decoded bytes of one image: 16 GiB */
	uint64_t max_entries;         /**< tar headers in one layer, files of one app: 1,000,000 */
	uint64_t max_ratio;           /**< decoded : stored, once 64 MiB are out: 1000 */
	uint64_t max_path_bytes;      /**< path of an entry: 4096 */
	uint64_t max_path_depth;      /**< components of a path: 256 */
	uint64_t max_zstd_window;     /**< window of a zstd frame: 128 MiB */
	uint64_t max_index_depth;     /**< nested image indexes: 8 */
	uint64_t max_redirects;       /**< HTTP redirects: 10 */
	uint64_t max_tries;           /**< tries of one request: 5 */
	uint64_t retry_budget_ms;     /**< time spent in retries of one request: 300,000 */
} ociw_limits;

/** A flag that stops operations. Trigger is async-signal-safe and may come from any thread. */
typedef struct ociw_cancel ociw_cancel;

/** New flag, not triggered; NULL when memory ran out. */
OCIW_API ociw_cancel *ociw_cancel_new(void);
/** Frees a flag that no operation uses any more. NULL is fine. */
OCIW_API void ociw_cancel_free(ociw_cancel *cancel);
/** Asks every operation that was given this flag to stop soon with OCIW_ERR_CANCELLED. */
OCIW_API void ociw_cancel_trigger(ociw_cancel *cancel);
/** True once triggered. */
OCIW_API bool ociw_cancel_triggered(const ociw_cancel *cancel);

/** Kinds of events. */
typedef enum ociw_event_kind {
	OCIW_EVENT_BLOB_BEGIN = 1,  /**< a blob starts to move; `total` is its size */
	OCIW_EVENT_BLOB_PROGRESS,   /**< `done` of `total` bytes of a blob */
	OCIW_EVENT_BLOB_DONE,       /**< a blob arrived and was verified */
	OCIW_EVENT_BLOB_SKIPPED,    /**< the far end has the blob already, or took it by mount */
	OCIW_EVENT_WARNING,         /**< `message`: something a person should know; the operation goes on */
	OCIW_EVENT_RETRY,           /**< `message`: a request failed and is tried again */
	OCIW_EVENT_FILES,           /**< `done` files of `total` (0: unknown) packed or extracted */
	OCIW_EVENT_NOTE,            /**< `message`: detail for -v */
	OCIW_EVENT_WOULD_SEND       /**< a dry run: a blob or manifest that would move; `total` is its size */
} ociw_event_kind;

/** One event. Strings are borrowed for the time of the callback. */
typedef struct ociw_event {
	size_t size;            /**< sizeof(ociw_event) of the library */
	ociw_event_kind kind;
	const char *digest;     /**< blob or manifest it is about, or NULL */
	const char *media_type; /**< of that blob, or NULL */
	const char *message;    /**< one line, control characters escaped, or NULL */
	uint64_t done;          /**< bytes or files */
	uint64_t total;         /**< bytes or files, 0 when unknown */
} ociw_event;

/** Receives events on the thread that called the operation. Non-zero stops it (OCIW_ERR_CANCELLED). */
typedef int (*ociw_event_cb)(const ociw_event *event, void *user_data);

/** Context of a call. NULL anywhere an op is taken means all defaults. */
typedef struct ociw_op {
	size_t size;               /**< sizeof(ociw_op) */
	const ociw_limits *limits; /**< NULL: defaults */
	ociw_event_cb event;       /**< NULL: no events */
	void *user_data;           /**< for `event` */
	const ociw_cancel *cancel; /**< NULL: cannot be stopped */
} ociw_op;

#define OCIW_LIMITS_INIT { sizeof(ociw_limits), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }
#define OCIW_OP_INIT { sizeof(ociw_op), NULL, NULL, NULL, NULL }

OCIW_END_DECLS

#endif
