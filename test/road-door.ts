/** The doors for those who ask for somebody else, over requests on a database of the test file's own: real server, real store. */
import { randomBytes } from "node:crypto";
import type { RoadDeps } from "../src/http/ports.ts";
import type { HttpOptions } from "../src/http/server.ts";
import { createHttpServer } from "../src/http/server.ts";
import type { CardTokens } from "../src/kernel/account/card.ts";
import type { Pause } from "../src/kernel/account/card-tries.ts";
import { ROLES, type Role } from "../src/kernel/account/role.ts";
import { hashToken, tokenOf } from "../src/kernel/account/token.ts";
import { putAccountNumber } from "../src/store/account-books.ts";
import { cardSecretOf } from "../src/store/account-store.ts";
import { createCardTries } from "../src/store/card-tries.ts";
import { createPortalPeople } from "../src/store/portal-link.ts";
import { createRepeats } from "../src/store/repeats.ts";
import { createRequestReader } from "../src/store/request-reader.ts";
import { uuidv7 } from "../src/store/uuid.ts";
import { makeHouse } from "./http-house.ts";
import type { RequestShop } from "./request-shop.ts";
import { whenDone } from "./when-done.ts";

export type Sms = { readonly to: string; readonly text: string };
export const AGENT = "tel:+442079460000";

export async function roadDoor(
  shop: RequestShop,
  changes: Partial<RoadDeps> = {},
  options: HttpOptions = {},
) {
  const { database, sealer, registry, catalog, conductor, reader: orders } = shop;
  const clock = (): Date => new Date(shop.time.now);
  const sent: Sms[] = [];
  const cards: Parameters<CardTokens["tokenise"]>[0][] = [];
  const tokenise: CardTokens["tokenise"] = async (card) => {
    cards.push(card);
    return {
      kind: "token",
      card: { token: `tok_${cards.length}`, first6: "000000", last4: "0000", brand: "visa" },
    };
  };
  const paused: Pause[] = [];
  const tries = createCardTries({
    database,
    sealer,
    limitsOf: async (of) => (await registry.policies.current(of)).body.request.cardTries,
    onPause: async (_, pause) => void paused.push(pause),
    onTry: () => undefined,
  });
  const road: RoadDeps = {
    desk: conductor.requests,
    reader: createRequestReader(database, sealer, clock),
    people: createPortalPeople(database, sealer),
    cardsOf: (operatorId) => ({ house: { tokenise }, secret: cardSecretOf(sealer, operatorId), tries }),
    putAccountNumber: (given) => putAccountNumber(database, sealer, given),
    operatorOf: async (id) => ({ id, name: "Meridian", care: { phone: null, url: null } }),
    agentOf: () => AGENT,
    publicUrl: () => "https://turnup.invalid",
    freshOctets: (octets) => Uint8Array.from(randomBytes(octets)),
    key: new Uint8Array(32).fill(0x51),
    ...changes,
  };
  const server = await createHttpServer(
    {
      ...makeHouse().deps,
      ...registry,
      clock,
      newId: uuidv7,
      repeats: createRepeats({ database, newId: uuidv7, clock }),
      catalog,
      orders,
      road,
      texts: {
        async send(_operatorId, messages) {
          sent.push(...messages.map(({ to, text }) => ({ to, text })));
          return messages.map(() => ({ id: uuidv7(), created: true }));
        },
      },
    },
    options,
  );
  await server.ready();
  whenDone(() => server.close());
  return {
    server,
    sent,
    cards,
    /** A new token of a role; the label is who the audit says it was. */
    async token(operatorId: string, role: Role, label: string = role): Promise<string> {
      const token = tokenOf(Uint8Array.from(randomBytes(32)));
      const made = { id: uuidv7(), hash: hashToken(token), role, label, expiresAt: null };
      await registry.tokens.create(operatorId, made, "test");
      return token;
    },
    async tokens(operatorId: string): Promise<Readonly<Record<Role, string>>> {
      const made = await Promise.all(
        ROLES.map(async (role) => [role, await this.token(operatorId, role)] as const),
      );
      return Object.fromEntries(made) as Record<Role, string>;
    },
    get: (token: string, url: string) =>
      server.inject({ url, headers: { authorization: `Bearer ${token}` } }),
    post: (token: string, url: string, payload: object | undefined, key: string = uuidv7()) =>
      server.inject({
        method: "POST",
        url,
        headers: { authorization: `Bearer ${token}`, "idempotency-key": key },
        ...(payload && { payload }),
      }),
  };
}
export type RoadDoor = Awaited<ReturnType<typeof roadDoor>>;
