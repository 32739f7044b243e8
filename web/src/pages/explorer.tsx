/** Looks into a message by the decoder of the API, whoever composed it. It stands behind # in the address, which no log sees. */
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { api, dataOf, type Schemas } from "../api/client.ts";
import { Icon } from "../parts/icons.tsx";
import { Card, PageHead, Problem } from "../parts/parts.tsx";
import { t } from "../words/words.ts";

type Message = Schemas["ExploredInput"]["messages"][number];
/** An OMA CP document with one access point, of the kind that phones take by SMS. */
const EXAMPLE =
  "030b6a0045c65601870706034d6572696469616e000101c65501871106034e41503100018707060" +
  "34d6572696469616e0001870806036465" +
  "6d6f2e617000018709890101";
const IN_ADDRESS_MAX = 4_000;

export function ExplorerPage() {
  const [content, setContent] = useState(() =>
    decodeURIComponent(/^#m=(.*)$/.exec(location.hash)?.[1] ?? ""),
  );
  const [imsi, setImsi] = useState("");
  const [pin, setPin] = useState("");
  const decode = useMutation({
    mutationFn: (given: string) =>
      dataOf(
        api.POST("/v1/messages/decode", {
          body: { content: given, ...(imsi !== "" && { imsi }), ...(pin !== "" && { pin }) },
        }),
      ),
  });
  const { mutate } = decode;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, of what the address brought
  useEffect(() => {
    if (content !== "") mutate(content);
  }, []);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (content.trim() === "") return;
    const hash = content.length <= IN_ADDRESS_MAX ? `#m=${encodeURIComponent(content)}` : "";
    history.replaceState(history.state, "", location.pathname + location.search + hash);
    mutate(content);
  };
  return (
    <>
      <PageHead title={t("explorer.title")} />
      <div className="stack">
        <section className="card" aria-label={t("explorer.paste")}>
          <form className="explorer-form" onSubmit={submit}>
            <div className="field">
              <label htmlFor="content">{t("explorer.paste")}</label>
              <textarea
                id="content"
                spellCheck={false}
                value={content}
                onChange={({ target }) => setContent(target.value)}
              />
            </div>
            <div className="row">
              <div className="field">
                <label htmlFor="imsi">{t("explorer.imsi")}</label>
                <input
                  id="imsi"
                  inputMode="numeric"
                  pattern="[0-9]{6,15}"
                  autoComplete="off"
                  value={imsi}
                  onChange={({ target }) => setImsi(target.value)}
                />
              </div>
              <div className="field">
                <label htmlFor="pin">{t("explorer.pin")}</label>
                <input
                  id="pin"
                  inputMode="numeric"
                  pattern="[0-9]{1,32}"
                  autoComplete="off"
                  value={pin}
                  onChange={({ target }) => setPin(target.value)}
                />
              </div>
              <button type="button" className="button" onClick={() => setContent(EXAMPLE)}>
                {t("explorer.example")}
              </button>
              <button type="submit" className="button primary">
                {t("explorer.go")}
              </button>
            </div>
            <p className="small muted">{t("explorer.kept")}</p>
          </form>
        </section>
        {decode.error && <Problem error={decode.error} />}
        {decode.data && (
          <>
            {decode.data.findings.length > 0 && <Findings findings={decode.data.findings} />}
            {decode.data.messages.map((message, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: messages have no name, and do not move
              <Decoded key={at} message={message} number={at + 1} />
            ))}
          </>
        )}
      </div>
    </>
  );
}

function Decoded({ message, number }: { readonly message: Message; readonly number: number }) {
  const { signature } = message;
  return (
    <Card title={t("explorer.message", { n: number })}>
      <div className="body stack">
        {signature && (
          <p>
            {t("explorer.signature")}: {signature.sec},{" "}
            {t(
              signature.isRight === null
                ? "explorer.signature.open"
                : signature.isRight
                  ? "explorer.signature.right"
                  : "explorer.signature.wrong",
            )}
          </p>
        )}
        <Findings findings={message.findings} />
        {message.layers.map((layer, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: layers are their place
          <Layer key={at} layer={layer} />
        ))}
        {message.xml !== null && <pre className="octets fields">{message.xml}</pre>}
      </div>
    </Card>
  );
}

const Findings = ({ findings }: { readonly findings: Message["findings"] }) =>
  findings.length === 0 ? (
    <p>
      <Icon name="ok" tone="good" /> {t("explorer.none")}
    </p>
  ) : (
    <div>
      <h3>{t("explorer.findings")}</h3>
      <ul lang="en">
        {findings.map(({ code, layer, offset, fact, clause }, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: one code may stand twice
          <li key={at}>
            <Icon name="wait" tone="wait" /> {fact}{" "}
            <span className="muted small">
              {[code, layer, offset, clause].filter((one) => one !== null).join(", ")}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );

const Layer = ({ layer: { title, fields, length } }: { readonly layer: Message["layers"][number] }) => (
  <div>
    <h3>
      {title} <span className="muted small">{t("order.octets", { n: length })}</span>
    </h3>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
    <section className="fields" tabIndex={0} aria-label={title}>
      <table className="rows">
        <thead>
          <tr>
            <th scope="col" className="num">
              {t("explorer.at")}
            </th>
            <th scope="col">{t("explorer.field")}</th>
            <th scope="col">{t("order.message.octets")}</th>
            <th scope="col">{t("explorer.value")}</th>
            <th scope="col">{t("explorer.meaning")}</th>
          </tr>
        </thead>
        <tbody>
          {fields.map(({ name, offset, octets, value, meaning, clause }, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: fields are their place
            <tr key={at}>
              <td className="num mono">{offset}</td>
              <td title={clause}>{name}</td>
              <td className="mono">
                {octets.match(/../g)?.slice(0, 8).join(" ")}
                {octets.length > 16 ? " …" : ""}
              </td>
              <td className="wide">{value}</td>
              <td className="wide muted">{meaning}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  </div>
);
