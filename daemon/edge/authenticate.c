/* authenticate: see authenticate.h. SPDX-License-Identifier: MIT */
#include "daemon/edge/authenticate.h"

static bool among(const struct ch_config_uids *uids, int64_t uid)
{
    for (size_t i = 0; i < uids->count; i++) {
        if ((int64_t)uids->items[i] == uid) return true;
    }
    return false;
}

static uint32_t find_user(const struct ch_state *state, const struct ch_ref *ref)
{
    if (ref->id != 0) return ch_find_user(state, ref->id);
    const bool email = memchr(ref->name.ptr, '@', ref->name.len) != NULL;
    return ch_find_user_hash(state, email ? CH_KIND_email : CH_KIND_username, ref->hash);
}

enum ch_err ch_authenticate(const struct ch_config *config, uint32_t own_uid, int64_t peer_uid,
                            const struct ch_state *state, const struct ch_request *request,
                            struct ch_moment *ret, struct ch_why *why)
{
    const bool is_operator =
        peer_uid >= 0 && (peer_uid == (int64_t)own_uid || among(&config->operators, peer_uid));
    const bool is_service = is_operator || among(&config->services, peer_uid);
    if (!is_service) {
        return ch_fail_field(why, CH_ERR_AUTH_REFUSED, "auth",
                             peer_uid < 0
                                 ? "auth: only an ipc peer is known by its uid; use ipc://"
                                 : "auth: uid %lld is neither operator nor service; the settings "
                                   "operators and services name them",
                             (long long)peer_uid);
    }
    ret->channel = request->has_channel ? request->channel
                   : is_operator        ? CH_channel_operator
                                        : CH_channel_api;
    if (request->auth == CH_AUTH_PEER) {
        ret->actor =
            (struct ch_actor){.kind = is_operator ? CH_actor_kind_operator : CH_actor_kind_service,
                              .id = (uint64_t)peer_uid};
        ret->user_row = 0;
        return CH_OK;
    }
    const uint32_t user = find_user(state, &request->auth_user);
    if (user == 0) {
        return ch_fail_field(why, CH_ERR_AUTH_REFUSED, "auth", "auth: there is no such user");
    }
    if (!request->has_channel) ret->channel = CH_channel_web;
    ret->actor = (struct ch_actor){.kind = CH_actor_kind_user,
                                   .id = ch_user_row(state, user)->id,
                                   .has_via = true,
                                   .via = (uint64_t)peer_uid};
    ret->user_row = user;
    return CH_OK;
}
