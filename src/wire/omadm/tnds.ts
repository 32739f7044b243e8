/** Trees of nodes (TNDS) as a message carries them: a whole management object in one command. Source: OMA-TS-DM_TND 1.2.1 §7. */
import type { WbxmlElement } from "../wbxml/element.ts";
import { element } from "../xml/tree.ts";

/** A leaf has a value, an interior node others. */
export type DmNode = {
  readonly name: string;
  /** Of an interior node: the management object that it is, `urn:oma:mo:...`. */
  readonly object?: string;
  /** `Get=server&Replace=server`. */
  readonly acl?: string;
  /** Of a leaf; `chr` unless it says otherwise. */
  readonly format?: "chr" | "b64" | "int" | "bool";
  readonly value?: string;
  readonly nodes?: readonly DmNode[];
};

/** The tree with one root, for an Add to `./Inbox` or to a place of its own. */
export const encodeManagementTree = (root: DmNode): WbxmlElement =>
  element("MgmtTree", {}, element("VerDTD", {}, "1.2"), nodeTree(root));

function nodeTree({ name, object, acl, format = "chr", value, nodes }: DmNode): WbxmlElement {
  const isLeaf = nodes === undefined;
  const type = isLeaf ? element("MIME", {}, "text/plain") : element("DDFName", {}, object);
  return element(
    "Node",
    {},
    element("NodeName", {}, name),
    element(
      "RTProperties",
      {},
      acl === undefined ? undefined : element("ACL", {}, acl),
      element("Format", {}, element(isLeaf ? format : "node")),
      element("Type", {}, type),
    ),
    nodes?.map(nodeTree),
    isLeaf ? element("Value", {}, value ?? "") : undefined,
  );
}
