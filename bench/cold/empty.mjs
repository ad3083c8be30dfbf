/** A process that reads the same files and does nothing: what the others are compared with. */
import { readFileSync } from "node:fs";

for (const name of ["ca-ec.crt", "client-ec.crt", "client-ec.key"]) readFileSync(`${process.argv[2]}/${name}`, "utf8");
const { user, system } = process.cpuUsage();
console.log(user + system);
