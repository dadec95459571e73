/* SPDX-License-Identifier: Apache-2.0
 *
 * Media types by name, and what class each is in (specs/wasm-formats.md 1, specs/spin.md 0).
 */
#ifndef OCIW_CODEC_MEDIATYPE_H
#define OCIW_CODEC_MEDIATYPE_H

#include <oci-wasm/export.h>

#define OCIWP_MT_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCIWP_MT_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define OCIWP_MT_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define OCIWP_MT_OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
#define OCIWP_MT_OCI_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define OCIWP_MT_OCI_LAYER_ZSTD "application/vnd.oci.image.layer.v1.tar+zstd"
#define OCIWP_MT_OCI_EMPTY "application/vnd.oci.empty.v1+json"
#define OCIWP_MT_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define OCIWP_MT_DOCKER_INDEX "application/vnd.docker.distribution.manifest.list.v2+json"
#define OCIWP_MT_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define OCIWP_MT_DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar"
#define OCIWP_MT_DOCKER_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"
#define OCIWP_MT_SPIN_LOCK "application/vnd.fermyon.spin.application.v1+config"
#define OCIWP_MT_SPIN_WASM "application/vnd.wasm.content.layer.v1+wasm"
#define OCIWP_MT_SPIN_DATA "application/vnd.wasm.content.layer.v1+data"
#define OCIWP_MT_SPIN_BUNDLE "application/vnd.wasm.content.bundle.v1.tar+gzip"
#define OCIWP_MT_WASM "application/wasm"
#define OCIWP_MT_WASM_CONFIG "application/vnd.wasm.config.v0+json"
#define OCIWP_MT_WASM_CONFIG_LEGACY "application/vnd.wasm.config.v1+json"
#define OCIWP_MT_RUNWASI_WASM "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm"
#define OCIWP_MT_SOLO_WASM "application/vnd.module.wasm.content.layer.v1+wasm"
#define OCIWP_MT_SOLO_CONFIG "application/vnd.module.wasm.config.v1+json"
#define OCIWP_MT_WASMCLOUD_CONFIG "application/vnd.wasmcloud.actor.archive.config"

/* Grammar of DSC-1. */
bool ociwp_mediatype_is_valid(const char *media_type);
bool ociwp_mediatype_is_manifest(const char *media_type); /* OCI or Docker image manifest */
bool ociwp_mediatype_is_index(const char *media_type);
bool ociwp_mediatype_is_image_config(const char *media_type);
/* A tar layer that containerd unpacks and diff_ids counts, non-distributable forms included. */
bool ociwp_mediatype_is_layer(const char *media_type);
/* The wasm layer set of wasm-formats.md 1.7. */
bool ociwp_mediatype_is_wasm(const char *media_type);
bool ociwp_mediatype_is_nondistributable(const char *media_type);

#endif
