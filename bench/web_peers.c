/* SPDX-License-Identifier: Apache-2.0 */
/* web_peers.c: nginx, its configuration and its certificate. */
#define _GNU_SOURCE
#include "web_peers.h"
#include "children.h"
#include "measure.h"
#include "plain_echo.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CERTIFICATE_SECONDS 86400

const char *web_peers_lack(void)
{
    return children_find("nginx") != NULL ? NULL : "nginx (nginx-light)";
}

/* ---- the certificate ---- */

static X509 *self_signed(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    bool done = certificate != NULL && X509_set_version(certificate, 2) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(certificate), CERTIFICATE_SECONDS) != NULL &&
                X509_set_pubkey(certificate, key) == 1 &&
                X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                           (const unsigned char *)"localhost", -1, -1, 0) == 1 &&
                X509_set_issuer_name(certificate, name) == 1 &&
                X509_sign(certificate, key, EVP_sha256()) != 0;
    bench_require(done, "no certificate");
    return certificate;
}

void web_peers_certificate(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    bench_require(key != NULL, "no key for TLS");
    X509 *certificate = self_signed(key);
    children_write(WEB_PEERS_KEY, "", 0); /* 0600, before there is a key in it */
    FILE *files[2] = {fopen(children_path(WEB_PEERS_CERTIFICATE), "w"),
                      fopen(children_path(WEB_PEERS_KEY), "w")};
    bench_require(files[0] != NULL && files[1] != NULL &&
                      PEM_write_X509(files[0], certificate) == 1 &&
                      PEM_write_PrivateKey(files[1], key, NULL, NULL, 0, NULL, NULL) == 1 &&
                      fclose(files[0]) == 0 && fclose(files[1]) == 0,
                  "no files for TLS");
    X509_free(certificate);
    EVP_PKEY_free(key);
}

/* ---- nginx ---- */

/*
 * One worker, no logs, and the static body in memory: a tenth faster than a file that stays open,
 * with or without sendfile. Connections may have as many requests as they like.
 */
static const char configuration[] = "%s"
                                    "daemon off;\n"
                                    "worker_processes 1;\n"
                                    "pid nginx.pid;\n"
                                    "error_log stderr crit;\n"
                                    "events { worker_connections 1024; }\n"
                                    "http {\n"
                                    "  access_log off;\n"
                                    "  client_body_temp_path body;\n"
                                    "  proxy_temp_path proxy;\n"
                                    "  fastcgi_temp_path fastcgi;\n"
                                    "  uwsgi_temp_path uwsgi;\n"
                                    "  scgi_temp_path scgi;\n"
                                    "  keepalive_requests 1000000000;\n"
                                    "  keepalive_timeout 600s;\n"
                                    "  upstream behind {\n"
                                    "    server 127.0.0.1:%u;\n"
                                    "    keepalive 256;\n"
                                    "    keepalive_requests 1000000000;\n"
                                    "  }\n"
                                    "  server {\n"
                                    "    listen 127.0.0.1:%u http2;\n"
                                    "    listen 127.0.0.1:%u ssl http2;\n"
                                    "    ssl_certificate %s;\n"
                                    "    ssl_certificate_key %s;\n"
                                    "    ssl_protocols TLSv1.3;\n"
                                    "    location = " WEB_PEERS_STATIC " {\n"
                                    "      default_type application/octet-stream;\n"
                                    "      return 200 \"%s\";\n"
                                    "    }\n"
                                    "    location = " WEB_PEERS_ECHO " {\n"
                                    "      proxy_pass http://behind;\n"
                                    "      proxy_http_version 1.1;\n"
                                    "      proxy_set_header Connection \"\";\n"
                                    "    }\n"
                                    "  }\n"
                                    "}\n";

static void write_configuration(const struct web_peers *peers, uint16_t behind)
{
    char body[WEB_PEERS_BODY_SIZE + 1] = "";
    char *text = NULL;
    memset(body, 'c', WEB_PEERS_BODY_SIZE);
    int size = asprintf(&text, configuration, geteuid() == 0 ? "user root root;\n" : "", behind,
                        peers->clear, peers->tls, children_path(WEB_PEERS_CERTIFICATE),
                        children_path(WEB_PEERS_KEY), body);
    bench_require(size > 0, "no memory");
    children_write("nginx.conf", text, (size_t)size);
    free(text);
}

void web_peers_start(struct web_peers *peers)
{
    static struct plain_echo echo;
    plain_echo_listen(&echo);
    (void)children_fork(plain_echo_serve, &echo);
    peers->clear = children_port();
    peers->tls = children_port();
    write_configuration(peers, echo.port);
    const char *const argv[] = {children_find("nginx"),      "-p", children_path(""), "-c",
                                children_path("nginx.conf"), "-e", "stderr",          NULL};
    pid_t nginx = children_start("nginx", argv);
    children_await(nginx, peers->clear, "nginx");
}
