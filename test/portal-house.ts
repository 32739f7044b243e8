/** The portal over requests on a database of the test file's own; what it sends by SMS and what it shows is kept. */

import { randomBytes } from "node:crypto";
import { createPortal } from "../src/http/d/portal.ts";
import type { PortalDeps } from "../src/http/d/ports.ts";
import type { RoadIdentity, RoadRequest } from "../src/http/land/handler.ts";
import type { CardTokens } from "../src/kernel/account/card.ts";
import { createPortalPeople } from "../src/store/portal-link.ts";
import { createRepeats } from "../src/store/repeats.ts";
import { uuidv7 } from "../src/store/uuid.ts";
import type { Screen } from "../src/wire/screen/screen.ts";
import { freeTries } from "./memory-tries.ts";
import type { RequestHouse, RequestShop } from "./request-shop.ts";

export const CARE = { phone: "+44 20 7946 0000", url: null };
export const PORTAL_KEY = new Uint8Array(32).fill(0x51);

export type Sms = { readonly to: string; readonly text: string };

export function portalOver(shop: RequestShop, house: RequestHouse, changes: Partial<PortalDeps> = {}) {
  const sent: Sms[] = [];
  const cards: Parameters<CardTokens["tokenise"]>[0][] = [];
  const faults: string[] = [];
  const seen: string[] = [];
  const tokenise: CardTokens["tokenise"] = async (card) => {
    cards.push(card);
    const digits = { first6: card.pan.slice(0, 6), last4: card.pan.slice(-4), brand: "visa" };
    return { kind: "token", card: { token: `tok_${cards.length}`, ...digits } };
  };
  const deps: PortalDeps = {
    clock: () => new Date(shop.time.now),
    monotonicMs: () => shop.time.now,
    freshOctets: (octets) => Uint8Array.from(randomBytes(octets)),
    key: PORTAL_KEY,
    operatorAt: async () => ({ id: house.operatorId, name: "Meridian", care: CARE }),
    catalog: shop.catalog,
    policies: shop.registry.policies,
    desk: house.requests,
    people: createPortalPeople(shop.database, shop.sealer),
    repeats: createRepeats({
      database: shop.database,
      newId: uuidv7,
      clock: () => new Date(shop.time.now),
    }),
    cardsOf: () => ({ house: { tokenise }, secret: new Uint8Array(32).fill(9), tries: freeTries() }),
    texts: {
      async send(_operatorId, messages) {
        sent.push(...messages.map(({ to, text }) => ({ to, text })));
        return messages.map(() => ({ id: uuidv7(), created: true }));
      },
    },
    publicUrl: () => "https://portal.example",
    gateways: [],
    onShown: ({ screen }) => seen.push(screen),
    onFault: (name, error) => faults.push(`${name}: ${String(error)}`),
    ...changes,
  };
  const portal = createPortal(deps);

  const identity: RoadIdentity = {
    imei: house.imei,
    imsi: house.imsi,
    msisdn: house.msisdn,
    assurance: "cert",
    bearer: "gsm",
    capability: null,
    proxy: "proxy-1",
    language: "en",
  };
  async function land(
    method: "GET" | "POST",
    target: string,
    body?: Readonly<Record<string, string>> | object,
    more: Partial<RoadRequest> & { readonly who?: Partial<RoadIdentity> } = {},
  ) {
    const [path = "", query = ""] = target.split("?");
    const { who, ...request } = more;
    const isJson = request.contentType === "application/json";
    const text = isJson
      ? JSON.stringify(body)
      : new URLSearchParams(body as Record<string, string>).toString();
    return portal.road(
      { ...identity, ...who },
      {
        method,
        path,
        query: new URLSearchParams(query),
        contentType: body ? "application/x-www-form-urlencoded" : null,
        body: new TextEncoder().encode(body ? text : ""),
        idempotencyKey: null,
        noticeKey: null,
        requestId: "r1",
        ...request,
      },
    );
  }
  return {
    deps,
    portal,
    sent,
    cards,
    faults,
    seen,
    land,
    /** A screen, and that it is one. */
    async screen(
      ...asked: Parameters<typeof land>
    ): Promise<Screen & { readonly status: number; readonly code: string | undefined }> {
      const answer = await land(...asked);
      if (answer.kind !== "screen") throw new Error(`${asked[1]} is no screen`);
      return { ...answer.screen, status: answer.status, code: answer.code };
    },
  };
}
export type PortalHouse = ReturnType<typeof portalOver>;

/** What a form sends: its hidden values, what stands in its fields, and what is typed. */
export function filled(
  { form }: Pick<Screen, "form">,
  typed: Readonly<Record<string, string>> = {},
): Record<string, string> {
  if (!form) throw new Error("there is no form on this screen");
  const values = form.fields.map(({ name, value }): [string, string] => [name, value ?? ""]);
  return { ...form.hidden, ...Object.fromEntries(values), ...typed };
}

/** The screen itself, without the status that it came with. */
export function reading({
  status: _,
  code: __,
  ...screen
}: Screen & { readonly status: number; readonly code: string | undefined }): Screen {
  return screen;
}
