/* input_base: for each call a line that is taken as it stands. SPDX-License-Identifier: MIT
 * See input.h. The names are those of input.world. A line with && is one message, whose last call
 * is meant. */
#include "tests/scenarios/input.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define TWO_ACCOUNTS "accounts=north,north/shop"

const struct input_base input_bases[] = {
    /* ---- accounts ---- */
    {"operator: account.open_master name=fresh owner=gus sub_depth=2", 0},
    {"ann: account.open_sub on=north name=fresh username=fresher password=fresh-word-1 "
     "full_name=Fresh from_domain=fresh.example.org use_master_header_footer=true "
     "feed_from_master=true content_locked=true use_master_unsubscribe_list=true "
     "honour_list_in_master=true",
     0},
    {"session $ann_secret: account.open_own name=fresh", 0},
    {"ann: account.close on=north below=true", 0},
    {"operator: account.reopen on=north/barn below=true", 0},
    {"ann: account.suspend on=north reason=holidays", 0},
    {"ann: account.resume on=north/mill reason=done", 0},
    {"ann: account.rename on=north name=fresh", 0},
    {"ann: account.set_from_domain on=north from_domain=north.example.org", 0},
    {"ann: account.request_master on=north/inn reason=growth", 0},
    {"operator: account.grant_master on=north/shop sub_depth=1", 0},
    {"operator: account.decline_master on=north/shop reason=later", 0},
    {"ann: account.set_switches on=north account=north/shop use_master_header_footer=true "
     "feed_from_master=true content_locked=true use_master_unsubscribe_list=true "
     "honour_list_in_master=true",
     0},
    {"session $ann_secret: account.switch on=north/shop", 0},
    {"session $ann_secret: account.switch on=north", 0},
    {"ann: guardrail.set on=north scopes=campaigns.send", 0},
    {"ann: guardrail.set on=north scopes=campaigns.send dry_run=true && whatif after=1 limit=9", 0},
    {"ann: settings.set on=north header=Hello footer=Bye", 0},
    {"operator: limit.set name=OFFER_DAYS value=9", 0},
    /* ---- users, passwords, sessions ---- */
    {"operator: user.create username=fresh email=fresh@example.org full_name=Fresh", 0},
    {"operator: user.lock user=gus", 0},
    {"operator: user.unlock user=loose", 0},
    {"operator: user.erase user=gus", 0},
    {"eve: user.update_profile username=eva email=eva@example.org full_name=Eva", 0},
    {"operator: user.set_password user=gus password=some-word-1", 0},
    {"ann: user.set_password old=anns-word-1 password=some-word-1", 0},
    {"ann: user.set_password user=ann old=anns-word-1 password=some-word-1", 0},
    {"operator: session.log_in user=ann password=anns-word-1 seconds=60", BASE_SILENT},
    {"session $ann_secret: session.log_out session=$ann_session", 0},
    {"session $ann_secret: session.log_out all=true", 0},
    /* ---- shares ---- */
    {"ann: share.give on=north user=gus role=reader reach=account kind=member "
     "expires_at=2020-03-01T00:00:00Z",
     0},
    {"ann: share.give on=north group=team role=user", 0},
    {"ann: share.set_role on=north user=eve role=watcher reach=account", 0},
    {"ann: share.set_role on=north group=crew role=spare", 0},
    {"ann: share.set_expiry on=north user=eve expires_at=2020-03-01T00:00:00Z", 0},
    {"ann: share.set_expiry on=north group=crew", 0},
    {"ann: share.limit on=north user=eve kind=list resources=L1,L2", 0},
    {"ann: share.limit on=north group=crew kind=list all=true", 0},
    {"ann: share.restrict on=north user=eve scopes=campaigns.send pages=files,surveys", 0},
    {"ann: share.restrict on=north group=crew pages=files", 0},
    {"ann: share.grant on=north user=eve kind=list resource=L9 scopes=lists.share", 0},
    {"ann: share.grant on=north group=crew kind=list resource=L9 scopes=lists.share", 0},
    {"ann: share.revoke on=north user=eve kind=list resource=L1", 0},
    {"ann: share.revoke on=north group=crew kind=list resource=L1", 0},
    {"ann: share.set_scopes on=north user=eve scopes=reports.export", 0},
    {"ann: share.set_scopes on=north group=crew scopes=reports.export", 0},
    {"ann: share.deactivate on=north user=eve end_made=true", 0},
    {"ann: share.deactivate on=north group=crew", 0},
    {"ann: share.activate on=north user=fay", 0},
    {"ann: share.activate on=north group=crew", 0},
    {"ann: share.end on=north user=eve end_made=true", 0},
    {"ann: share.end on=north group=crew", 0},
    {"ann: access.set_review on=north every_days=30", 0},
    {"ann: access.certify on=north shares=$eve_share", 0},
    {"ann: access.review_end on=north shares=$old_share due=true unused_days=1", 0},
    /* ---- invitations, logins ---- */
    {"ann: share.invite on=north email=fresh@example.org full_name=Fresh role=watcher "
     "scopes=lists.read,campaigns.read,automations.read,contact_groups.read,templates.read "
     "reach=account pages=files expires_at=2020-03-01T00:00:00Z lists=L1,L2 campaigns=C1 "
     "automations=A1 contact_groups=G1 templates=T1",
     0},
    {"ann: share.invite on=north email=fresh@example.org role=watcher " TWO_ACCOUNTS, 0},
    {"ann: share.invite on=north email=fresh@example.org role=reader accounts=north", 0},
    {"ann: invitation.resend on=north user=dan@example.org", 0},
    {"ann: invitation.cancel on=north user=dan@example.org", 0},
    {"operator: invitation.accept token=$dan password=dans-word-1", 0},
    {"operator: invitation.decline token=$dan", 0},
    {"ann: login.create on=north username=fresh password=some-word-1 full_name=Fresh "
     "restrictions=files,lists expires_at=2020-03-01T00:00:00Z",
     0},
    {"ann: login.edit on=north user=desk restrictions=reports", 0},
    {"ann: login.delete on=north user=desk", 0},
    /* ---- groups, roles ---- */
    {"ann: group.create on=north name=fresh parent=crew", 0},
    {"ann: group.move on=north group=empty parent=crew", 0},
    {"ann: group.delete on=north group=empty", 0},
    {"ann: group.add on=north group=crew user=hal", 0},
    {"ann: group.remove on=north group=crew user=eve", 0},
    {"ann: role.define on=north name=fresh scopes=reports.read", 0},
    {"ann: role.rename on=north role=spare name=fresh", 0},
    {"ann: role.delete on=north role=spare", 0},
    {"operator: role.publish role=watcher", 0},
    {"operator: role.publish page=files", 0},
    /* ---- keys ---- */
    {"ann: key.create on=north name=fresh kind=account scopes=reports.read "
     "expires_at=2020-03-01T00:00:00Z",
     0},
    {"ann: key.rename on=north key=$robot name=fresh", 0},
    {"ann: key.rotate on=north key=$robot overlap_s=60", 0},
    {"ann: key.revoke on=north key=$robot", 0},
    /* ---- requests, campaigns, content ---- */
    {"eve: access.request on=north scopes=lists.share kind=list resource=L5 remark=please", 0},
    {"eve: access.request on=north page=settings", 0},
    {"ann: access.approve on=north request=$request", 0},
    {"ann: access.deny on=north request=$request reason=no", 0},
    {"eve: access.withdraw on=north request=$request", 0},
    {"hal: campaign.submit on=north campaign=C2 content_hash=" HASH " remark=please", 0},
    {"ann: campaign.approve on=north campaign=C1 content_hash=" HASH " submission=$submission", 0},
    {"ann: campaign.reject on=north campaign=C1 reason=no", 0},
    {"hal: campaign.edit on=north campaign=C1 content_hash=" HASH, 0},
    {"ann: campaign.send on=north campaign=C1 content_hash=" HASH " list=L1", 0},
    {"ann: content.feed on=north kind=template resource=T9 account=north/shop", 0},
    {"ann: content.unfeed on=north kind=template resource=T1 account=north/shop", 0},
    {"ann: content.unfeed on=north kind=template resource=T2", 0},
    {"eve: activity.record on=north section=Lists path=\"L1 > Renamed\" object=L1", 0},
    /* ---- ownership ---- */
    {"ann: ownership.offer on=north user=gus", 0},
    {"ann: ownership.offer on=north user=new", 0},
    {"ann: share.give on=north user=new", 0},
    {"ann: ownership.withdraw on=west user=bob", 0},
    {"bob: ownership.accept account=west", 0},
    {"bob: ownership.decline account=west reason=no", 0},
    {"operator: ownership.assign on=north user=gus", 0},
    /* ---- billing, credits ---- */
    {"operator: plan.set on=east name=small total=100 paid=true period=monthly "
     "anchor=2020-01-01T00:00:00Z rate_from=0,100 rate_price=10,9",
     0},
    {"operator: plan.change on=north name=small total=900000 next_total=100 paid=true "
     "period=monthly anchor=2020-01-01T00:00:00Z rate_from=0,100 rate_price=10,9",
     0},
    {"ann: billing.request_separation on=north/farm reason=taxes", 0},
    {"operator: billing.grant_separation on=north/shop name=small total=100 paid=true "
     "period=monthly anchor=2020-01-01T00:00:00Z rate_from=0,100 rate_price=10,9",
     0},
    {"operator: billing.refuse_separation on=north/shop reason=no", 0},
    {"operator: billing.grant_separation on=north/shop name=small total=100 && "
     "billing.end_separation on=north/shop",
     0},
    {"operator: plan.set on=east name=small total=100 && plan.end on=east", 0},
    {"ann: credits.allocate on=north account=north/shop type=recurring total=50 "
     "reset_frequency=daily",
     0},
    {"ann: credits.withdraw on=north account=north/farm", 0},
    {"operator: credits.reserve on=north amount=10 expires_at=2020-02-05T01:00:00Z reference=B1",
     0},
    {"operator: credits.settle reservation=$reservation used=5", 0},
    {"operator: credits.release reservation=$reservation", 0},
    {"operator: credits.spend on=north amount=10", 0},
    /* ---- statistics, streams, unsubscribe lists ---- */
    {"operator: stats.add on=north stream=marketing key=$robot sent=1 delivered=1 bounced=1 "
     "complained=1 opened=1 clicked=1 unsubscribed=1",
     0},
    {"operator: reputation.set_thresholds on=north bounce_ppm=100 complaint_ppm=100 volume=100", 0},
    {"ann: stream.stop on=north stream=marketing key=$robot reason=quiet", 0},
    {"ann: stream.resume on=north/farm stream=marketing reason=loud", 0},
    {"ann: stream.resume on=north stream=marketing key=$robot reason=loud", 0},
    {"ann: suppression.add on=north address=more@example.org reason=manual", 0},
    {"ann: suppression.remove on=north address=off@example.org", 0},
    {"operator: suppression.rotate_key", 0},
    {"operator: suppression.rotate_key && suppression.rotate_key && suppression.retire_key key=2",
     0},
    /* ---- imports: each begun in the same message ---- */
    {"operator: import.begin format=access-ndjson", 0},
    {"operator: import.begin format=access-ndjson && import.advance line=1 digest=" HASH, 0},
    {"operator: import.begin format=access-ndjson && import.end line=1", 0},

    /* ---- queries ---- */
    {"ann: check on=north user=eve scopes=lists.share resource=L1 any=true channel=web "
     "explain=true",
     0},
    {"ann: check on=north key=$robot scopes=reports.read", 0},
    {"ann: check on=north/shop user=gus scopes=templates.read resource=T1 of=north", 0},
    {"ann: access.explain on=north user=eve scope=lists.share resource=L1 any=true channel=web "
     "after=0 limit=10",
     0},
    {"ann: access.explain on=north key=$robot scope=reports.read", 0},
    {"ann: access.remedy on=north user=eve scope=lists.share resource=L1 any=true channel=web "
     "after=0 limit=10",
     0},
    {"ann: access.remedy on=north key=$robot scope=reports.read", 0},
    {"ann: access.origins on=north user=eve scopes=lists.share resource=L1 any=true channel=web "
     "after=0 limit=10",
     0},
    {"ann: access.origins on=north key=$robot scopes=reports.read", 0},
    {"ann: access.receipt on=north user=eve scope=lists.share resource=L1 any=true channel=web "
     "names=true",
     0},
    {"ann: access.receipt on=north key=$robot scope=reports.read", 0},
    {"ann: access.holders on=north scope=lists.share resource=L1 any=true channel=web "
     "after=0 limit=10",
     0},
    {"ann: access.scopes on=north user=eve kind=list resource=L1", 0},
    {"ann: access.who on=north scopes=lists.share resource=L1 after=0 limit=10", 0},
    {"ann: account.list below=north status=open suspended=false asks_master=false after=0 limit=10",
     0},
    {"ann: account.switches on=north after=0 limit=10", 0},
    {"ann: settings.show on=north brief=true", 0},
    {"ann: account.show on=north reasons=true", 0},
    {"bob: ownership.offers after=0 limit=10", 0},
    {"ann: limit.list name=OFFER_DAYS", 0},
    {"ann: user.list on=north after=0 limit=10", 0},
    {"ann: invitation.preview on=north email=fresh@example.org full_name=Fresh "
     "role=watcher " TWO_ACCOUNTS,
     0},
    {"ann: invitation.preview on=north email=fresh@example.org role=reader accounts=north", 0},
    {"ann: login.list on=north after=0 limit=10", 0},
    {"ann: access.orphans on=north user=bob after=0 limit=10", 0},
    {"ann: access.review on=north below=true unused_days=30 due=true after=$north limit=10", 0},
    {"operator: user.show user=eve", 0},
    {"ann: share.list on=north after=0 limit=10", 0},
    {"ann: share.show on=north user=eve", 0},
    {"ann: share.show on=north group=crew", 0},
    {"ann: group.list on=north after=0 limit=10", 0},
    {"ann: group.members on=north group=crew after=0 limit=10", 0},
    {"ann: role.list account=north", 0},
    {"ann: role.show on=north role=reader after=0 limit=10", 0},
    {"ann: role.change_effect on=north role=reader scopes=reports.read after=0 limit=10", 0},
    {"operator: role.publish_effect role=watcher after=0 limit=10", 0},
    {"ann: page.list", 0},
    {"session $ann_secret: session.list", 0},
    {"session $ann_secret: session.accounts after=0 limit=10", 0},
    {"ann: key.list on=north after=0 limit=10", 0},
    {"ann: key.show on=north key=$robot", 0},
    {"ann: key.scopes on=north key=$robot", 0},
    {"key $robot_secret: key.scopes on=north", 0},
    {"ann: command.needs type=share.give", 0},
    {"ann: access.requests on=north status=pending after=0 limit=10", 0},
    {"eve: access.mine", 0},
    {"ann: access.deciders on=north request=$request after=0 limit=10", 0},
    {"ann: campaign.submissions on=north status=submitted after=0 limit=10", 0},
    {"ann: campaign.approvers on=north campaign=C1 after=0 limit=10", 0},
    {"ann: campaign.send_check on=north user=eve campaign=C1 content_hash=" HASH " list=L1", 0},
    {"operator: events.read from=1 limit=10 account=north user=eve type=share_given wait_ms=0 "
     "opened=true",
     0},
    {"operator: import.status format=access-ndjson", 0},
    {"operator: status state_hash=true", 0},
    /* Moves time, whatever else the message says; this is where it stands. */
    {"operator: clock.set to=2020-02-05T00:00:00Z", BASE_WORLDLY},
    /* Checkpoints and keys are no events. */
    {"ann: checkpoint.list after=0 limit=10", 0},
    {"ann: checkpoint.show number=1", 0},
    {"ann: checkpoint.show size=$before_all", 0},
    {"operator: checkpoint.make", BASE_WORLDLY},
    {"ann: checkpoint.key", 0},
    {"operator: checkpoint.rotate", BASE_WORLDLY},
    /* Only a witness can make what is taken. */
    {"operator: checkpoint.cosign number=1 lines=\"a witness\"", BASE_WORLDLY | BASE_REFUSED},
    {"operator: proof.inclusion seq=1 size=$before_all", 0},
    {"ann: proof.consistency from=1 to=$before_all", 0},
    {"ann: plan.show on=north", 0},
    {"ann: stats.show on=north key=$robot after=0 limit=10", 0},
    {"ann: stats.series on=north stream=marketing key=$robot from=2020-01-01T00:00:00Z "
     "to=2020-01-02T00:00:00Z subtree=false",
     0},
    {"ann: usage.history on=north stream=marketing from=2020-01-01T00:00:00Z "
     "to=2020-01-02T00:00:00Z subtree=true",
     0},
    {"ann: reputation.show on=north after=0 limit=10", 0},
    {"ann: reputation.list on=north alerts=false after=0 limit=10", 0},
    {"ann: suppression.check on=north address=off@example.org", 0},
    {"ann: suppression.list on=north after=0 limit=10", 0},
    {"operator: suppression.keys after=0 limit=10", 0},
    {"ann: credits.show on=north", 0},
    {"ann: credits.list on=north after=0 limit=10", 0},
    {"ann: credits.reservations on=north after=0 limit=10", 0},
    {"ann: content.check on=north/shop kind=template resource=T1", 0},
    {"ann: content.list on=north/shop kind=template after=0 limit=10", 0},
    {"ann: content.feeds on=north account=north/shop after=0 limit=10", 0},
    {"ann: activity.list on=north user=eve section=Lists from=2020-01-01T00:00:00Z "
     "to=2020-01-02T00:00:00Z oldest_first=true full=true after=0 limit=10",
     0},
    {"ann: billing.statement on=north from=2020-01-01T00:00:00Z to=2020-02-01T00:00:00Z after=0 "
     "limit=10",
     0},
    {"ann: billing.separation on=north", 0},
    {"operator: plan.list paid=true after=0 limit=10", 0},
};
const size_t input_base_count = sizeof input_bases / sizeof input_bases[0];

