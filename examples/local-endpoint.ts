/** Starts the local AWS IoT endpoint and gives the device its credentials, as a download from the AWS IoT console would. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { embedCredentials, type LocalEndpoint, startLocalEndpoint } from "thingwire/simulator/node";
import { parseCertificate, parsePem } from "thingwire/tls/x509";

export interface LocalOptions {
  /** Where the endpoint keeps its CA. */
  readonly dir: string;
  /** Where the device's files go. */
  readonly certs: string;
  readonly thing: string;
}

/** Starts it on a free port and writes `client.crt`, `client.key` and `credentials.js`. */
export async function startLocal({ dir, certs, thing }: LocalOptions): Promise<LocalEndpoint> {
  const endpoint = await startLocalEndpoint({ dir, port: 0, thingName: thing });
  try {
    const { device } = endpoint.folder;
    const certificateFile = join(certs, "client.crt");
    const privateKeyFile = join(certs, "client.key");
    refuseForeign(certificateFile, privateKeyFile);
    // The certificate first: a key alone would be taken for somebody's.
    writeFileSync(certificateFile, device.certificatePem);
    writeFileSync(privateKeyFile, device.privateKeyPem, { mode: 0o600 });
    embedCredentials({ certificateFile, privateKeyFile }, join(certs, "credentials.js"));
    return endpoint;
  } catch (error) {
    await endpoint.close();
    throw error;
  }
}

/** What somebody put there is not overwritten: the key may exist nowhere else. */
function refuseForeign(file: string, keyFile: string): void {
  if (!existsSync(file)) {
    if (!existsSync(keyFile)) return;
    throw new Error(
      `${keyFile} has no client.crt beside it, and is not overwritten: add the certificate, or move it away`,
    );
  }
  const [block] = parsePem(readFileSync(file, "utf8"));
  const issuer = block === undefined ? "nobody" : parseCertificate(block.der).issuer.toString();
  if (!issuer.includes("thingwire local CA"))
    throw new Error(
      `${file} was issued by ${issuer}, not by the local endpoint, and is not overwritten: run with --endpoint HOST to use it, or move it away`,
    );
}
