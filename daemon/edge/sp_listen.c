/* sp_listen: see sp_listen.h. SPDX-License-Identifier: MIT */
#include "daemon/edge/sp_listen.h"
#include "daemon/edge/socket_file.h"
#include "schema/base/check.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 128, PORT_DIGITS_MAX = 5, PORT_MAX = 65535 };

static const char ipc_prefix[] = "ipc://";
static const char tcp_prefix[] = "tcp://";

static bool begins(const char *url, const char *prefix)
{
    return strncmp(url, prefix, strlen(prefix)) == 0;
}

static enum ch_err fail_errno(struct ch_why *why, int code, const char *url)
{
    return ch_fail(why, CH_ERR_NET_IO, code, "cannot listen at %s: %s", url, strerror(code));
}

static int open_socket(int family)
{
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Nobody can connect before listen(), so mode and group come in time. */
static enum ch_err listen_ipc(const char *url, const struct ch_listen_options *options, int *ret_fd,
                              struct ch_why *why)
{
    const char *path = url + sizeof ipc_prefix - 1;
    enum ch_err err = ch_socket_file_claim(path, why);
    if (err != CH_OK) return err;
    int fd = open_socket(AF_UNIX);
    if (fd < 0) return fail_errno(why, errno, url);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1); /* length was checked */
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        err = fail_errno(why, errno, url);
        close(fd);
        return err;
    }
    err = ch_socket_file_open(path, options, why);
    if (err == CH_OK && listen(fd, BACKLOG) != 0) err = fail_errno(why, errno, url);
    if (err != CH_OK) {
        close(fd);
        unlink(path);
        return err;
    }
    *ret_fd = fd;
    return CH_OK;
}

/* "HOST:PORT", "[V6]:PORT", ":PORT" and "*:PORT"; the last two mean every address. */
static enum ch_err split(const char *url, char host[CH_LISTEN_URL_BYTES],
                         char port[PORT_DIGITS_MAX + 1], struct ch_why *why)
{
    const char *begin = url + sizeof tcp_prefix - 1;
    const char *colon = strrchr(begin, ':');
    const size_t digits = colon == NULL ? 0 : strspn(colon + 1, "0123456789");
    if (digits == 0 || digits > PORT_DIGITS_MAX || colon[1 + digits] != '\0' ||
        strtoul(colon + 1, NULL, 10) > PORT_MAX) {
        return ch_fail(why, CH_ERR_CONFIG, 0, "%s must end in a port, as tcp://HOST:PORT", url);
    }
    size_t len = (size_t)(colon - begin);
    if (len >= 2 && begin[0] == '[' && begin[len - 1] == ']') {
        begin++;
        len -= 2;
    } else if (memchr(begin, ':', len) != NULL) {
        return ch_fail(why, CH_ERR_CONFIG, 0, "%s: write an IPv6 address in [ ]", url);
    }
    if (len == 1 && begin[0] == '*') len = 0;
    memcpy(host, begin, len); /* the URL's length was checked */
    host[len] = '\0';
    memcpy(port, colon + 1, digits + 1);
    return CH_OK;
}

static int listen_at(const struct addrinfo *address)
{
    const int on = 1;
    int fd = open_socket(address->ai_family);
    if (fd < 0) return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) {
        return fd;
    }
    int code = errno;
    close(fd);
    errno = code;
    return -1;
}

static enum ch_err listen_tcp(const char *url, const struct ch_listen_options *options, int *ret_fd,
                              struct ch_why *why)
{
    char host[CH_LISTEN_URL_BYTES] = "";
    char port[PORT_DIGITS_MAX + 1] = "";
    enum ch_err err = split(url, host, port, why);
    if (err != CH_OK) return err;
    if (!options->allow_remote && !ch_listen_is_loopback(host)) {
        return ch_fail(why, CH_ERR_CONFIG, 0,
                       "%s is not a loopback address: use tls+tcp://, or allow remote plain tcp",
                       url);
    }
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(host[0] == '\0' ? NULL : host, port, &hints, &found);
    if (rc != 0) {
        return ch_fail(why, CH_ERR_CONFIG, rc, "cannot listen at %s: %s", url, gai_strerror(rc));
    }
    int fd = -1;
    for (const struct addrinfo *one = found; one != NULL && fd < 0; one = one->ai_next) {
        fd = listen_at(one);
    }
    int code = errno;
    freeaddrinfo(found);
    if (fd < 0) return fail_errno(why, code, url);
    *ret_fd = fd;
    return CH_OK;
}

/* The URL with the port that the system chose, where port 0 was asked for. */
static void describe(struct ch_sp_listen *listener, const char *url)
{
    const size_t len = strlen(url);
    struct sockaddr_storage address = {0};
    socklen_t address_len = sizeof address;
    memcpy(listener->url, url, len + 1); /* length was checked */
    if (listener->is_ipc || strcmp(url + len - 2, ":0") != 0) return;
    if (getsockname(listener->fd, (struct sockaddr *)&address, &address_len) != 0) return;
    uint16_t port = 0;
    if (address.ss_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, &address, sizeof v4);
        port = ntohs(v4.sin_port);
    } else if (address.ss_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, &address, sizeof v6);
        port = ntohs(v6.sin6_port);
    }
    int made = snprintf(listener->url, sizeof listener->url, "%.*s%u", (int)len - 1, url, port);
    CH_CHECK(made > 0 && (size_t)made < sizeof listener->url);
}

enum ch_err ch_sp_listen_open(const char *url, const struct ch_listen_options *options,
                              struct ch_sp_listen *ret, struct ch_why *why)
{
    CH_CHECK(url != NULL);
    struct ch_sp_listen listener = {.fd = -1, .is_ipc = begins(url, ipc_prefix)};
    if (strlen(url) + PORT_DIGITS_MAX >= CH_LISTEN_URL_BYTES) {
        return ch_fail(why, CH_ERR_CONFIG, 0, "the URL is too long: %s", url);
    }
    if (!listener.is_ipc && !begins(url, tcp_prefix)) {
        return ch_fail(why, CH_ERR_CONFIG, 0,
                       "\"%s\": only ipc://, tcp:// and tls+tcp:// are offered", url);
    }
    enum ch_err err = listener.is_ipc ? listen_ipc(url, options, &listener.fd, why)
                                      : listen_tcp(url, options, &listener.fd, why);
    if (err != CH_OK) return err;
    describe(&listener, url);
    *ret = listener;
    return CH_OK;
}

void ch_sp_listen_close(struct ch_sp_listen *listener)
{
    close(listener->fd);
    if (listener->is_ipc) unlink(listener->url + sizeof ipc_prefix - 1);
    listener->fd = -1;
}
