/** The page of the API's description: its words, its look, and what asks for the description and gives it to Swagger UI. */

export const PAGE_HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API of Turnup</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="apidocs/swagger-ui.css">
<link rel="stylesheet" href="apidocs/page.css">
</head>
<body>
<main>
<form id="ask" hidden>
<h1>API of Turnup</h1>
<p>The description of the API is shown to whoever has a token. <code>turnup token add</code> makes one; <code>npm start</code> prints one.</p>
<label for="token">Token</label>
<input id="token" type="password" autocomplete="off" spellcheck="false" required>
<button type="submit">Show the API</button>
<p id="said" role="status"></p>
</form>
<div id="docs"></div>
<noscript><p>This page needs JavaScript. <code>/openapi.json</code> is the description itself.</p></noscript>
</main>
<script src="apidocs/swagger-ui-bundle.js"></script>
<script src="apidocs/page.js"></script>
</body>
</html>
`;

/** The token stays in the page's memory and goes when the page is closed. */
export const PAGE_SCRIPT = `"use strict";
const form = document.getElementById("ask");
const said = document.getElementById("said");
const field = document.getElementById("token");

async function show(token) {
  const headers = token ? { authorization: "Bearer " + token } : {};
  const answer = await fetch("openapi.json", { headers });
  if (!answer.ok) {
    const { title, next } = await answer.json().catch(() => ({}));
    return [title || "The server answers " + answer.status + ".", next].filter(Boolean).join(" ");
  }
  const spec = await answer.json();
  spec.servers = [{ url: new URL(".", location.href).href.replace(/\\/$/, ""), description: "This server." }];
  form.hidden = true;
  const ui = SwaggerUIBundle({
    spec,
    domNode: document.getElementById("docs"),
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    filter: true,
    validatorUrl: null,
    onComplete: () => token && ui.preauthorizeApiKey("token", token),
  });
  return undefined;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  said.textContent = "";
  said.textContent = (await show(field.value.trim()).catch((error) => "The server cannot be reached: " + error.message)) || "";
});

// A session of the console shows it at once.
show("").then((refused) => {
  if (!refused) return;
  form.hidden = false;
  field.focus();
}, () => { form.hidden = false; });
`;

export const PAGE_STYLE = `:root { color-scheme: light; }
body { margin: 0; background: #fff; color: #1a1d21; font: 16px/1.5 system-ui, sans-serif; }
#ask { max-width: 34rem; margin: 4rem auto; padding: 0 1rem; }
#ask label { display: block; font-weight: 600; margin-top: 1.5rem; }
#ask input { box-sizing: border-box; width: 100%; min-height: 44px; padding: 0 0.75rem; font: inherit; border: 1px solid #6b7280; border-radius: 6px; }
#ask button { min-height: 44px; margin-top: 1rem; padding: 0 1.25rem; font: inherit; font-weight: 600; color: #fff; background: #1f4fd8; border: 0; border-radius: 6px; cursor: pointer; }
#ask :focus-visible { outline: 3px solid #1f4fd8; outline-offset: 2px; }
#said { color: #a3180d; }
`;
