/* SPDX-License-Identifier: Apache-2.0
 *
 * The gunzip reader with a choice of engine, for tests and fuzz targets; everybody else uses
 * compress.h.
 */
#ifndef OCIW_IO_INFLATE_H
#define OCIW_IO_INFLATE_H

#include "io/compress.h"
#include "io/raw-inflate.h"

int ociwp_reader_gunzip_by(ociwp_inflate_engine engine, ociw_reader *take_inner,
                           const ociwp_decode_options *options, ociw_reader **out,
                           ociw_error **err);

#endif
