/** The URIs among a certificate's subject alternative names, from node's text of them; it quotes what could be mistaken. */
export const uriNames = (subjectAltName: string | undefined): string[] =>
  (subjectAltName ?? "").split(", ").flatMap((name) => (name.startsWith("URI:") ? [name.slice(4)] : []));
