/** A settings document as the specification writes it in XML, `wap-provisioningdoc`, read into ours. Source: OMA-WAP-ProvCont 1.1 §4. */
import { TurnupError } from "../../term/error.ts";
import { DecodeError } from "../decode-error.ts";
import { readXml } from "../xml/read.ts";
import { documentOfTree } from "./codec.ts";
import type { ProvisioningDocument } from "./document.ts";

const LIMITS = {
  documentOctets: 65_536,
  depth: 16,
  elements: 1_024,
  attributesOfAnElement: 8,
  attributes: 2_048,
};

/**
 * Reads a document in UTF-8, its document type ignored.
 * @throws TurnupError `payload_malformed`: no XML, another root, or elements that do not stand as the DTD says
 */
export function documentOfXml(bytes: Uint8Array): ProvisioningDocument {
  try {
    return documentOfTree(readXml(bytes, { doctype: true, limits: LIMITS }).root);
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new TurnupError("payload_malformed", `The XML is no settings document: ${cause.message}.`, {
      cause,
    });
  }
}
