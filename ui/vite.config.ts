// Builds the one file that Airflow loads. What Airflow has as globals is left out: its React must be the page's only one.
import { defineConfig, esmExternalRequirePlugin } from "vite";

const globals = {
  react: "React",
  "react-dom": "ReactDOM",
  "react/jsx-runtime": "ReactJSXRuntime",
  "react-router-dom": "ReactRouterDOM",
};

export default defineConfig({
  logLevel: "warn",
  define: { "process.env.NODE_ENV": JSON.stringify("production") },
  // Not `external` below: it leaves calls of `require` in Recharts, which no browser has.
  plugins: [esmExternalRequirePlugin({ external: Object.keys(globals) })],
  build: {
    outDir: "../airflow_provider_userdata/ui/static",
    emptyOutDir: false,
    license: { fileName: "licenses.md" },
    lib: { entry: "src/main.tsx", formats: ["iife"], name: "AirflowPlugin", fileName: () => "main.js" },
    rolldownOptions: {
      output: { globals },
      // Chakra marks its files as "use client", for servers that render React: without meaning here.
      onLog: (level, log, handle) => log.code !== "MODULE_LEVEL_DIRECTIVE" && handle(level, log),
    },
  },
});
