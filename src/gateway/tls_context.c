/* SPDX-License-Identifier: Apache-2.0 */
/* tls_context.c: one choice of everything, so that there is nothing to configure wrongly. */
#include "tls_context.h"
#include <openssl/err.h>
#include <stdio.h>

#define READ_BUFFER_SIZE (2u * (SSL3_RT_MAX_PLAIN_LENGTH + SSL3_RT_MAX_ENCRYPTED_OVERHEAD))

static csn_err fail(struct csn_detail *detail, const char *what, const char *path)
{
    if (detail != NULL) {
        const char *reason = ERR_reason_error_string(ERR_peek_last_error());
        snprintf(detail->text, sizeof detail->text, "%s%s%s: %s", what, path != NULL ? " " : "",
                 path != NULL ? path : "", reason != NULL ? reason : "failed");
    }
    ERR_clear_error();
    return CSN_ERR_FORMAT;
}

/* Ours first: h2, then http/1.1. A client that offers neither gets no connection (RFC 7301). */
static int select_protocol(SSL *tls, const unsigned char **selected, unsigned char *size,
                           const unsigned char *offered, unsigned offered_size, void *state)
{
    (void)tls;
    (void)state;
    static const unsigned char ours[] = "\x02h2\x08http/1.1";
    unsigned char *found = NULL;
    int result = SSL_select_next_proto(&found, size, ours, sizeof ours - 1, offered, offered_size);
    *selected = found;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static csn_err set_rules(SSL_CTX *context, struct csn_detail *detail)
{
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL") != 1 ||
        SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") != 1) {
        return fail(detail, "TLS settings", NULL);
    }
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_num_tickets(context, 0);
    /* An idle connection keeps no buffers, and what waits to be written may move. */
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1); /* one system call for two full records */
    SSL_CTX_set_default_read_buffer_len(context, READ_BUFFER_SIZE);
    SSL_CTX_set_alpn_select_cb(context, select_protocol, NULL);
    return CSN_OK;
}

csn_err csn_tls_context_create(const char *certificate, const char *key, SSL_CTX **context,
                               struct csn_detail *detail)
{
    ERR_clear_error();
    SSL_CTX *made = SSL_CTX_new(TLS_server_method());
    if (made == NULL) {
        return CSN_ERR_MEMORY;
    }
    csn_err result = set_rules(made, detail);
    if (result == CSN_OK && SSL_CTX_use_certificate_chain_file(made, certificate) != 1) {
        result = fail(detail, "certificate", certificate);
    }
    if (result == CSN_OK && SSL_CTX_use_PrivateKey_file(made, key, SSL_FILETYPE_PEM) != 1) {
        result = fail(detail, "key", key); /* so is one that is not the certificate's */
    }
    if (result != CSN_OK) {
        SSL_CTX_free(made);
        return result;
    }
    *context = made;
    return CSN_OK;
}
