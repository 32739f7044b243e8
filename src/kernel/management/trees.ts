/**
 * Where devices keep access points in their management trees. Makers differ, and few publish what they have: a device is asked
 * which of these roots it knows, and nothing is guessed for one that knows none (docs/settings-formats.md).
 *
 *   | tree    | root                               | from                                                          |
 *   | connmo  | ./NAP, ./Proxy                     | OMA connectivity objects, bearer 3GPP-PS: general knowledge   |
 *   | s60     | ./AP                               | Symbian's own adapter                                         |
 *   | windows | ./Vendor/MSFT/NAP                  | Microsoft's NAP configuration service provider                |
 *   | verizon | ./ManagedObjects/ConnMO/LTE/APN    | Android's ConnMO plug-in: fixed slots, 3 is Internet          |
 */
import type { SettingsPoint } from "../payload/settings-values.ts";

/** A node to be set; `value` null is an interior one. */
export type TreeNode = {
  readonly uri: string;
  readonly value: string | null;
  readonly format: "node" | "chr" | "int" | "bool";
};

export type ManagementTree = {
  readonly name: string;
  readonly root: string;
  /** What is to be set for an access point, parents before children; none where the tree has no place for it. */
  readonly nodesOf: (point: SettingsPoint, title: string) => readonly TreeNode[];
};

const DEFAULT_PROXY_PORT = 8080;

const node = (uri: string): TreeNode => ({ uri, value: null, format: "node" });
const leaf = (uri: string, value: string | null, format: TreeNode["format"] = "chr"): TreeNode[] =>
  value === null ? [] : [{ uri, value, format }];

/** The same name each time, so that a later session finds what an earlier one set. */
const nameOf = ({ use }: SettingsPoint): string => `Turnup-${use}`;

/** Name and secret of the access point, and how they are shown where the tree has a node for that. */
const authNodes = (
  base: string,
  { authType, user, password }: SettingsPoint,
  names: { readonly type?: string; readonly name: string; readonly secret: string },
): TreeNode[] =>
  authType === "none"
    ? []
    : [
        node(base),
        ...(names.type === undefined ? [] : leaf(`${base}/${names.type}`, authType.toUpperCase())),
        ...leaf(`${base}/${names.name}`, user ?? ""),
        ...leaf(`${base}/${names.secret}`, password ?? ""),
      ];
const AUTH_INFO = { type: "AuthType", name: "AuthName", secret: "AuthSecret" };
const portOf = ({ port }: SettingsPoint): string => String(port ?? DEFAULT_PROXY_PORT);

function connmoNodes(point: SettingsPoint, title: string): TreeNode[] {
  const name = nameOf(point);
  const nap = `./NAP/${name}`;
  const proxy = `./Proxy/${name}`;
  return [
    node(nap),
    ...leaf(`${nap}/NAPID`, name),
    ...leaf(`${nap}/Name`, title),
    ...leaf(`${nap}/NAPAddr`, point.apn),
    ...leaf(`${nap}/NAPAddrTy`, "APN"),
    node(`${nap}/BearerL`),
    node(`${nap}/BearerL/1`),
    ...leaf(`${nap}/BearerL/1/BearerType`, "3GPP-PS"),
    ...authNodes(`${nap}/AuthInfo`, point, AUTH_INFO),
    ...(point.proxy === null
      ? []
      : [
          node(proxy),
          ...leaf(`${proxy}/ProxyID`, name),
          ...leaf(`${proxy}/Name`, title),
          ...leaf(`${proxy}/ProxyAddr`, point.proxy),
          node(`${proxy}/PortL`),
          node(`${proxy}/PortL/1`),
          ...leaf(`${proxy}/PortL/1/PortNbr`, portOf(point), "int"),
          node(`${proxy}/NAPRefL`),
          node(`${proxy}/NAPRefL/1`),
          ...leaf(`${proxy}/NAPRefL/1/NAPRef`, nap),
        ]),
  ];
}

function s60Nodes(point: SettingsPoint, title: string): TreeNode[] {
  const root = `./AP/${nameOf(point)}`;
  const nap = `${root}/NAPDef/NAPDef1`;
  return [
    node(root),
    node(`${root}/NAPDef`),
    node(nap),
    ...leaf(`${nap}/Name`, title),
    ...leaf(`${nap}/Startpg`, point.homepage),
    node(`${nap}/Bearer`),
    node(`${nap}/Bearer/Bearer1`),
    ...leaf(`${nap}/Bearer/Bearer1/BearerL`, "GPRS"),
    ...leaf(`${nap}/NAPAddr`, point.apn),
    ...leaf(`${nap}/NAPAddrTy`, "APN"),
    ...(point.authType === "none" ? [] : [node(`${nap}/NAPAuthInf`)]),
    ...authNodes(`${nap}/NAPAuthInf/NAPAuthInf1`, point, { name: "AuthName", secret: "AuthSecr" }),
  ];
}

function windowsNodes(point: SettingsPoint, title: string): TreeNode[] {
  const nap = `./Vendor/MSFT/NAP/${nameOf(point)}`;
  return [
    node(nap),
    ...leaf(`${nap}/NapId`, nameOf(point)),
    ...leaf(`${nap}/Name`, title),
    ...leaf(`${nap}/Addr`, point.apn),
    ...leaf(`${nap}/AddrType`, "APN"),
    node(`${nap}/Bearer`),
    ...leaf(`${nap}/Bearer/BearerType`, "GPRS"),
    ...authNodes(`${nap}/AuthInfo`, point, AUTH_INFO),
  ];
}

/** Its slots are there from the factory, and have a place for a name alone. */
const verizonNodes = ({ use, apn }: SettingsPoint): TreeNode[] =>
  use === "internet" ? leaf("./ManagedObjects/ConnMO/LTE/APN/3/Setting/Name", apn) : [];

export const MANAGEMENT_TREES: readonly ManagementTree[] = [
  { name: "connmo", root: "./NAP", nodesOf: connmoNodes },
  { name: "s60", root: "./AP", nodesOf: s60Nodes },
  { name: "windows", root: "./Vendor/MSFT/NAP", nodesOf: windowsNodes },
  { name: "verizon", root: "./ManagedObjects/ConnMO/LTE/APN", nodesOf: verizonNodes },
];
