/** Mutual handshakes with Node's TLS, one after the other. */
import { readFileSync } from "node:fs";
import { connect } from "node:tls";

const [folder, port, count] = process.argv.slice(2);
const file = (name) => readFileSync(`${folder}/${name}`, "utf8");
const options = {
  host: "127.0.0.1",
  port: Number(port),
  servername: "localhost",
  ca: file("ca-ec.crt"),
  cert: file("client-ec.crt"),
  key: file("client-ec.key"),
  maxVersion: "TLSv1.2",
};
for (let i = 0; i < Number(count); i++)
  await new Promise((resolve, reject) => {
    const socket = connect(options);
    let text = "";
    socket.on("data", (data) => (text += data));
    socket.on("error", reject);
    socket.on("end", () => (text === "hello" ? resolve() : reject(new Error(`got "${text}"`))));
  });
const { user, system } = process.cpuUsage();
console.log(user + system);
