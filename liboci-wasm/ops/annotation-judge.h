/* SPDX-License-Identifier: Apache-2.0
 *
 * What to say about the key of an annotation that a user passes (ANN-2, ANN-3).
 */
#ifndef OCIW_OPS_ANNOTATION_JUDGE_H
#define OCIW_OPS_ANNOTATION_JUDGE_H

#include "base/op.h"

/* Warns about a key under org.opencontainers, which is the specification's own, that it does not
 * have. 0, or OCIW_ERR_CANCELLED when the listener stops. */
int ociwp_annotation_judge(const ociw_op *op, const char *key, ociw_error **err);

#endif
