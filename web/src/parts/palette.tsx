/** One box for every page, an order's number, a caller's number. Digits go out in a body, never into an address. */
import { Modal } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, dataOf } from "../api/client.ts";
import { t } from "../words/words.ts";
import { entriesFor } from "./nav.tsx";
import { Problem } from "./parts.tsx";

const ORDER_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const NUMBER = /^\+?[0-9]{6,15}$/;

type Choice = { readonly key: string; readonly label: string; go(): Promise<void> };

export default function Palette({ role, onClose }: { readonly role: string; readonly onClose: () => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const [problem, setProblem] = useState<unknown>();
  const choices = useChoices(role, text.trim());
  const chosen = choices[Math.min(at, choices.length - 1)];
  const go = async (choice: Choice | undefined): Promise<void> => {
    if (!choice) return;
    try {
      await choice.go();
      onClose();
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("palette.title")}
      closeButtonProps={{ "aria-label": t("shell.close") }}
    >
      <input
        className="search"
        role="combobox"
        aria-label={t("palette.title")}
        aria-expanded="true"
        aria-controls="palette-choices"
        aria-activedescendant={chosen && `palette-${chosen.key}`}
        autoComplete="off"
        data-autofocus
        placeholder={t("shell.find")}
        value={text}
        onChange={({ target }) => {
          setText(target.value);
          setAt(0);
          setProblem(undefined);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") setAt((now) => Math.min(now + 1, choices.length - 1));
          else if (event.key === "ArrowUp") setAt((now) => Math.max(now - 1, 0));
          else if (event.key === "Enter") void go(chosen);
          else return;
          event.preventDefault();
        }}
      />
      <div className="choices" id="palette-choices" role="listbox" aria-label={t("palette.title")}>
        {choices.map((choice) => (
          <div
            key={choice.key}
            id={`palette-${choice.key}`}
            role="option"
            tabIndex={-1}
            aria-selected={choice === chosen}
            onClick={() => void go(choice)}
            onKeyDown={() => undefined}
          >
            {choice.label}
          </div>
        ))}
      </div>
      {choices.length === 0 && <p className="muted">{t("palette.none")}</p>}
      {problem !== undefined && <Problem error={problem} />}
    </Modal>
  );
}

function useChoices(role: string, text: string): readonly Choice[] {
  const navigate = useNavigate();
  const pages = entriesFor(role)
    .filter(({ key }) => t(key).toLowerCase().includes(text.toLowerCase()))
    .map(({ to, key }) => ({ key: key.replace(".", "-"), label: t(key), go: () => navigate({ to }) }));
  if (ORDER_ID.test(text))
    return [
      {
        key: "order",
        label: t("palette.order", { text }),
        go: () => navigate({ to: "/orders/$orderId", params: { orderId: text } }),
      },
    ];
  const digits = text.replace(/[\s()-]/g, "");
  if (!NUMBER.test(digits)) return pages;
  return [
    {
      key: "number",
      label: t("palette.care", { text }),
      async go() {
        const { subscriberId } = await dataOf(api.POST("/v1/care/look-ups", { body: { number: digits } }));
        await navigate({ to: "/care/$subscriberId", params: { subscriberId } });
      },
    },
  ];
}
