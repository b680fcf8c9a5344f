import js from "@eslint/js";

const PAGE = [
  "document",
  "window",
  "self",
  "AudioContext",
  "HTMLElement",
  "HTMLInputElement",
  "HTMLSelectElement",
  "HTMLButtonElement",
  "HTMLCanvasElement",
  "HTMLScriptElement",
  "Element",
  "Worker",
  "URL",
  "requestAnimationFrame",
  "getComputedStyle",
  "navigator",
  "Event",
  "MutationObserver",
];
const ANYWHERE = [
  "Blob",
  "Response",
  "DecompressionStream",
  "TextDecoder",
  "TextEncoder",
  "atob",
  "setTimeout",
  "performance",
  "process",
];

export default [
  js.configs.recommended,
  {
    languageOptions: {
      globals: Object.fromEntries([...PAGE, ...ANYWHERE].map((name) => [name, "readonly"])),
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      complexity: ["error", 14],
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "max-depth": ["error", 3],
      "max-len": ["error", { code: 140 }],
      "max-lines": ["error", 310],
      "max-lines-per-function": ["error", 60],
      "max-params": ["error", 6],
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-shadow": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-template": "error",
    },
  },
];
