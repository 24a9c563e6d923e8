// Makes JavaScript of the tests, for node's own test runner.
import { readdirSync } from "node:fs";
import { defineConfig } from "vite";

const tests = readdirSync("tests").filter((name) => name.endsWith(".test.ts"));

export default defineConfig({
  logLevel: "warn",
  build: {
    ssr: true,
    outDir: "build/tests",
    rolldownOptions: { input: tests.map((name) => `tests/${name}`) },
  },
});
