/**
 * The proxy's door for an operator's own WAP gateways: plain HTTP inside the operator's network, from configured
 * addresses alone. The gateway vouches for the line by one header that was agreed with it; the device's account is found
 * by that, and the assurance is `network`.
 */
import Fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import type { Admission, NetworkIdentity } from "../../proxy/admission.ts";
import { type GatewayRule, gatewayAt, type HeaderLines, identityFrom } from "../../proxy/gateway-identity.ts";
import { AIR_HEADERS } from "../../wire/message/legs.ts";
import { guardDoor } from "../connections.ts";
import { oneHeader } from "../header-lines.ts";
import { type Doorman, mountBridge } from "./bridge.ts";
import { DOOR_LIMITS, fastifyOptions, nodeTimeouts, type ProxyParts, readBodiesAsOctets } from "./parts.ts";

export async function createGatewayDoor(parts: ProxyParts): Promise<FastifyInstance> {
  const app = Fastify({ ...fastifyOptions, http: nodeTimeouts });
  // Behind a gateway are many: its address is not one subscriber's.
  guardDoor(app, DOOR_LIMITS.connection, (address) => isGateway(parts, address));
  readBodiesAsOctets(app);
  mountBridge(app, parts, gatewayDoorman(parts));
  return app;
}

const isGateway = ({ rules }: ProxyParts, address: string): boolean =>
  gatewayAt(rules.gateways, address) !== undefined;

function gatewayDoorman(parts: ProxyParts): Doorman {
  const ruleOf = (request: FastifyRequest): GatewayRule | undefined =>
    gatewayAt(parts.rules.gateways, request.ip);
  const lineOf = (request: FastifyRequest, headers: HeaderLines): NetworkIdentity | "conflict" | "none" => {
    const rule = ruleOf(request);
    return rule ? identityFrom(rule, headers) : "none";
  };
  return {
    isForGateways: true,
    whoIs(request, headers) {
      const rule = ruleOf(request);
      const line = lineOf(request, headers);
      // Behind a gateway are many: one line's failures must not lock the others out.
      const isLine = rule !== undefined && typeof line === "object";
      return {
        deviceId: isLine ? line.deviceId : null,
        fingerprint: null,
        address: request.ip,
        line: isLine ? `${rule.name} ${line.msisdn ?? line.imsi ?? ""}` : null,
      };
    },
    admit(request, headers): Admission {
      const refused = (reason: "not_a_gateway" | "identity_conflict" | "no_certificate"): Admission => ({
        kind: "refused",
        reason,
        deviceId: null,
        events: [],
      });
      if (!ruleOf(request)) return refused("not_a_gateway");
      const line = lineOf(request, headers);
      if (line === "conflict") return refused("identity_conflict");
      if (line === "none") return refused("no_certificate");
      const stated = oneHeader(headers, AIR_HEADERS.deviceId) ?? null;
      return parts.edge.admitByNetwork(line, stated, parts.now());
    },
    bearerOf: (request) => ruleOf(request)?.bearer,
    // No key of the device stands behind this door: a token could be bound to nothing.
    airSession: (_request, headers) =>
      headers.has(AIR_HEADERS.session) ? { kind: "unknown" } : { kind: "open", token: undefined },
  };
}
