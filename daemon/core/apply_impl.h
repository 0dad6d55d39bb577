/* apply_impl: the effect of each event, by its name: share_given is ch_apply_share_given in
 * apply_share.c. SPDX-License-Identifier: MIT */
#ifndef CH_CORE_APPLY_IMPL_H
#define CH_CORE_APPLY_IMPL_H
#include "daemon/core/apply.h"
#include "schema/records.h"

typedef void ch_effect_fn(struct ch_state *state, const struct ch_event *event);
#define EVENT_BEGIN(name, tag, makes, text) ch_effect_fn ch_apply_##name;
#define EVENT_END(name)
#include "schema/words_none.h"
#include "schema/events.def"
#endif
