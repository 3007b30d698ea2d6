// Wordcount: a page, an API, a look at its health and an end in order, with nothing but what
// Node brings. It knows nothing of Slipway: it reads PORT, and ends when it gets SIGTERM.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";

import { count } from "./count.js";

const BODY_BYTES_MAX = 1024 * 1024;
const SLOW_MS_MAX = 10_000;

const page = await readFile(new URL("public/index.html", import.meta.url));

const routes = {
  "GET /": async () => answer(200, page, "text/html; charset=utf-8"),
  "GET /healthz": async () => json(200, { status: "ok" }),
  "GET /slow": slow,
  "POST /api/count": async (request) => json(200, count(await body(request))),
};

const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://localhost");
  const route = routes[`${request.method} ${url.pathname}`];
  let made;
  try {
    made = route ? await route(request, url) : json(404, { error: "there is no such page" });
  } catch (error) {
    if (!error.status) console.error(error);
    made = json(error.status ?? 500, { error: error.status ? error.message : "it broke" });
  }
  // Connections are kept until somebody asked for the end.
  if (ending) made.headers.connection = "close";
  response.writeHead(made.status, made.headers);
  response.end(made.content);
});

/** An answer that takes as many milliseconds as asked for, 10 s at most. */
async function slow(_request, url) {
  const asked = Number(url.searchParams.get("ms") ?? 1000);
  const ms = Math.min(Number.isFinite(asked) ? Math.max(asked, 0) : 0, SLOW_MS_MAX);
  await new Promise((resolve) => setTimeout(resolve, ms));
  return json(200, { waited: ms });
}

async function body(request) {
  const parts = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX) {
      throw Object.assign(new Error("at most 1 MiB of text"), { status: 413 });
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function json(status, value) {
  return answer(status, Buffer.from(JSON.stringify(value)), "application/json");
}

function answer(status, content, type) {
  return {
    status,
    content,
    headers: { "content-type": type, "content-length": content.length },
  };
}

let ending = false;
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.on(signal, () => {
    if (ending) return;
    ending = true;
    console.log("ending: no new connections, what is on its way is finished");
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}

server.listen(Number(process.env.PORT ?? 3000), () => {
  console.log(`listening on ${server.address().port}`);
});
