/* SPDX-License-Identifier: Apache-2.0 */
/* tls_context.h: how the gateway speaks TLS (front.h says which). Private. */
#ifndef CSN_GATEWAY_TLS_CONTEXT_H
#define CSN_GATEWAY_TLS_CONTEXT_H

#include <caisson/host.h>
#include <openssl/ssl.h>

/* CSN_ERR_FORMAT with detail: a file that is none, or a key that is not the certificate's. */
CSN_MUST_USE csn_err csn_tls_context_create(const char *certificate, const char *key,
                                            SSL_CTX **context, struct csn_detail *detail);

#endif
