/* ingress: requests in, replies out; chooses who speaks SP at a URL. SPDX-License-Identifier: MIT
 * ipc:// and tcp:// are ours (sp.h), tls+tcp:// is nng's (ingress_nng.h), whose eventfd stands in
 * our epoll set. The top bit of a slot's index says whose it is. */
#include "daemon/edge/ingress.h"
#include "daemon/edge/ingress_nng.h"
#include "daemon/edge/sp.h"
#include "schema/base/check.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

enum { INGRESS_MAGIC = 0x696e6772 };

static const uint32_t nng_bit = UINT32_C(1) << 31;
static const char tls_prefix[] = "tls+tcp://";

struct ch_ingress {
    uint32_t magic;
    bool nng_first; /* in the next drain; they take turns */
    struct ch_sp *sp;
    struct ch_ingress_nng *nng; /* NULL: no URL needs it */
    size_t url_count;
    const char *urls[CH_INGRESS_URLS_MAX]; /* theirs */
};

static bool is_tls(const char *url)
{
    return strncmp(url, tls_prefix, sizeof tls_prefix - 1) == 0;
}

static enum ch_err check_options(const struct ch_ingress_options *options, struct ch_why *why)
{
    if (options->url_count == 0 || options->url_count > CH_INGRESS_URLS_MAX) {
        return ch_fail(why, CH_ERR_CONFIG, 0, "1 to %d URLs to listen at are needed, not %zu",
                       CH_INGRESS_URLS_MAX, options->url_count);
    }
    if (options->slots > CH_INGRESS_SLOTS_MAX) {
        return ch_fail(why, CH_ERR_CONFIG, 0, "at most %d requests can be held, not %u",
                       CH_INGRESS_SLOTS_MAX, options->slots);
    }
    if (options->peers > CH_INGRESS_PEERS_MAX) {
        return ch_fail(why, CH_ERR_CONFIG, 0, "at most %d connections can be kept, not %u",
                       CH_INGRESS_PEERS_MAX, options->peers);
    }
    if (options->send_timeout_ms > INT32_MAX) {
        return ch_fail(why, CH_ERR_CONFIG, 0, "the send timeout is too long");
    }
    return CH_OK;
}

static enum ch_err open_nng(struct ch_ingress *ingress, const struct ch_ingress_options *options,
                            struct ch_why *why)
{
    enum ch_err err = ch_ingress_nng_open(options, &ingress->nng, why);
    if (err != CH_OK) return err;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(ch_sp_fd(ingress->sp), EPOLL_CTL_ADD, ch_ingress_nng_fd(ingress->nng), &event)) {
        return ch_fail(why, CH_ERR_NET_IO, errno, "epoll: %s", strerror(errno));
    }
    return CH_OK;
}

enum ch_err ch_ingress_open(const struct ch_ingress_options *options, struct ch_ingress **ret,
                            struct ch_why *why)
{
    CH_CHECK(options != NULL && ret != NULL);
    const char *own_urls[CH_INGRESS_URLS_MAX];
    const char *nng_urls[CH_INGRESS_URLS_MAX];
    enum ch_err err = check_options(options, why);
    if (err != CH_OK) return err;
    struct ch_ingress_options own = *options;
    struct ch_ingress_options nng = *options;
    own.urls = own_urls;
    own.url_count = 0;
    nng.urls = nng_urls;
    nng.url_count = 0;
    for (size_t i = 0; i < options->url_count; i++) {
        if (is_tls(options->urls[i])) {
            nng_urls[nng.url_count++] = options->urls[i];
        } else {
            own_urls[own.url_count++] = options->urls[i];
        }
    }
    struct ch_ingress *ingress = calloc(1, sizeof *ingress);
    if (ingress == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, /* code= */ 0, "ingress");
    ingress->magic = INGRESS_MAGIC;
    if ((err = ch_sp_open(&own, &ingress->sp, why)) != CH_OK) goto out;
    if (nng.url_count > 0 && (err = open_nng(ingress, &nng, why)) != CH_OK) goto out;
    ingress->url_count = options->url_count;
    size_t own_at = 0;
    size_t nng_at = 0;
    for (size_t i = 0; i < options->url_count; i++) {
        ingress->urls[i] = is_tls(options->urls[i]) ? ch_ingress_nng_url(ingress->nng, nng_at++)
                                                    : ch_sp_url(ingress->sp, own_at++);
    }
    *ret = ingress;
    ingress = NULL; /* given to the caller */
out:
    ch_ingress_close(ingress);
    return err;
}

