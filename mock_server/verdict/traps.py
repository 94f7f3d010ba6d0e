"""Right behaviour that looks wrong; each rule names those that it must not mistake for a fault."""

TRAPS = {
    1: "Not repeating a create whose answer was lost is right where there is no idempotency key.",
    2: "A new key after an error is right unless the first request made a task.",
    3: "Giving up instead of waiting for a long Retry-After is right; an earlier request is not.",
    4: "A refusal for lack of credits may be tried again once credits came back.",
    5: "Clients wait by the machine's clock, whatever the clock of the world does.",
    6: "A key is sent to the API's own host on purpose: only a foreign origin must not get it.",
    7: "An HTTP library may repeat a request on a dead connection; its user never knew.",
    8: "Looks under way when the end was told, and one look for each event, are right.",
    9: "Many requests for ranges of one video are one download.",
    10: "An answer 2xx to a forged event may hide that it was ignored.",
    11: "Equal orders may be wanted: the quiet run or the expected number of jobs says so.",
    12: "Several workers share a key: each connection has its own pace.",
    13: "A client that was ended from outside has not failed to do what it had no time for.",
    14: "What is no longer kept, or kept in part, proves nothing.",
    15: "The first event may find a cold receiver: the second shows its pace.",
}
