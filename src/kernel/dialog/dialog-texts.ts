/**
 * What the screens say, word by word: the shape that each language fills (`texts-en.ts`, `texts-de.ts`). Short, since the smallest
 * display holds four lines of twelve characters; plain, since nobody learns a phone's menu for one day.
 */
import type { UserField } from "../account/user-data.ts";
import type { CatalogKind, Lack } from "../catalog/catalog-item.ts";
import type { ItemState, OrderState } from "../order/order.ts";

export type DialogTexts = {
  readonly welcome: string;
  readonly roads: Readonly<Record<CatalogKind, string>>;
  readonly roadNotes: Readonly<Record<CatalogKind, string>>;
  readonly choose: string;
  readonly nothingOffered: string;
  readonly notNow: string;
  /** Why the device in hand cannot have it. */
  readonly lacks: Readonly<Record<Lack, string>>;
  /** Of a package: what of it the device in hand cannot have. */
  readonly leavesOut: string;
  readonly youHaveIt: string;
  readonly newerVersion: string;
  readonly includes: string;
  readonly needs: string;
  readonly conflictsWith: string;
  readonly withTerms: string;
  readonly termsOf: string;
  readonly inPackage: string;
  readonly fromServer: string;
  readonly goToServer: string;
  readonly askServer: string;
  readonly priceChanged: string;
  readonly order: string;
  readonly yourData: string;
  readonly yourDataWhy: string;
  readonly optional: string;
  readonly pleaseCheck: string;
  readonly detailsAgain: string;
  readonly careSignIn: string;
  readonly careSettings: string;
  readonly careMend: string;
  readonly careWaitsForNumber: string;
  readonly careWaitsForSettings: string;
  readonly careOnItsWay: string;
  readonly careNotArrived: string;
  readonly careResent: string;
  readonly careGivenUp: string;
  readonly careGiveUpSure: string;
  readonly detailsAgainWhy: string;
  /** While who asks is verified: whose word is awaited, until when, and what no word is. */
  readonly awaited: Readonly<Record<"person" | "machines" | "subscriber", string>>;
  readonly card: {
    readonly number: string;
    readonly expiry: string;
    readonly code: string;
    readonly kept: string;
  };
  readonly account: {
    readonly number: string;
    /** By telephone. */
    readonly keyed: string;
    readonly holder: string;
    readonly allow: string;
    readonly kept: string;
  };
  readonly payBy: Readonly<Record<"card" | "account", string>>;
  readonly paidBy: string;
  /** The PIN for the telephone: how it is chosen, and the SMS that tells of it. */
  readonly pin: Readonly<
    Record<"title" | "why" | "forgotten" | "now" | "wanted" | "form" | "again" | "kept" | "notice", string>
  >;
  readonly request: string;
  readonly terms: string;
  readonly accept: string;
  readonly decline: string;
  readonly stillNeeded: string;
  readonly send: string;
  readonly notInstalled: string;
  readonly sendAgain: string;
  readonly giveUp: string;
  readonly youHaveNow: string;
  readonly nothingYet: string;
  readonly remove: string;
  /** Something else is given for what is there, or a newer version of it is taken. */
  readonly change: string;
  readonly removeSure: string;
  readonly removed: string;
  readonly myServices: string;
  readonly myRequests: string;
  readonly help: string;
  readonly helpCall: string;
  readonly helpCallPlain: string;
  readonly helpWhere: string;
  readonly helpNothingOpen: string;
  readonly home: string;
  readonly back: string;
  readonly refresh: string;
  readonly language: string;
  readonly signIn: string;
  readonly signInWhy: string;
  readonly phoneNumber: string;
  readonly phoneNumberForm: string;
  readonly phoneNumberWrong: string;
  readonly linkSent: string;
  /** An SMS: as short as it can be. */
  readonly signInLink: string;
  readonly code: string;
  readonly codeWrong: string;
  readonly problem: string;
  readonly until: string;
  readonly more: string;
  readonly goOn: string;
  readonly linkReady: string;
  readonly offered: string;
  readonly states: Readonly<Record<OrderState, string>>;
  /** What the user can do now, or that they need do nothing; empty where the state says all. */
  readonly nextSteps: Readonly<Record<OrderState, string>>;
  /** Grounds of a rejection that are told, by the kernel's words for them. */
  readonly rejections: Readonly<Record<string, string>>;
  readonly itemStates: Readonly<Record<ItemState, string>>;
  readonly fields: Readonly<Record<UserField, string>>;
  readonly faults: Readonly<Record<string, string>>;
  readonly problems: Readonly<Record<string, string>>;
};
