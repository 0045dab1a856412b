// SPDX-License-Identifier: Apache-2.0
// In a page: takes jobs from whoever served it, one after the other, each {library, config, aead,
// message, url} for an oblivious request to url; and hands the results back.
import { libraries } from "./libraries.mjs";
import { ask } from "./oblivious.mjs";

async function over(url, { method, headers, body }) {
  const answer = await fetch(url, { method, headers, body });
  return {
    status: answer.status,
    type: answer.headers.get("content-type") ?? "",
    body: new Uint8Array(await answer.arrayBuffer()),
  };
}

for (;;) {
  const job = await (await fetch("/job")).json();
  let result;
  try {
    result = await ask(libraries[job.library], job, (what) => over(job.url, what));
  } catch (error) {
    result = { error: `${error.name}: ${error.message}` };
  }
  await fetch("/done", { method: "POST", body: JSON.stringify(result) });
}
