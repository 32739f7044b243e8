/** The management tree of a simulated device: nodes by address, and what its commands answer (OMA-TS-DM_RepPro 1.2.1 §10). */

type ManagedNode = { readonly format: string; readonly value: string | null };
export type ManagedTree = Map<string, ManagedNode>;

/** Where access points stand on it, and what stands in one. */
const ROOTS = { connmo: "./NAP", s60: "./AP", windows: "./Vendor/MSFT/NAP", none: "./Other" } as const;
export type ManagedKind = keyof typeof ROOTS;

const URI_CHARACTERS_MAX = 127;
const OK = 200;

export function freshTree(kind: ManagedKind, about: Readonly<Record<string, string>>): ManagedTree {
  const tree: ManagedTree = new Map();
  const addParents = (uri: string): void => {
    const parent = parentOf(uri);
    if (parent === "." || tree.has(parent)) return;
    addParents(parent);
    tree.set(parent, { format: "node", value: null });
  };
  for (const [uri, value] of Object.entries(about)) {
    addParents(uri);
    tree.set(uri, { format: "chr", value });
  }
  for (const root of [ROOTS[kind], ...(kind === "connmo" ? ["./Proxy"] : [])]) {
    addParents(root);
    tree.set(root, { format: "node", value: null });
  }
  return tree;
}

const parentOf = (uri: string): string => uri.slice(0, uri.lastIndexOf("/"));
const childrenIn = (tree: ManagedTree, uri: string): string[] =>
  [...tree.keys()].filter((one) => parentOf(one) === uri).map((one) => one.slice(uri.length + 1));

export function addNode(tree: ManagedTree, uri: string, node: ManagedNode): number {
  if (uri.length > URI_CHARACTERS_MAX) return 414;
  if (tree.has(uri)) return 418;
  const parent = tree.get(parentOf(uri));
  if (!parent) return 404;
  if (parent.format !== "node") return 405;
  tree.set(uri, node);
  return OK;
}

export function replaceNode(tree: ManagedTree, uri: string, { value }: ManagedNode): number {
  const known = tree.get(uri);
  if (!known) return 404;
  if (known.format === "node") return 405;
  tree.set(uri, { ...known, value });
  return OK;
}

/** Names of its children, joined by slashes; or its value. */
export function getNode(tree: ManagedTree, uri: string): ManagedNode | undefined {
  const known = tree.get(uri);
  if (known?.format !== "node") return known;
  return { format: "node", value: childrenIn(tree, uri).join("/") };
}

/** The access points that stand in it, by what a user sees of them: their title, and their values. */
export function accessPointsIn(
  tree: ManagedTree,
  kind: ManagedKind,
): { readonly title: string; readonly apn: string; readonly user?: string; readonly password?: string }[] {
  const root = ROOTS[kind];
  return childrenIn(tree, root).flatMap((name) => {
    const leaf = (...paths: string[]): string | undefined => {
      for (const path of paths) {
        const value = tree.get(`${root}/${name}/${path}`)?.value;
        if (value) return value;
      }
      return undefined;
    };
    const nap = "NAPDef/NAPDef1";
    const apn = leaf("NAPAddr", "Addr", `${nap}/NAPAddr`);
    const user = leaf("AuthInfo/AuthName", `${nap}/NAPAuthInf/NAPAuthInf1/AuthName`);
    const password = leaf("AuthInfo/AuthSecret", `${nap}/NAPAuthInf/NAPAuthInf1/AuthSecr`);
    if (apn === undefined) return [];
    const title = leaf("Name", `${nap}/Name`) ?? name;
    return [
      {
        title,
        apn,
        ...(user === undefined ? {} : { user }),
        ...(password === undefined ? {} : { password }),
      },
    ];
  });
}
