/* SPDX-License-Identifier: Apache-2.0 */
/* extend.h: extensions into certificates that tests make. */
#ifndef TESTS_VERIFY_EXTEND_H
#define TESTS_VERIFY_EXTEND_H

#include "table.h"
#include <openssl/x509v3.h>

static inline void extend_by(X509 *cert, X509_EXTENSION *extension)
{
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* By libcrypto's number, with a value in its words: "critical,CA:TRUE". */
static inline void extend_words(X509 *cert, int nid, const char *value)
{
    extend_by(cert, X509V3_EXT_conf_nid(NULL, NULL, nid, value));
}

/* By OID in dotted form, with the value's bytes. */
static inline void extend_bytes(X509 *cert, const char *oid, const uint8_t *value, size_t size)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(data, value, (int)size);
    extend_by(cert, X509_EXTENSION_create_by_OBJ(NULL, object, 0, data));
    ASN1_OCTET_STRING_free(data);
    ASN1_OBJECT_free(object);
}

#endif
