/** Starts the console: language and nonce first, then the page. */
import "@mantine/core/styles/baseline.css";
import "@mantine/core/styles/default-css-variables.css";
import "@mantine/core/styles/global.css";
import "@mantine/core/styles/UnstyledButton.css";
import "@mantine/core/styles/CloseButton.css";
import "@mantine/core/styles/Paper.css";
import "@mantine/core/styles/Popover.css";
import "@mantine/core/styles/Overlay.css";
import "@mantine/core/styles/ScrollArea.css";
import "@mantine/core/styles/ModalBase.css";
import "@mantine/core/styles/Modal.css";
import "@mantine/core/styles/Drawer.css";
import "@mantine/core/styles/Menu.css";
import "./look/tokens.css";
import "./look/base.css";
import "./look/pages.css";
import { createTheme, MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { setNonce } from "get-nonce";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queries } from "./api/queries.ts";
import { schemeOf } from "./look/theme.ts";
import { router } from "./router.tsx";
import { chooseLanguage } from "./words/words.ts";

const nonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? "";
const root = document.getElementById("root");
setNonce(nonce); // of the style that holds the page still behind a dialog

const theme = createTheme({
  fontFamily: "var(--sans)",
  fontFamilyMonospace: "var(--mono)",
  cursorType: "pointer",
});
/** Mantine's own colours are ours. */
const variables = {
  variables: {
    "--mantine-color-body": "var(--surface)",
    "--mantine-color-text": "var(--ink)",
    "--mantine-color-dimmed": "var(--muted)",
    "--mantine-color-default-border": "var(--line)",
    "--mantine-color-default": "var(--surface)",
    "--mantine-color-default-hover": "var(--hover)",
    "--mantine-color-error": "var(--bad)",
    "--mantine-color-anchor": "var(--ink)",
  },
  light: {},
  dark: {},
};

await chooseLanguage(document.documentElement.lang);
if (root)
  createRoot(root).render(
    <StrictMode>
      <MantineProvider
        theme={theme}
        getStyleNonce={() => nonce}
        cssVariablesResolver={() => variables}
        forceColorScheme={schemeOf()}
      >
        <QueryClientProvider client={queries}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
