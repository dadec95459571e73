/* SPDX-License-Identifier: Apache-2.0
 *
 * Unicode's normalisation form C, which canonical JSON has its strings in (spin.md 3.5).
 */
#ifndef OCIW_CODEC_NFC_H
#define OCIW_CODEC_NFC_H

#include "base/alloc.h"

/* A normalised copy; NULL without memory. Text that is no UTF-8 comes back as it is, and so does
 * all text in builds without libunistring, but ASCII is in this form already. */
char *ociwp_nfc(const char *text);
/* Does this build normalise at all? */
bool ociwp_nfc_is_there(void);

#endif