const char *input_foreign_label(uint8_t kind)
{
    switch (kind) {
    case CH_KIND_account_ref: return "$south";
    case CH_KIND_user_ref: return "$zoe";
    case CH_KIND_group_ref: return "$south_group";
    case CH_KIND_role_ref: return "$south_role";
    case CH_KIND_key: return "$south_key";
    case CH_KIND_share: return "$south_share";
    case CH_KIND_session: return "$south_session";
    case CH_KIND_request: return "$south_request";
    case CH_KIND_submission: return "$south_submission";
    default: return NULL;
    }
}

const char *input_foreign_name(uint8_t kind)
{
    switch (kind) {
    case CH_KIND_account_ref: return "south";
    case CH_KIND_user_ref: return "zoe";
    case CH_KIND_group_ref: return "southcrew";
    case CH_KIND_role_ref: return "southrole";
    default: return NULL;
    }
}

const char *const *input_states(uint8_t kind)
{
    static const char *const accounts[] = {"north/barn", "north/mill", "$gone", "$north", NULL};
    static const char *const users[] = {"loose", "tim",     "fay",  "$left", "dan@example.org",
                                        "desk",  "shopper", "$ann", NULL};
    static const char *const groups[] = {"$split", "empty", NULL};
    static const char *const roles[] = {"$dropped", "owner", "spare", NULL};
    static const char *const shares[] = {"$shop_share", "$pending_share", "$ended_share", NULL};
    static const char *const keys[] = {"$late_key", "$revoked_key", "$shop_key", NULL};
    static const char *const sessions[] = {"$late_session", NULL};
    static const char *const requests[] = {"$late_request", NULL};
    static const char *const submissions[] = {"$old_submission", NULL};
    static const char *const reservations[] = {"$late_reservation", "$used_reservation", NULL};
    static const char *const none[] = {NULL};
    switch (kind) {
    case CH_KIND_account_ref: return accounts;
    case CH_KIND_user_ref: return users;
    case CH_KIND_group_ref: return groups;
    case CH_KIND_role_ref: return roles;
    case CH_KIND_key: return keys;
    case CH_KIND_share: return shares;
    case CH_KIND_session: return sessions;
    case CH_KIND_request: return requests;
    case CH_KIND_submission: return submissions;
    case CH_KIND_reservation: return reservations;
    default: return none;
    }
}

const char *input_other_reason(int type, const char *key, const char *usual)
{
    /* The last submission is another one, whichever was meant. */
    const bool submission = type == CH_CMD_campaign_approve && strcmp(key, "submission") == 0;
    return submission ? "approval_void" : usual;
}
