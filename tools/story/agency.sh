# agency.sh: a small story, played by tools/quickstart. SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Told with: chapter TEXT; does STATUS WORD... (charter with these words, shown); quietly WORD...;
# revision (how many events there are).

story() {
    local before
    chapter "An agency sends mail for its customers. Ann owns it; Bob and Cleo work with her. The \
operator, who runs charterd, makes the people and the master account."
    does 0 user create --username ann --full-name "Ann Ek"
    quietly user create --username bob --full-name "Bob Berg"
    quietly user create --username cleo --full-name "Cleo Carr"
    does 0 account open-master --name agency --owner ann

    chapter "Ann opens one sub-account for each customer. (--as ann: a program of the platform \
asks on her behalf; what she may do is decided by her own rights.)"
    does 0 account open-sub --as ann --on agency --name shop
    quietly account open-sub --as ann --on agency --name bakery
    does 0 account list

    chapter "People get different shares: Bob runs the shop's campaigns, Cleo reads the reports of \
every account (reach: subtree)."
    does 0 share give --as ann --on agency/shop --user bob --role user
    does 0 share give --as ann --on agency --user cleo --role watcher --reach subtree
    does 0 share list --on agency/shop

    chapter "May Bob send the shop's campaigns? And the bakery's?"
    does 0 check --user bob --scopes campaigns.send --on agency/shop
    does 1 check --user bob --scopes campaigns.send --on agency/bakery

    chapter "Bob wants to let a friend in. He cannot: the answer says which right is missing."
    does 3 share give --as bob --on agency/shop --user cleo --role user

    chapter "Ann lets Bob compose, and no longer send. Deny wins over everything that gives."
    before=$(revision)
    does 0 share restrict --as ann --on agency/shop --user bob --scopes campaigns.send
    does 1 check --user bob --scopes campaigns.send --on agency/shop
    does 0 check --user bob --scopes campaigns.update --on agency/shop

    chapter "Why may he not send? Each fact names the event that made it so."
    does 1 check --user bob --scopes campaigns.send --on agency/shop --explain

    chapter "Bob leaves. The revocation holds from the next question on."
    does 0 share end --as ann --on agency/shop --user bob
    does 1 check --user bob --scopes campaigns.update --on agency/shop

    chapter "Who may send for the shop today, and who could at event $before, before Ann took it \
away? Any question can be asked about any moment; a time does as well as a number."
    does 0 access who --on agency/shop --scopes campaigns.send
    does 0 access who --on agency/shop --scopes campaigns.send --as-of "$before"

    chapter "What happened in the shop, from the log itself. The refused act is there, too."
    does 0 events --account agency/shop
}
