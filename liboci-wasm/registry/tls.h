/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates of hosts from certs.d folders, and which proxy rule applies (TLS-3, TLS-4).
 */
#ifndef OCIW_REGISTRY_TLS_H
#define OCIW_REGISTRY_TLS_H

#include "registry/client.h"

/* Looks through the client's certs.d folders for HOST[:PORT]; the first folder that has the host
 * counts. A .cert without its .key (or the other way round) is OCIW_ERR_INVALID. */
int ociwp_tls_find_certs(ociwp_host *host, ociw_error **err);
/* TLS settings of an exchange with @p host; @p own: it is the registry itself and not where a
 * redirect led, so that the client's own certificate may be shown. Borrowed strings. */
ociwp_tls ociwp_tls_of(const ociwp_host *host, bool own);
/* True when no proxy may be used: loopback, or a NO_PROXY entry with this very port, which libcurl
 * does not know. */
bool ociwp_tls_no_proxy(const char *host, const char *port, const char *no_proxy);

#endif
