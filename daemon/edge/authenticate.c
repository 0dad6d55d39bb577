/* authenticate: see authenticate.h. SPDX-License-Identifier: MIT */
#include "daemon/edge/authenticate.h"

static bool among(const struct ch_config_uids *uids, int64_t uid)
{
    for (size_t i = 0; i < uids->count; i++) {
        if ((int64_t)uids->items[i] == uid) return true;
    }
    return false;
}

/* Who is at the other end. */
struct peer {
    int64_t uid; /* -1: not known */
    bool is_operator;
    bool is_service; /* or the operator */
};

static enum ch_err refused(struct ch_why *why, const char *text)
{
    return ch_fail_field(why, CH_ERR_AUTH_REFUSED, "auth", "auth: %s", text);
}

static enum ch_err be_peer(const struct peer *peer, struct ch_moment *ret)
{
    ret->channel = (uint8_t)(peer->is_operator ? CH_channel_operator : CH_channel_api);
    ret->actor.kind = (uint8_t)(peer->is_operator ? CH_actor_kind_operator : CH_actor_kind_service);
    ret->actor.id = (uint64_t)peer->uid;
    return CH_OK;
}

static enum ch_err be_user(const struct ch_state *state, uint32_t user, struct ch_moment *ret)
{
    ret->channel = CH_channel_web;
    ret->actor.kind = CH_actor_kind_user;
    ret->actor.id = ch_user_row(state, user)->id;
    ret->user_row = user;
    return CH_OK;
}

static enum ch_err be_key(const struct ch_state *state, uint32_t key, uint64_t now,
                          struct ch_moment *ret, struct ch_why *why)
{
    if (key == 0) return refused(why, "there is no such key");
    const struct ch_row_key *row = ch_key_row(state, key);
    if (row->expires_at != 0 && row->expires_at <= now) return refused(why, "the key has expired");
    ret->channel = CH_channel_api;
    ret->actor.kind = CH_actor_kind_key;
    ret->actor.id = row->id;
    ret->key_row = key;
    return CH_OK;
}

static enum ch_err be_session(const struct ch_state *state, uint32_t session, uint64_t now,
                              struct ch_moment *ret, struct ch_why *why)
{
    if (session == 0 || ch_session_row(state, session)->expires_at <= now) {
        return refused(why, "there is no such session; log in again");
    }
    const uint32_t user = ch_session_row(state, session)->user;
    if (ch_user_row(state, user)->status != CH_user_status_active) {
        return refused(why, "the user is locked");
    }
    ret->session_row = session;
    return be_user(state, user, ret);
}

enum ch_err ch_authenticate(const struct ch_config *config, uint32_t own_uid, int64_t peer_uid,
                            uint64_t now, const struct ch_state *state,
                            const struct ch_request *request, struct ch_moment *ret,
                            struct ch_why *why)
{
    struct peer peer = {.uid = peer_uid};
    peer.is_operator =
        peer_uid >= 0 && (peer_uid == (int64_t)own_uid || among(&config->operators, peer_uid));
    peer.is_service = peer.is_operator || among(&config->services, peer_uid);
    const bool secret = request->auth == CH_AUTH_KEY || request->auth == CH_AUTH_SESSION;
    if (!peer.is_service && !secret) {
        return ch_fail_field(why, CH_ERR_AUTH_REFUSED, "auth",
                             peer_uid < 0
                                 ? "auth: only an ipc peer is known by its uid; use ipc://, or a "
                                   "key or a session"
                                 : "auth: uid %lld is neither operator nor service; the settings "
                                   "operators and services name them",
                             (long long)peer_uid);
    }
    ret->user_row = 0;
    ret->key_row = 0;
    ret->session_row = 0;
    ret->actor = (struct ch_actor){.has_via = request->auth != CH_AUTH_PEER && peer.is_service,
                                   .via = peer.is_service ? (uint64_t)peer_uid : 0};
    enum ch_err err = CH_OK;
    const uint8_t *hash = request->auth_secret.hash;
    switch (request->auth) {
    case CH_AUTH_PEER: err = be_peer(&peer, ret); break;
    case CH_AUTH_AS_USER: {
        const uint32_t user = ch_find_user_ref(state, &request->auth_user);
        err = user == 0 ? refused(why, "there is no such user") : be_user(state, user, ret);
        break;
    }
    case CH_AUTH_AS_KEY:
        err = be_key(state, ch_find_key(state, request->auth_key), now, ret, why);
        break;
    case CH_AUTH_KEY:
        err = be_key(state, ch_find_key_secret(state, hash, now), now, ret, why);
        break;
    case CH_AUTH_SESSION:
        err = be_session(state, ch_find_session_secret(state, hash), now, ret, why);
        break;
    }
    if (request->auth == CH_AUTH_PEER) ret->actor.via = 0;
    if (err != CH_OK || !request->has_channel || request->channel == ret->channel) return err;
    if (!peer.is_service) return refused(why, "only a service names another channel than its own");
    ret->channel = request->channel;
    return CH_OK;
}
