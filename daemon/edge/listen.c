/* listen: makes an nng socket listen at a URL, and refuses what is not safe.
 * SPDX-License-Identifier: MIT */
#include "daemon/edge/listen.h"
#include "daemon/edge/socket_file.h"
#include "schema/base/buf.h"
#include "schema/base/check.h"
#include "daemon/host/clock.h"
#include <arpa/inet.h>
#include <errno.h>
#include <nng/supplemental/tls/tls.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SOCKET_MODE_UNTIL_READY = 0600,
    PORT_BYTES_MAX = 5,
    NS_PER_MS = 1000000,
    NS_PER_S = 1000000000,
    PEM_BYTES_MAX = 1 << 20, /* a chain of certificates is a few KiB */
};

static const char ipc_prefix[] = "ipc://";

static enum ch_err fail_nng(struct ch_why *why, int rv, const char *url)
{
    if (rv == NNG_ENOMEM) return ch_fail(why, CH_ERR_NO_MEMORY, rv, "listener");
    if (rv == NNG_EADDRINVAL || rv == NNG_ENOTSUP || rv == NNG_EINVAL) {
        return ch_fail(why, CH_ERR_CONFIG, rv, "cannot listen at %s: %s", url, nng_strerror(rv));
    }
    return ch_fail(why, CH_ERR_NET_IO, rv, "cannot listen at %s: %s", url, nng_strerror(rv));
}

bool ch_listen_is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (strcmp(host, "localhost") == 0) return true;
    if (inet_pton(AF_INET, host, &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* The file and a NUL behind it, read without a buffer of stdio, which would keep a copy of the key.
 */
static enum ch_err read_pem(const char *path, struct ch_buf *ret, struct ch_why *why)
{
    enum ch_err err = CH_OK;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return ch_fail(why, CH_ERR_CONFIG, errno, "%s: %s", path, strerror(errno));
    }
    setvbuf(file, NULL, _IONBF, 0);
    if (!ch_buf_reserve(ret, PEM_BYTES_MAX + 1)) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, /* code= */ 0, "%s", path);
        goto out;
    }
    ret->len = fread(ret->ptr, 1, PEM_BYTES_MAX, file);
    if (ferror(file) != 0 || ret->len == PEM_BYTES_MAX) {
        err = ch_fail(why, CH_ERR_CONFIG, errno, "%s cannot be read or is too large", path);
        goto out;
    }
    ret->ptr[ret->len] = '\0';
out:
    fclose(file);
    return err;
}

static enum ch_err set_up_tls(nng_listener listener, const char *url,
                              const struct ch_listen_options *options, struct ch_why *why)
{
    enum ch_err err = CH_OK;
    nng_tls_config *config = NULL;
    struct ch_buf certificate = {0};
    struct ch_buf key = {0};
    const char *key_file = options->tls_key_file;
    if (options->tls_certificate_file == NULL) {
        return ch_fail(why, CH_ERR_CONFIG, 0, "%s needs a TLS certificate", url);
    }
    if (options->tls_ca_file == NULL && options->needs_client_certificate) {
        return ch_fail(why, CH_ERR_CONFIG, 0, "%s needs a CA file, for client certificates", url);
    }
    if (key_file == NULL) key_file = options->tls_certificate_file;
    int rv = nng_tls_config_alloc(&config, NNG_TLS_MODE_SERVER);
    if (rv != 0) {
        err = fail_nng(why, rv, url);
        goto out;
    }
    if ((err = read_pem(options->tls_certificate_file, &certificate, why)) != CH_OK) goto out;
    if ((err = read_pem(key_file, &key, why)) != CH_OK) goto out;
    rv =
        nng_tls_config_own_cert(config, (const char *)certificate.ptr, (const char *)key.ptr, NULL);
    if (rv != 0) {
        err = ch_fail(why, CH_ERR_CONFIG, rv, "the certificate %s or its key %s is not usable: %s",
                      options->tls_certificate_file, key_file, nng_strerror(rv));
        goto out;
    }
    if (options->tls_ca_file != NULL) {
        rv = nng_tls_config_ca_file(config, options->tls_ca_file);
        if (rv == 0) rv = nng_tls_config_auth_mode(config, NNG_TLS_AUTH_MODE_REQUIRED);
        if (rv != 0) {
            err = ch_fail(why, CH_ERR_CONFIG, rv, "the CA file %s is not usable: %s",
                          options->tls_ca_file, nng_strerror(rv));
            goto out;
        }
    }
    rv = nng_listener_set_ptr(listener, NNG_OPT_TLS_CONFIG, config);
    if (rv != 0) err = fail_nng(why, rv, url);
out:
    if (config != NULL) nng_tls_config_free(config); /* the listener holds it too */
    if (key.ptr != NULL) sodium_memzero(key.ptr, key.cap);
    ch_buf_deinit(&key);
    ch_buf_deinit(&certificate);
    return err;
}

