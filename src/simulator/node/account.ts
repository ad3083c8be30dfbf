/**
 * A simulated account in a folder: its CA and server, and the cloud whose registry and shadows are kept in its journal. Ports or not: the
 * endpoint listens in front of it, the registry's commands change it while no endpoint runs.
 *
 * @module
 */

import { nodeCrypto } from "../../runtime/node-crypto.ts";
import { nodeRuntime } from "../../runtime/node-ports.ts";
import { generateRsaKey } from "../../runtime/node-rsa.ts";
import { type Cloud, type CreateThingOptions, type SimulateOptions, simulate } from "../cloud.ts";
import { type AuthorityFolder, openAuthority, openFolder, type StoredDevice, storeDevice } from "./folder.ts";
import { openJournal } from "./journal.ts";

/** Options of {@link openAccount}: those of the cloud, but for what the folder brings. */
export interface AccountOptions
  extends Omit<Partial<SimulateOptions>, "authority" | "server" | "serverNames" | "ledger" | "generateRsaKey"> {
  /** Where it lives: certificates, keys, registry and shadows; `.thingwire` in the working folder by default. */
  readonly dir?: string | undefined;
}

/** An account that holds its folder until it is closed. */
export interface Account {
  readonly dir: string;
  readonly cloud: Cloud;
  readonly folder: AuthorityFolder;
  /** As {@link Cloud.createThing}, with the files of certificate and key, which exist nowhere else. */
  createThing(thingName: string, options?: CreateThingOptions): Promise<StoredDevice>;
  /** The certificate of `things/NAME/client.crt`; made, registered and attached where it is not there. `policy` is for that case. */
  ensureThing(thingName: string, policy?: CreateThingOptions["policy"]): StoredDevice;
  /** Drops all connections and lets go of the folder. */
  close(): Promise<void>;
}

/**
 * Opens the account of a folder, which is made where it is missing.
 *
 * Errors: `USAGE_INVALID_ARGUMENT` where the folder cannot be written, belongs to a simulator that runs, or a file in it is damaged.
 */
export async function openAccount(options: AccountOptions = {}): Promise<Account> {
  const { dir = ".thingwire", runtime = nodeRuntime, crypto = nodeCrypto() } = options;
  const ports = { crypto, random: runtime.random, clock: runtime.clock };
  const journal = openJournal(dir);
  try {
    const folder = openAuthority(dir, ports);
    const cloud = await simulate({
      ...options,
      ...{ runtime, crypto, ledger: journal, generateRsaKey },
      authority: folder.authority,
      server: folder.server.issued,
      serverNames: ["localhost", "127.0.0.1", "::1"],
    });
    return {
      ...{ dir, cloud, folder },
      createThing: async (thingName, thingOptions) =>
        storeDevice(dir, await cloud.createThing(thingName, thingOptions)),
      ensureThing(thingName, policy) {
        const { device } = openFolder(dir, thingName, ports);
        if (cloud.certificates.find(device.certificateId) === undefined)
          cloud.adopt(device.certificate, { thingName, policyName: cloud.policyFor(thingName, policy) });
        return device;
      },
      async close() {
        await cloud.close();
        journal.close();
      },
    };
  } catch (error) {
    journal.close();
    throw error;
  }
}
