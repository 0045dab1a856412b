#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Makes src/vocab/vocab_letters.c from the Unicode tables of this Node: scripts/letters.mjs > FILE
// What came after Unicode 15.1 is left out: models' own tokenizers do not know it.
const later = `88f c5c cdc 1c89-1c8a a7cb-a7cf a7d2 a7d4 a7da-a7dc a7f1 105c0-105f3 10940-10959
  10d40-10d65 10d6f-10d85 10ec2-10ec7 11380-11389 1138b 1138e 11390-113b5 113b7 113d1 113d3
  116d0-116e3 11bc0-11be0 11bf0-11bf9 11db0-11ddb 11de0-11de9 13460-143fa 16100-1611d 16130-16139
  16d40-16d6c 16d70-16d79 16ea0-16eb8 16ebb-16ed3 16ff2-16ff6 187f8-187ff 18cff 18d09-18d1e
  18d80-18df2 1ccf0-1ccf9 1e5d0-1e5ed 1e5f0-1e5fa 1e6c0-1e6de 1e6e0-1e6e2 1e6e4-1e6e5 1e6e7-1e6ed
  1e6f0-1e6f4 1e6fe-1e6ff 2b73a-2b73f 2cea2-2cead 323b0-33479`.split(/\s+/)
  .map((range) => range.split('-').map((code) => parseInt(code, 16)));
const isLater = (code) => later.some(([first, last]) => code >= first && code <= (last ?? first));
const classOf = (code) => {
  if ((code >= 0xd800 && code <= 0xdfff) || isLater(code)) return 0;
  const text = String.fromCodePoint(code);
  if (/\p{L}/u.test(text)) return 1;
  if (/\p{N}/u.test(text)) return 2;
  return /\p{White_Space}/u.test(text) ? 3 : 0;
};
const words = [];
let last = -1;
for (let code = 0; code <= 0x10ffff; code++) {
  const now = classOf(code);
  if (now !== last) words.push(`0x${((code << 2) | now).toString(16)},`);
  last = now;
}
const lines = [];
while (words.length > 0) {
  let line = '   ';
  while (words.length > 0 && line.length + 1 + words[0].length <= 100) line += ' ' + words.shift();
  lines.push(line);
}
console.log(`/* SPDX-License-Identifier: Apache-2.0 */
/* vocab_letters.c: letters, numbers and white space of Unicode 15.1. Made by scripts/letters.mjs. */
#include "vocab_parts.h"

/* clang-format off */
const uint32_t csn_vocab_letters[] = {
${lines.join('\n')}
};
/* clang-format on */
const uint32_t csn_vocab_letter_count = sizeof csn_vocab_letters / sizeof csn_vocab_letters[0];`);
