// SPDX-License-Identifier: Apache-2.0
// llama.cpp's tokens of texts: node llama.mjs FOLDER/OF/NODE_MODULES MODEL.gguf TEXTS.json TOKENS.json
// Each text twice: its control tokens as text, and as tokens.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [, , modules, model, texts, tokens] = process.argv;
const { getLlama, LlamaLogLevel } = await import(
  pathToFileURL(`${modules}/node-llama-cpp/dist/index.js`));
const llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.error });
const loaded = await llama.loadModel({ modelPath: model, vocabOnly: true });
const out = [];
for (const text of JSON.parse(readFileSync(texts, 'utf8'))) {
  out.push([loaded.tokenize(text, false), loaded.tokenize(text, true)]);
}
writeFileSync(tokens, JSON.stringify(out));
process.exit(0);