/* What a scheme may and may not; the socket file's place is made free. */
static enum ch_err check_url(const char *url, const struct ch_listen_options *options,
                             bool *ret_is_ipc, bool *ret_is_tls, struct ch_why *why)
{
    enum ch_err err = CH_OK;
    nng_url *parsed = NULL;
    *ret_is_tls = false;
    *ret_is_ipc = strncmp(url, ipc_prefix, sizeof ipc_prefix - 1) == 0;
    if (strlen(url) + PORT_BYTES_MAX >= CH_LISTEN_URL_BYTES) {
        return ch_fail(why, CH_ERR_CONFIG, 0, "the URL is too long: %s", url);
    }
    if (*ret_is_ipc) {
        return ch_socket_file_claim(url + sizeof ipc_prefix - 1, why);
    }
    int rv = nng_url_parse(&parsed, url);
    if (rv != 0) return ch_fail(why, CH_ERR_CONFIG, rv, "this is no URL to listen at: %s", url);
    *ret_is_tls = strcmp(parsed->u_scheme, "tls+tcp") == 0;
    if (!*ret_is_tls && strcmp(parsed->u_scheme, "tcp") != 0) {
        err = ch_fail(why, CH_ERR_CONFIG, 0, "%s: only ipc://, tcp:// and tls+tcp:// are offered",
                      url);
    } else if (!*ret_is_tls && !options->allow_remote &&
               !ch_listen_is_loopback(parsed->u_hostname)) {
        err =
            ch_fail(why, CH_ERR_CONFIG, 0,
                    "%s is not a loopback address: use tls+tcp://, or allow remote plain tcp", url);
    }
    nng_url_free(parsed);
    return err;
}

/* The URL with the port that the system chose, where port 0 was asked for. */
static void describe(struct ch_listen *listen, const char *url)
{
    nng_sockaddr address;
    size_t len = strlen(url);
    memcpy(listen->url, url, len + 1); /* length was checked */
    if (listen->is_ipc || len < 2 || strcmp(url + len - 2, ":0") != 0) return;
    if (nng_listener_get_addr(listen->listener, NNG_OPT_LOCADDR, &address) != 0) return;
    uint16_t port = 0;
    if (address.s_family == NNG_AF_INET) port = ntohs(address.s_in.sa_port);
    if (address.s_family == NNG_AF_INET6) port = ntohs(address.s_in6.sa_port);
    int made = snprintf(listen->url, sizeof listen->url, "%.*s%u", (int)len - 1, url, port);
    CH_CHECK(made > 0 && (size_t)made < sizeof listen->url);
}

enum ch_err ch_listen_start(nng_socket socket, const char *url,
                            const struct ch_listen_options *options, struct ch_listen *ret,
                            struct ch_why *why)
{
    CH_CHECK(url != NULL);
    struct ch_listen listen = {0};
    bool is_tls = false;
    enum ch_err err = check_url(url, options, &listen.is_ipc, &is_tls, why);
    if (err != CH_OK) return err;
    int rv = nng_listener_create(&listen.listener, socket, url);
    if (rv != 0) return fail_nng(why, rv, url);
    rv = nng_listener_set_size(listen.listener, NNG_OPT_RECVMAXSZ, options->receive_bytes_max);
    if (rv == 0 && listen.is_ipc) {
        rv =
            nng_listener_set_int(listen.listener, NNG_OPT_IPC_PERMISSIONS, SOCKET_MODE_UNTIL_READY);
    }
    if (rv != 0) {
        err = fail_nng(why, rv, url);
        goto out;
    }
    if (is_tls && (err = set_up_tls(listen.listener, url, options, why)) != CH_OK) goto out;
    rv = nng_listener_start(listen.listener, 0);
    if (rv != 0) {
        err = fail_nng(why, rv, url);
        goto out;
    }
    if (listen.is_ipc) err = ch_socket_file_open(url + sizeof ipc_prefix - 1, options, why);
    if (err != CH_OK) goto out;
    describe(&listen, url);
    *ret = listen;
out:
    if (err != CH_OK) nng_listener_close(listen.listener);
    return err;
}

static void *close_socket(void *arg)
{
    (void)nng_close((nng_socket){.id = (uint32_t)(uintptr_t)arg});
    return NULL;
}

bool ch_listen_close_socket(nng_socket socket, uint32_t wait_ms)
{
    const uint64_t until_ns = ch_clock_monotonic_ns() + (uint64_t)wait_ms * NS_PER_MS;
    const struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_S),
                                   .tv_nsec = (long)(until_ns % NS_PER_S)};
    pthread_t thread;
    if (pthread_create(&thread, NULL, close_socket, (void *)(uintptr_t)socket.id) != 0) {
        return false;
    }
    if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0) return true;
    (void)pthread_detach(thread);
    return false;
}
