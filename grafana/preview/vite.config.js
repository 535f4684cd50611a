// How is the page put together from packages that were never meant to be used without Grafana?
import path from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// @grafana/scenes names a file as its module that is not in the package.
const scenes = path.resolve("node_modules/@grafana/scenes/dist/esm/packages/scenes/src/index.js");

// Its compatibility layer wants version 5 of the router, everything else version 6.
const oldRouter = {
  name: "old-router",
  enforce: "pre",
  async resolveId(id, importer) {
    if (id === "react-router-dom" && importer?.includes("react-router-dom-v5-compat")) {
      return this.resolve("react-router-dom-5", importer, { skipSelf: true });
    }
    return null;
  },
};

export default defineConfig({
  resolve: {
    // Two copies of one of these would each have services of their own.
    dedupe: ["react", "react-dom", "@grafana/data", "@grafana/runtime", "@grafana/ui"],
    alias: [{ find: /^@grafana\/scenes$/, replacement: scenes }],
  },
  plugins: [react(), oldRouter],
  define: { "process.env.NODE_ENV": JSON.stringify("production") },
  // Names stay whole, so that an error of the page can be read.
  build: {
    target: "esnext",
    minify: false,
    chunkSizeWarningLimit: 100000,
    commonjsOptions: { transformMixedEsModules: true },
    // The editor of queries is as large as all the rest, and is loaded only where one is edited.
    rollupOptions: { external: [/^(react-)?monaco-editor/] },
  },
});
