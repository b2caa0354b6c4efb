import { startRedisServer } from "../src/testing.ts";

/** A program that starts a server, says where it is, and ends as it is told to: `exit`, `throw`, or by whoever ends it. */
const [way, path] = process.argv.slice(2);
const server = await startRedisServer();
if (path === "paused") server.pause();
console.log(JSON.stringify({ port: server.port, folder: server.folder }));
if (way === "exit") process.exit();
if (way === "throw") throw new Error("a test that fails");
setInterval(() => {}, 60_000);
