/* SPDX-License-Identifier: Apache-2.0
 *
 * Which hosts a component may reach (specs/spin.md 1.6, 1.7): the old lists converted, entries
 * checked, service chaining found.
 */
#ifndef OCIW_SPIN_HOSTS_H
#define OCIW_SPIN_HOSTS_H

#include "spin/model.h"

typedef struct ociwp_host_error {
	char text[200];
} ociwp_host_error;

/* Is one entry without templates well formed? @p why is filled in when not. */
bool ociwp_host_valid(const char *entry, ociwp_host_error *why);
/* Is its host another component of the app ("NAME.spin.internal" or "*.spin.internal")? */
bool ociwp_host_chains(const char *entry);
/* One entry of allowed_http_hosts as "H" or "H:P" in @p out (freed by the caller). NOMEM, or FORMAT
 * with @p why filled in. */
int ociwp_http_host_parse(const char *entry, char **out, ociwp_host_error *why);

/* Appends the conversions of `http_hosts` to `outbound_hosts` and empties the former (1.6). */
int ociwp_hosts_convert_http(ociwp_component *component, ociwp_report *report, ociw_error **err);
/* Judges all entries, templates expanded by defaults (1.7). *chains: service chaining is needed. */
int ociwp_hosts_check(const ociwp_component *component, const ociwp_spin_manifest *manifest,
                      ociwp_report *report, bool *chains, ociw_error **err);

#endif
