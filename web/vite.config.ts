/** How the console is built: one page, its parts named by what they hold, all addresses relative (docs/adr/0020). */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  plugins: [react()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // the page's policy lets no font in that stands in a style
    modulePreload: { polyfill: false },
    license: true,
  },
});
