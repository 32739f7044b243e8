/** The part of an operator's policy that decides about requests of the device's road. */
import Type from "typebox";
import { CARD_TRY_KINDS } from "../../kernel/account/card-tries.ts";
import { USER_FIELDS } from "../../kernel/account/user-data.ts";
import { ASSURANCES } from "../../kernel/catalog/catalog-item.ts";
import { NOTICE_TEXTS } from "../../kernel/operator/notice-texts.ts";
import { TERMS_CHANNELS } from "../../kernel/operator/request-policy.ts";
import { FULL_MATCH, NO_MATCH, PARTIAL_MATCH, TOO_MANY_TRIES } from "../../kernel/registration/own-record.ts";
import { recordOf } from "../../term/record.ts";
import { BILLED_FIELDS } from "../../wire/message/billing-api.ts";
import { named, words } from "../schema.ts";

const HOURS_MAX = 24 * 90;
const NOTICE_CHARACTERS_MAX = 600;
const LANGUAGES_MAX = 50;
const WORDS_MAX = 50;

const hours = (description: string, maximum = HOURS_MAX) =>
  Type.Integer({ minimum: 1, maximum, "x-unit": "hours", description });
const count = (unit: string, description: string, maximum = 10_000) =>
  Type.Integer({ minimum: 0, maximum, "x-unit": unit, description });
const orNull = (unit: string, description: string, range: { minimum: number; maximum: number }) =>
  Type.Unsafe<number | null>({ type: ["integer", "null"], ...range, "x-unit": unit, description });
const replyWords = (description: string) =>
  Type.Array(Type.String({ pattern: "^[\\p{L}\\p{N}]{1,20}$" }), {
    maxItems: WORDS_MAX,
    description,
  });

const Fraud = named(
  "FraudLimits",
  Type.Object(
    {
      twoPlacesMinutes: count(
        "minutes",
        "One identity in two places within so many minutes is a clone.",
        1_440,
      ),
      place: words(["network", "country"], "What a place is."),
      simsOfDeviceMax: count("SIMs", "Other SIMs that a device may have been seen with in a day."),
      cardsTriedMax: count(
        "cards",
        "Different cards tried for one subscriber or on one device; more is card testing.",
      ),
      cardAccountsMax: count("accounts", "Accounts of others that may stand on one card."),
      documentAccountsMax: count("accounts", "Accounts of others that may stand on one identity document."),
      deviceAccountsMax: count("accounts", "Accounts of others that may stand on SIMs of one device."),
      requestsMax: count("requests", "Requests of one device or subscriber within the window."),
      requestWindowHours: hours("The window that requests are counted in."),
    },
    { additionalProperties: false, description: "From when on a pattern stops a request." },
  ),
);

const userFieldList = (description: string) =>
  Type.Array(words(USER_FIELDS), { maxItems: USER_FIELDS.length, uniqueItems: true, description });

const OwnRecords = named(
  "OwnRecordPolicy",
  Type.Object(
    {
      fullScore: count("score of 100", "Least score of a full match with the operator's own record.", 100),
      partialScore: count("score of 100", "Least score of a partial match.", 100),
      requiredFields: userFieldList(
        "Asked for where there is a record; a full match needs each to be the same.",
      ),
      full: words(
        FULL_MATCH,
        "What a full match comes to: it is enough, the bureau is asked too, a person looks.",
      ),
      partial: words(PARTIAL_MATCH, "What a partial match comes to."),
      none: words(NO_MATCH, "What no match comes to."),
      askAgainFields: userFieldList(
        "Fields that may be named to whoever is asked again; never what is on file.",
      ),
      askAgainHours: hours("How long whoever is asked again has."),
      triesMax: Type.Integer({
        "x-unit": "comparisons",
        minimum: 1,
        maximum: 100,
        description: "Comparisons short of a full match, of one SIM or device; then nothing is compared.",
      }),
      triesWindowHours: hours("They are counted so long.", 720),
      tooManyTries: words(TOO_MANY_TRIES, "What too many tries come to."),
    },
    { additionalProperties: false, description: "What the operator's own record of a SIM decides." },
  ),
);

const CardTriesLimits = named(
  "CardTryLimits",
  Type.Object(
    {
      free: Type.Object(
        recordOf(CARD_TRY_KINDS, () => count("tries", "Tries without a pause.", 1_000)),
        {
          additionalProperties: false,
          description: "By what a try counts for; for address and token, refused cards alone count.",
        },
      ),
      windowHours: hours("Tries are counted so long.", 720),
      pauseSeconds: Type.Integer({
        "x-unit": "seconds",
        minimum: 1,
        maximum: 86_400,
        description: "The first pause; each is twice the last.",
      }),
      longestPauseSeconds: Type.Integer({
        "x-unit": "seconds",
        minimum: 1,
        maximum: 2_592_000,
        description: "No pause is longer.",
      }),
    },
    { additionalProperties: false, description: "When a pause comes between two cards that are tried." },
  ),
);

const noticeTexts = Type.Object(
  recordOf(NOTICE_TEXTS, () =>
    Type.Optional(
      Type.String({
        ...{ minLength: 1, maxLength: NOTICE_CHARACTERS_MAX, pattern: "^[^\\u0000]*$" },
        description: "The text of this name in this language, in place of the shipped one.",
      }),
    ),
  ),
  { additionalProperties: false, description: "Texts of one language, by name." },
);

const notices = Type.Record(Type.String({ pattern: "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$" }), noticeTexts, {
  maxProperties: LANGUAGES_MAX,
  description:
    "Texts to subscribers by language; one that is not given is taken from `en`, then from the shipped ones.",
});