void ch_ingress_close(struct ch_ingress *ingress)
{
    if (ingress == NULL) return;
    CH_CHECK(ingress->magic == INGRESS_MAGIC);
    ch_ingress_nng_close(ingress->nng);
    ch_sp_close(ingress->sp);
    ingress->magic = 0;
    free(ingress);
}

int ch_ingress_fd(const struct ch_ingress *ingress)
{
    CH_CHECK(ingress->magic == INGRESS_MAGIC);
    return ch_sp_fd(ingress->sp);
}

static size_t drain_nng(struct ch_ingress *ingress, struct ch_ingress_arrival *arrivals, size_t max)
{
    if (ingress->nng == NULL) return 0;
    size_t count = ch_ingress_nng_drain(ingress->nng, arrivals, max);
    for (size_t i = 0; i < count; i++) {
        CH_CHECK((arrivals[i].slot.index & nng_bit) == 0);
        arrivals[i].slot.index |= nng_bit;
    }
    return count;
}

size_t ch_ingress_drain(struct ch_ingress *ingress, struct ch_ingress_arrival *arrivals, size_t max)
{
    CH_CHECK(ingress->magic == INGRESS_MAGIC);
    const bool nng_first = ingress->nng_first;
    ingress->nng_first = !nng_first;
    size_t taken = nng_first ? drain_nng(ingress, arrivals, max) : 0;
    taken += ch_sp_drain(ingress->sp, arrivals + taken, max - taken);
    if (!nng_first) taken += drain_nng(ingress, arrivals + taken, max - taken);
    return taken;
}

static bool is_nng(const struct ch_ingress *ingress, struct ch_ingress_slot *slot)
{
    CH_CHECK(ingress->magic == INGRESS_MAGIC);
    if ((slot->index & nng_bit) == 0) return false;
    CH_CHECK(ingress->nng != NULL);
    slot->index &= ~nng_bit;
    return true;
}

enum ch_err ch_ingress_reply(struct ch_ingress *ingress, struct ch_ingress_slot slot,
                             const struct ch_bytes *parts, size_t part_count, struct ch_why *why)
{
    if (is_nng(ingress, &slot)) {
        return ch_ingress_nng_reply(ingress->nng, slot, parts, part_count, why);
    }
    return ch_sp_reply(ingress->sp, slot, parts, part_count, why);
}

void ch_ingress_flush(struct ch_ingress *ingress)
{
    CH_CHECK(ingress->magic == INGRESS_MAGIC);
    ch_sp_flush(ingress->sp);
}

void ch_ingress_drop(struct ch_ingress *ingress, struct ch_ingress_slot slot)
{
    if (is_nng(ingress, &slot)) {
        ch_ingress_nng_drop(ingress->nng, slot);
    } else {
        ch_sp_drop(ingress->sp, slot);
    }
}

bool ch_ingress_peer_gone(const struct ch_ingress *ingress, struct ch_ingress_slot slot)
{
    if (is_nng(ingress, &slot)) return ch_ingress_nng_peer_gone(ingress->nng, slot);
    return ch_sp_peer_gone(ingress->sp, slot);
}

uint32_t ch_ingress_held(const struct ch_ingress *ingress)
{
    uint32_t held = ch_sp_held(ingress->sp);
    return ingress->nng == NULL ? held : held + ch_ingress_nng_held(ingress->nng);
}

uint32_t ch_ingress_slots(const struct ch_ingress *ingress)
{
    return ch_sp_slots(ingress->sp);
}

struct ch_ingress_counters ch_ingress_counters(const struct ch_ingress *ingress)
{
    CH_CHECK(ingress->magic == INGRESS_MAGIC);
    struct ch_ingress_counters sum = ch_sp_counters(ingress->sp);
    if (ingress->nng == NULL) return sum;
    const struct ch_ingress_counters more = ch_ingress_nng_counters(ingress->nng);
    sum.received += more.received;
    sum.replied += more.replied;
    sum.send_failures += more.send_failures;
    sum.dropped += more.dropped;
    sum.receive_failures += more.receive_failures;
    sum.peers += more.peers;
    sum.peers_refused += more.peers_refused;
    sum.wakes += more.wakes;
    return sum;
}

const char *ch_ingress_url(const struct ch_ingress *ingress, size_t n)
{
    CH_CHECK(n < ingress->url_count);
    return ingress->urls[n];
}
