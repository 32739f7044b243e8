/** A message of an order, opened: what stands in it layer by layer, its octets, its document, and what became of each part. */
import { useId, useState } from "react";
import type { Schemas } from "../api/client.ts";
import { Badge } from "../parts/state.tsx";
import { exactTime, isKey, t } from "../words/words.ts";

type MessageOf = Schemas["OrderStory"]["messages"][number];
const TABS = ["layers", "octets", "xml", "parts"] as const;
type Tab = (typeof TABS)[number];
const OCTETS_IN_ROW = 16;

export function Message({ message, isOpen }: { readonly message: MessageOf; readonly isOpen: boolean }) {
  const [tab, setTab] = useState<Tab>("layers");
  const id = useId();
  const delivered = message.parts.filter(({ state }) => state === "delivered").length;
  return (
    <details className="message" open={isOpen}>
      <summary>
        <b>{kindOf(message)}</b>
        <Badge state={message.state} isPlain />
        <span className="muted">
          {t("order.parts", { n: message.partCount })}, {t("order.octets", { n: message.octets })}
        </span>
        {message.parts.length > 0 && (
          <span className="muted">
            {t("order.parts.delivered", { done: delivered, n: message.partCount })}
          </span>
        )}
      </summary>
      <div className="tabs" role="tablist" aria-label={kindOf(message)}>
        {TABS.map((one) => (
          <button
            key={one}
            type="button"
            role="tab"
            id={`${id}-${one}`}
            aria-selected={one === tab}
            aria-controls={`${id}-panel`}
            onClick={() => setTab(one)}
          >
            {t(`order.message.${one}`)}
          </button>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${tab}`} tabIndex={0}>
        {tab === "layers" && <Layers message={message} />}
        {tab === "octets" && <Octets hex={message.content.hex} />}
        {tab === "xml" && <Documents message={message} />}
        {tab === "parts" && <Parts message={message} />}
      </div>
    </details>
  );
}

const kindOf = ({ kind, protocol }: MessageOf): string => {
  const key = `message.${protocol}`;
  return isKey(key) ? t(key) : `${kind.replaceAll("_", " ")}, ${protocol.replaceAll("_", " ")}`;
};

function Layers({ message: { content } }: { readonly message: MessageOf }) {
  return (
    <ul className="tree">
      {content.problem !== null && <li lang="en">{content.problem}</li>}
      {content.wsp !== null && content.wsp !== undefined && (
        <li>
          <b>WSP</b>
          <Tree value={content.wsp} />
        </li>
      )}
      {content.bodies.map((body, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: bodies have no name, and do not move
        <li key={at}>
          <b>{body.contentType ?? ""}</b> {body.sec && <span className="muted">{body.sec}</span>}
          {body.characteristics.map((one, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the document's own order
            <Characteristic key={index} value={one} />
          ))}
          {body.key !== null && body.key !== undefined && <Tree value={body.key} />}
          {body.text !== null && <p>{body.text}</p>}
        </li>
      ))}
    </ul>
  );
}

type Nested = {
  readonly type?: unknown;
  readonly parms?: readonly { name: string; value: string | null }[];
  readonly characteristics?: readonly unknown[];
};
function Characteristic({ value }: { readonly value: unknown }) {
  if (typeof value !== "object" || value === null) return null;
  const { type, parms = [], characteristics = [] }: Nested = value;
  return (
    <ul className="tree">
      <li>
        <b>{String(type ?? "")}</b>
        <ul className="tree">
          {parms.map(({ name, value: text }, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a name may stand twice
            <li key={at}>
              <span className="muted">{name}</span> <span className="mono">{text ?? ""}</span>
            </li>
          ))}
        </ul>
        {characteristics.map((one, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the document's own order
          <Characteristic key={at} value={one} />
        ))}
      </li>
    </ul>
  );
}

/** Any value of the decoder, name by name. */
function Tree({ value }: { readonly value: unknown }) {
  if (typeof value !== "object" || value === null) return <span className="mono"> {String(value)}</span>;
  return (
    <ul className="tree">
      {Object.entries(value).map(([name, one]) => (
        <li key={name}>
          <span className="muted">{name}</span>
          <Tree value={one} />
        </li>
      ))}
    </ul>
  );
}

function Octets({ hex }: { readonly hex: string | null }) {
  if (hex === null) return <p className="muted">{t("order.message.hidden")}</p>;
  const rows = hex.match(new RegExp(`.{1,${OCTETS_IN_ROW * 2}}`, "g")) ?? [];
  return (
    <pre className="octets">
      {rows.map((row, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows are their place
        <div key={at}>
          <u>{(at * OCTETS_IN_ROW).toString(16).padStart(4, "0")}</u>
          {(row.match(/../g) ?? []).join(" ")}
        </div>
      ))}
    </pre>
  );
}

function Documents({ message: { content } }: { readonly message: MessageOf }) {
  const found = content.bodies.flatMap(({ xml }) => (xml === null ? [] : [xml]));
  if (found.length === 0) return <p className="muted">{t("order.message.no_xml")}</p>;
  return found.map((xml) => (
    <pre className="octets" key={xml}>
      {xml}
    </pre>
  ));
}

const Parts = ({ message }: { readonly message: MessageOf }) => (
  <ul>
    {message.parts.map((part) => (
      <li key={part.sequence}>
        {t("order.message.part", { n: part.sequence })} <Badge state={part.state} isPlain />{" "}
        <span className="muted">
          {t("order.message.centre")} <span className="mono">{part.smsc}</span>
          {part.errorCode && `, ${part.errorCode}`}
          {part.doneAt && `, ${exactTime(part.doneAt)}`}
        </span>
      </li>
    ))}
  </ul>
);
