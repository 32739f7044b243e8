/** The key by which handsets check what this server signs: device keys of the own store, and content. */
import Type from "typebox";
import { ok, route } from "../route.ts";
import { named } from "../schema.ts";

const IssuerKey = named(
  "IssuerKey",
  Type.Object({
    issuer: Type.String({ description: "The name that stands in what it signs." }),
    algorithm: Type.String({ description: "Ed25519." }),
    spki: Type.String({ description: "The public key: SubjectPublicKeyInfo in DER, base64." }),
    pem: Type.String({ description: "The same as PEM." }),
    fingerprint: Type.String({ description: "SHA-256 of the SPKI, base64." }),
    raw: Type.String({
      description: "The 32 octets of the key in hex: the binder that makers name in batches.",
    }),
  }),
);

export const showIssuer = route({
  method: "GET",
  path: "/v1/issuer",
  summary: "The public key by which handsets check what this server signs",
  description:
    "One for all servers on one database. A handset maker pins it in the client of its phones; `turnup issuer show` prints the same.",
  tag: "devices",
  roles: ["admin", "engineer", "care", "maker"],
  errors: [],
  status: 200,
  answer: IssuerKey,
  handle: async ({ issuer }) => ok({ ...issuer }),
});