const requestShape = Type.Object(
  {
    verify: words(
      ["always", "new_devices", "items"],
      "Who is verified: everybody, whoever was not provisioned on this device before, or whom an item asks it of.",
    ),
    verifyBy: words(["bureau", "own_data"], "By an identity bureau, or by what the server knows itself."),
    unknownUser: words(
      ["bureau", "review", "reject", "accept"],
      "Who looks at somebody of whom the server knows nothing: the bureau (a person where none is configured, or no name was given), a person, nobody and they are refused, nobody and their SIM is enough.",
    ),
    ownRecords: OwnRecords,
    reviewDeadlineHours: hours("How long a person of the operator has to look at who asks."),
    identityThreshold: count("score of 100", "Least score of the bureau, where it gives one.", 100),
    cardRequired: Type.Boolean({ description: "A card is checked whenever a user is verified." }),
    userFields: Type.Array(words(USER_FIELDS), {
      maxItems: USER_FIELDS.length,
      description: "What whoever asks is asked of themselves.",
    }),
    minimumAgeYears: orNull("years", "Least age of a user whose birthdate is given; null: any.", {
      minimum: 0,
      maximum: 120,
    }),
    knownModelsOnly: Type.Boolean({ description: "Refuse devices whose model no data names." }),
    devicePairing: words(
      ["current", "not_elsewhere", "any"],
      "Where sightings must have the SIM: in this device, in no other, or wherever it is.",
    ),
    fraud: Fraud,
    cardTries: CardTriesLimits,
    minimumAssurance: words(ASSURANCES, "How sure we must be who asks, whatever is asked for."),
    partnerAssurance: words(ASSURANCES, "The most that a partner's word for its customer counts."),
    verificationDeadlineMinutes: Type.Integer({
      "x-unit": "minutes",
      minimum: 1,
      maximum: 10_080,
      description: "How long checks may take; no answer by then is a no.",
    }),
    consentDeadlineHours: hours("How long terms wait for an answer."),
    termsAlsoBy: Type.Array(words(TERMS_CHANNELS), {
      maxItems: TERMS_CHANNELS.length,
      uniqueItems: true,
      description: "Where terms go beside the SMS, to the addresses that are known.",
    }),
    termsNotSent: words(
      ["continue", "stop"],
      "What becomes of a request when a channel does not take its terms before they were answered.",
    ),
    collection: Type.Object(
      {
        by: words(
          ["billing_centre", "token"],
          "Who collects what requests cost: the billing centre, which is told the sums, or this server by the token that the subscriber left.",
        ),
        retries: count("tries", "How often a sum that was refused for now is asked for again.", 20),
        retryAfterHours: hours("Between a refusal for now and the next try."),
        afterReturn: Type.Optional(
          words(
            ["by_reason", "hold"],
            "After a sum came back: `by_reason` goes on collecting what is due later, but from nothing that is closed, has no mandate or was charged back; `hold` collects nothing of that subscriber until what came back is paid. What they have stays.",
          ),
        ),
      },
      { additionalProperties: false, description: "How what requests cost is collected." },
    ),
    choiceDeadlineHours: hours("How long a choice, or missing fields, wait for an answer."),
    serviceDeadlineHours: hours("How long a service server, an element or the billing centre may take."),
    retransmissionLimit: count("resends", "How often the user may have content sent again.", 20),
    selfCareResendsMax: count(
      "resends a day",
      "How often a subscriber may have one order sent again within a day, without a person.",
      20,
    ),
    statusIntervalMinutes: orNull("minutes", "Between two periodic status notices; null sends none.", {
      minimum: 5,
      maximum: 43_200,
    }),
    unavailableItem: words(["continue", "stop"], "What becomes of the rest when an item cannot be had."),
    conflictingItem: words(["continue", "stop"], "What becomes of the rest when items are in conflict."),
    narrowbandContentOctets: count(
      "octets",
      "Content of at most so many octets goes in the notice itself; 0: always wideband.",
      1_000,
    ),
    billingFields: Type.Array(words(BILLED_FIELDS), {
      maxItems: BILLED_FIELDS.length,
      uniqueItems: true,
      description: "What the billing centre is told of an account; docs/operations.md says what each is.",
    }),
    offerDays: Type.Integer({
      "x-unit": "days",
      minimum: 1,
      maximum: 365,
      description: "How long an offer waits for an answer.",
    }),
    offerPauseDays: Type.Integer({
      "x-unit": "days",
      minimum: 0,
      maximum: 3_650,
      description: "So many days after a no to an offer the same item is not offered again; 0: at once.",
    }),
    acceptWords: replyWords(
      "Own words that mean yes in a reply by text, beside those that every operator has (YES, OK, JA, OUI, 1 ...).",
    ),
    declineWords: replyWords(
      "Own words that mean no in a reply by text, beside those that every operator has (NO, NEIN, CANCEL, 2 ...).",
    ),
    notices,
  },
  { additionalProperties: false, description: "What an operator decides about requests of devices." },
);
export const RequestPolicySchema = named("RequestPolicy", requestShape);

/** As it is put: what a client of release 0.1.0 does not know may be missing. */
export const RequestPolicyPutSchema = named(
  "RequestPolicyPut",
  Type.Object(
    {
      ...requestShape.properties,
      ownRecords: Type.Optional(requestShape.properties.ownRecords),
      collection: Type.Optional(requestShape.properties.collection),
    },
    {
      additionalProperties: false,
      description:
        "As RequestPolicy; `ownRecords` and `collection` stay as they are where they are not given.",
    },
  ),
);
