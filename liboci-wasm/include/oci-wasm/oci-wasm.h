/* SPDX-License-Identifier: Apache-2.0
 *
 * liboci-wasm: packs WebAssembly apps into OCI content and unpacks them. Umbrella of all headers.
 */
#ifndef OCIW_OCI_WASM_H
#define OCIW_OCI_WASM_H

#include <oci-wasm/attach.h>
#include <oci-wasm/cache.h>
#include <oci-wasm/containerd.h>
#include <oci-wasm/content.h>
#include <oci-wasm/convert.h>
#include <oci-wasm/copy.h>
#include <oci-wasm/descriptor.h>
#include <oci-wasm/digest.h>
#include <oci-wasm/docker-config.h>
#include <oci-wasm/error.h>
#include <oci-wasm/export.h>
#include <oci-wasm/extract.h>
#include <oci-wasm/format.h>
#include <oci-wasm/inspect.h>
#include <oci-wasm/io.h>
#include <oci-wasm/op.h>
#include <oci-wasm/pack.h>
#include <oci-wasm/package.h>
#include <oci-wasm/platform.h>
#include <oci-wasm/reference.h>
#include <oci-wasm/registry.h>
#include <oci-wasm/spin.h>
#include <oci-wasm/store.h>
#include <oci-wasm/version.h>

#endif
