/** A message centre by npm smpp, which is not ours, with a switchboard of what centres do otherwise. */
import { createRequire } from "node:module";

/** npm smpp has no types; this is what is used of it. */
type Pdu = Readonly<Record<string, unknown>> & { response(fields?: object): object };
type Session = {
  on(event: string, listener: (pdu: Pdu) => void): void;
  send(pdu: object): void;
  deliver_sm(fields: object, done: (pdu: Pdu) => void): void;
  close(): void;
};
type Server = {
  listen(port: number, ready: () => void): void;
  address(): { port: number };
  close(): void;
};
const smpp = createRequire(import.meta.url)("smpp") as {
  createServer(accept: (session: Session) => void): Server;
};

export type Switches = {
  /** How the number of a message is written in its response, and in its receipt. Default decimal. */
  readonly response?: "decimal" | "hex";
  readonly receipt?: "decimal" | "hex";
  /** Where a receipt tells what it tells. Default its text, marked by esm_class. */
  readonly form?: "text" | "parameters" | "payload" | "unmarked";
  /** How often each receipt comes. Default 1. */
  readonly copies?: number;
  /** It comes before the response that names its message. */
  readonly isEarly?: boolean;
  /** So many submits are answered ESME_RTHROTTLED first. */
  readonly throttled?: number;
  readonly isSilentToEnquiries?: boolean;
};

const ESME_RTHROTTLED = 0x58;
const DELIVERED = 2;
const FIRST_ID = 0xabc1;

export async function smppCentre(switches: Switches) {
  const sessions = new Set<Session>();
  const answers: number[] = [];
  let nextId = FIRST_ID;
  let throttled = switches.throttled ?? 0;
  let binds = 0;
  const server = smpp.createServer((session) => {
    sessions.add(session);
    session.on("error", () => undefined);
    session.on("close", () => sessions.delete(session));
    session.on("bind_transceiver", (pdu) => {
      binds += 1;
      session.send(pdu.response({ system_id: "peer" }));
    });
    session.on("enquire_link", (pdu) => {
      if (!switches.isSilentToEnquiries) session.send(pdu.response());
    });
    session.on("unbind", (pdu) => session.send(pdu.response()));
    session.on("submit_sm", (pdu) => {
      if (throttled > 0) {
        throttled -= 1;
        session.send(pdu.response({ command_status: ESME_RTHROTTLED }));
        return;
      }
      const id = nextId++;
      const respond = (): void => session.send(pdu.response({ message_id: written(id, switches.response) }));
      if (!switches.isEarly) respond();
      for (let copy = switches.copies ?? 1; copy > 0; copy--)
        session.deliver_sm(
          {
            source_addr: pdu.destination_addr,
            destination_addr: pdu.source_addr,
            ...receiptFields(written(id, switches.receipt), switches.form),
          },
          ({ command_status }) => answers.push(Number(command_status)),
        );
      if (switches.isEarly) setImmediate(respond);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  return {
    port: server.address().port,
    /** Statuses of what was delivered. */
    answers,
    get binds() {
      return binds;
    },
    close() {
      for (const session of sessions) session.close();
      server.close();
    },
  };
}

const written = (id: number, form: "decimal" | "hex" = "decimal"): string =>
  id.toString(form === "hex" ? 16 : 10).toUpperCase();

function receiptFields(id: string, form: Switches["form"] = "text"): object {
  const text = `id:${id} sub:001 dlvrd:001 submit date:2601020304 done date:2601020305 stat:DELIVRD err:000 text:`;
  switch (form) {
    case "text":
      return { esm_class: 4, short_message: text };
    case "unmarked":
      return { esm_class: 0, short_message: text };
    case "payload":
      return { esm_class: 4, short_message: "", message_payload: text };
    case "parameters":
      return { esm_class: 4, short_message: "", receipted_message_id: id, message_state: DELIVERED };
  }
}
