/**
 * How the telephone menu comes to know its caller: a language, a number, and the code that reached it by SMS. The number
 * from which somebody calls is no proof, since anybody can set it; the code is. The same is said whether a number is known
 * or not.
 */
import { PIN_DIGITS } from "../../kernel/account/telephone-pin.ts";
import { fill } from "../../kernel/dialog/texts.ts";
import type { Screen } from "../../wire/screen/screen.ts";
import { Allowance } from "../allowance.ts";
import type { HttpDeps } from "../ports.ts";
import { CODE_DIGITS, hashOfCode, hashOfSignInToken, newToken, sendCode } from "../sign-in-link.ts";
import type { VoiceCall } from "./call.ts";
import { numberKeyed } from "./caller.ts";
import { CALL_LANGUAGES, callWordsIn } from "./words.ts";

const TAIL_DIGITS = 2;
const NUMBER_CHARACTERS_MAX = 17;
const WINDOW_MS = 15 * 60_000;
const CODES_PER_NUMBER = 5;
const REMEMBERED_MAX = 10_000;

/** Where a step leads: an address of this server with the call as it is then. */
export type Address = (to: string, call: VoiceCall) => string;

export const STEP = { number: "number", send: "send", code: "code", pin: "pin" } as const;

export function languageScreen(operatorName: string, call: VoiceCall, at: Address): Screen {
  return {
    id: "language",
    title: operatorName,
    lang: "en",
    text: [],
    entries: CALL_LANGUAGES.map(([language, label]) => ({
      label,
      href: at(STEP.number, { ...call, language }),
    })),
    actions: [],
  };
}

/** The number that the caller has, where the exchange told one; else, or if they want another, they key it. */
export function numberScreen(call: VoiceCall, at: Address, wasWrong = false): Screen {
  const words = callWordsIn(call.language);
  const href = at(STEP.send, call);
  const wrong = wasWrong ? [words.numberWrong] : [];
  const shared = { id: "number", title: words.whichNumber, lang: call.language, entries: [] };
  if (call.caller !== null && !wasWrong) {
    const other = { ...call, caller: null };
    return {
      ...shared,
      text: [fill(words.ownNumber, { tail: call.caller.slice(-TAIL_DIGITS).split("").join(" ") })],
      actions: [
        { role: "accept", label: words.sendCode, href, method: "post" },
        { role: "more", label: words.otherNumber, href: at(STEP.number, other) },
      ],
    };
  }
  return {
    ...shared,
    text: wrong,
    actions: [],
    form: {
      action: href,
      submit: words.send,
      hidden: {},
      fields: [
        {
          name: "msisdn",
          label: words.number,
          note: words.numberHint,
          kind: "phone",
          required: true,
          minLength: 7,
          maxLength: NUMBER_CHARACTERS_MAX,
        },
      ],
    },
  };
}

export function codeScreen(call: VoiceCall, at: Address, wasWrong: boolean): Screen {
  const words = callWordsIn(call.language);
  return {
    id: "code",
    title: wasWrong ? words.codeWrong : words.codeSent,
    lang: call.language,
    text: [],
    entries: [],
    actions: [],
    form: {
      action: at(STEP.code, call),
      submit: words.send,
      hidden: {},
      fields: [
        {
          name: "code",
          label: words.code,
          kind: "digits",
          required: true,
          minLength: CODE_DIGITS,
          maxLength: CODE_DIGITS,
        },
      ],
    },
  };
}

/** Asked of those alone who set one, once their code was right. */
export function pinScreen(call: VoiceCall, at: Address, wasWrong: boolean): Screen {
  const words = callWordsIn(call.language);
  return {
    id: "pin",
    title: wasWrong ? words.pinWrong : words.pinAsked,
    lang: call.language,
    text: [],
    entries: [],
    actions: [],
    form: {
      action: at(STEP.pin, call),
      submit: words.send,
      hidden: {},
      fields: [
        {
          name: "pin",
          label: words.pin,
          kind: "digits",
          required: true,
          minLength: PIN_DIGITS.min,
          maxLength: PIN_DIGITS.max,
        },
      ],
    },
  };
}

export type CodeDesk = {
  /** The call with its half of the code; `wrong_number`, `too_often`. */
  send(
    deps: HttpDeps,
    operatorId: string,
    call: VoiceCall,
    keyed: string | undefined,
  ): Promise<VoiceCall | "wrong_number" | "too_often">;
  /** The call with its subscriber, or with whose PIN it awaits, or with one failure more. */
  check(deps: HttpDeps, operatorId: string, call: VoiceCall, code: string): Promise<VoiceCall>;
};

export function createCodeDesk(): CodeDesk {
  const asked = new Allowance({ perWindow: CODES_PER_NUMBER, windowMs: WINDOW_MS, keysMax: REMEMBERED_MAX });
  return {
    async send(deps, operatorId, call, keyed) {
      const msisdn = keyed === undefined ? call.caller : numberKeyed(keyed);
      if (msisdn === null || msisdn === undefined) return "wrong_number";
      const { monotonicMs, requests } = deps;
      const key = Buffer.from(hashOfSignInToken(`${operatorId} ${msisdn}`)).toString("base64url");
      if (asked.take(key, monotonicMs()) > 0) return "too_often";
      const challenge = newToken(requests);
      const person = await requests.people.find(operatorId, { msisdn });
      if (person) {
        const { subscriberId } = person;
        await sendCode(deps, { operatorId, subscriberId, msisdn, language: call.language }, challenge);
      }
      return { ...call, challenge };
    },
    async check({ clock, requests }, operatorId, call, code) {
      const { challenge } = call;
      const now = clock();
      const subscriberId =
        challenge === null
          ? undefined
          : await requests.people.useCode(
              operatorId,
              {
                tokenHash: hashOfSignInToken(challenge),
                codeHash: hashOfCode(challenge, code.replace(/\D/g, "").slice(0, CODE_DIGITS)),
              },
              now,
              now,
            );
      if (subscriberId === undefined) return { ...call, failures: call.failures + 1 };
      const proved = { ...call, provedMs: now.getTime(), challenge: null, failures: 0 };
      const hasPin = await requests.pins.isSet(operatorId, subscriberId);
      return hasPin ? { ...proved, pinOf: subscriberId } : { ...proved, subscriberId, pinOf: null };
    },
  };
}
