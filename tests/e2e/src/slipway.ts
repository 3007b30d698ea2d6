// A Slipway for one run of tests: a project with a small shop in a folder of its own,
// brought up by the program in SLIPWAY, and taken down again whatever happens.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const program = process.env["SLIPWAY"];

// Keeps the contract of an instance. In bad mode it passes every look, then fails a
// third of the requests.
const server = `
import { createServer } from "node:http";
const isBad = process.argv[2] === "bad";
let answered = 0;
const server = createServer((request, response) => {
  response.setHeader("x-release", process.env.RELEASE);
  if (request.url === "/health") return response.end("ok");
  answered += 1;
  if (isBad && answered > 20 && answered % 3 === 0) response.statusCode = 500;
  response.end("shop\\n");
});
server.listen(Number(process.env.PORT), "127.0.0.1", () => {
  console.log(JSON.stringify({ level: "INFO", message: "serving <b>all</b>" }));
});
process.on("SIGTERM", () => {
  server.close();
  server.closeAllConnections?.();
  setTimeout(() => process.exit(0), 200);
});
`;

const environment = `
[proxy]
listen = "127.0.0.1:0"
workers = 1

[console]
listen = "127.0.0.1:0"

[service.shop.policy]
ready_every = "50ms"
ready_within = "20s"
quiet = "100ms"
observe = "1s"
bake = "1h"
drain_window = "3s"
stop_grace = "2s"
`;

const pipeline = (mode: string, name: string): string => `
[project]
name = "shop"

[job.check]
run = ["node", "--check", "server.mjs"]
inputs = ["server.mjs"]

[service.shop]
needs = ["check"]
start = ["node", "server.mjs", "${mode}", "${name}"]
health = "/health"
preview = ["/"]
files = [{ from = "server.mjs", to = "server.mjs" }]
`;

interface Ended {
  code: number;
  out: string;
  words: string;
}

export class Slipway {
  console = "";
  private visitors = "";
  private isLoaded = false;
  private load: Promise<void>[] = [];

  private constructor(private readonly folder: string) {}

  static async start(): Promise<Slipway> {
    assert.ok(program, "SLIPWAY names the program to test");
    const slipway = new Slipway(await mkdtemp(join(tmpdir(), "slip")));
    // Instances run as another account and must pass through here.
    await chmod(slipway.folder, 0o755);
    await mkdir(join(slipway.project, "delivery/environments"), { recursive: true });
    await writeFile(join(slipway.project, "delivery/environments/production.toml"), environment);
    await writeFile(join(slipway.project, "server.mjs"), server);
    await slipway.write("good", "first");
    const up = await slipway.run("up", "--json");
    assert.equal(up.code, 0, up.words);
    const told = JSON.parse(up.out) as { listen: string[]; console: string };
    slipway.console = told.console;
    slipway.visitors = told.listen[0] ?? "";
    return slipway;
  }

  // From the source to visitors; gives the exit code.
  async ship(mode: "good" | "bad", name: string): Promise<Ended> {
    await this.write(mode, name);
    return this.run("ship");
  }

  // A link to sign in at the console, good once and for a minute.
  async signInLink(): Promise<string> {
    const given = await this.run("console", "--json");
    assert.equal(given.code, 0, given.words);
    return (JSON.parse(given.out) as { url: string }).url;
  }

  // Visitors who do not stop asking.
  arrive(): void {
    this.isLoaded = true;
    this.load = Array.from({ length: 8 }, async (_, place) => {
      while (this.isLoaded) {
        const answer = await fetch(this.visitors, { headers: { "user-agent": `visitor ${place}` } });
        await answer.text();
      }
    });
  }

  async leave(): Promise<void> {
    this.isLoaded = false;
    await Promise.all(this.load);
  }

  async end(): Promise<void> {
    const left = await Promise.allSettled([this.leave()]);
    const down = await this.run("down");
    assert.equal(down.code, 0, down.words);
    await rm(this.folder, { recursive: true });
    assert.deepEqual(left.map((l) => l.status), ["fulfilled"]);
  }

  private get project(): string {
    return join(this.folder, "project");
  }

  private async write(mode: string, name: string): Promise<void> {
    await writeFile(join(this.project, "slipway.toml"), pipeline(mode, name));
  }

  private run(...words: string[]): Promise<Ended> {
    const argv = ["--state", join(this.folder, "state"), "--project", this.project, ...words];
    return new Promise((resolve) => {
      execFile(program ?? "", argv, { timeout: 90_000, env: { ...process.env, NO_COLOR: "1" } }, (error, out, err) => {
        const code = error === null ? 0 : Number(error.code ?? -1);
        resolve({ code, out, words: `${words.join(" ")} ended with ${code}\n${out}\n${err}` });
      });
    });
  }
}
