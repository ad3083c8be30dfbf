/**
 * Secrets are overwritten however a connection ends: a provider that remembers every secret that it gave away, and all ways to end, at
 * each point of the handshake.
 */
import { describe, expect, it } from "vitest";
import { concat } from "../../../src/bytes.ts";
import { map } from "../../../src/task.ts";
import type { Aead, CryptoProvider, KeyExchange } from "../../../src/tls/crypto/provider.ts";
import { allSignatureSchemes } from "../../../src/tls/suites.ts";
import { crypto, Driver, ecIdentity } from "./client.ts";
import { ScriptedClient } from "./scripted-client.ts";
import { plain, ScriptedServer } from "./scripted-server.ts";
import { ServerDriver } from "./server.ts";

const REQUEST = { types: [64], schemes: allSignatureSchemes.map(({ id }) => id), authorities: [] };

class Witness {
  /** Premaster and master secrets and key blocks, by name. */
  readonly secrets: [name: string, bytes: Uint8Array][] = [];
  /** Ephemeral keys and traffic keys that are not wiped. */
  readonly alive = new Set<string>();

  provider(): CryptoProvider {
    const keep = (name: string) => (bytes: Uint8Array) => {
      this.secrets.push([name, bytes]);
      return bytes;
    };
    const watch = <T extends { wipe(): void }>(name: string, target: T): T => {
      const id = `${name} ${this.alive.size}`;
      this.alive.add(id);
      const { wipe } = target;
      target.wipe = () => {
        this.alive.delete(id);
        wipe.call(target);
      };
      return target;
    };
    return new Proxy(crypto, {
      get: (target, property) => {
        const value = Reflect.get(target, property);
        if (typeof value !== "function") return value;
        return (...args: never[]) => {
          const result = value.apply(target, args);
          if (property === "prf" && !String(args[2]).endsWith("finished")) return map(result, keep(args[2]!));
          if (property === "aead") return watch<Aead>("aead", result);
          if (property !== "keyExchange") return result;
          return map(result, (exchange: KeyExchange) => {
            const { shared } = exchange;
            exchange.shared = (peer) =>
              map(shared.call(exchange, peer), (bytes) => (bytes === undefined ? bytes : keep("premaster")(bytes)));
            return watch("ephemeral key", exchange);
          });
        };
      },
    });
  }

  get left(): string[] {
    const readable = this.secrets.filter(([, bytes]) => bytes.some((byte) => byte !== 0)).map(([name]) => name);
    return [...readable, ...this.alive];
  }
}

/** Bytes of the server as far as the handshake goes, one record at a time, until `count` records went in. */
function upTo(count: number, witness: Witness): Driver {
  const server = new ScriptedServer({ request: REQUEST });
  const driver = new Driver({ identity: ecIdentity, crypto: witness.provider() });
  let fed = 0;
  for (let out = driver.output.shift(); out !== undefined; out = driver.output.shift()) {
    const answer = server.receive(out);
    for (let at = 0; at < answer.length && fed < count; fed++) {
      const length = 5 + ((answer[at + 3]! << 8) | answer[at + 4]!);
      driver.feed(answer.subarray(at, at + length));
      at += length;
    }
  }
  expect(fed).toBe(count);
  return driver;
}

const ALL = 7;
const endings: [title: string, end: (driver: Driver) => void][] = [
  ["destroy()", ({ client }) => client.destroy()],
  ["fail()", ({ client }) => client.fail(new Error("reset"))],
  ["the peer's end", ({ client }) => client.end()],
  ["a wrong record", (driver) => driver.feed(plain(99, new Uint8Array(30)))],
];

describe("secrets", () => {
  it("premaster secret and ephemeral key are gone as soon as the master secret is there; the master secret lives", () => {
    const witness = new Witness();
    const driver = upTo(ALL, witness);
    expect(driver.isSecured).toBe(true);
    expect(witness.secrets.map(([name]) => name)).toEqual(["premaster", "extended master secret", "key expansion"]);
    expect(witness.left).toEqual(["extended master secret", "aead 0", "aead 1"]);
  });

  it("the hashes of the transcript are gone once data may pass, not only at the end", () => {
    let alive = 0;
    const counting = new Proxy(crypto, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== "function") return value;
        if (property !== "hash") return value.bind(target);
        return (...args: Parameters<CryptoProvider["hash"]>) => {
          const hash = target.hash(...args);
          const { wipe } = hash;
          hash.wipe = () => {
            alive--;
            wipe.call(hash);
          };
          alive++;
          return hash;
        };
      },
    });
    const server = new ScriptedServer({ request: REQUEST });
    const driver = new Driver({ identity: ecIdentity, crypto: counting });
    driver.feed(server.receive(concat(driver.output.splice(0))));
    expect(alive).toBeGreaterThan(0);
    driver.feed(server.receive(concat(driver.output.splice(0))));
    expect(driver.isSecured).toBe(true);
    expect(alive).toBe(0);
  });

  for (const [title, end] of endings)
    it(`${title} at any point leaves none`, () => {
      for (let count = 0; count <= ALL; count++) {
        const witness = new Witness();
        const driver = upTo(count, witness);
        expect(witness.left.length > 0).toBe(count >= 5);
        end(driver);
        driver.rest();
        expect(witness.left, `after ${count} records`).toEqual([]);
      }
    });

  it("close() leaves none in a handshake; in traffic the peer's answer does", () => {
    for (let count = 0; count < ALL; count++) {
      const witness = new Witness();
      const driver = upTo(count, witness);
      driver.client.close();
      driver.rest();
      expect(witness.left).toEqual([]);
    }
    const witness = new Witness();
    const driver = upTo(ALL, witness);
    driver.client.close();
    driver.rest();
    expect(witness.left).not.toEqual([]);
    driver.client.end();
    driver.rest();
    expect(witness.left).toEqual([]);
  });
});

/** The server, after as many of the client's records as the handshake has, or fewer. */
function serverUpTo(count: number, witness: Witness): ServerDriver {
  const client = new ScriptedClient();
  const driver = new ServerDriver({ crypto: witness.provider() });
  let fed = 0;
  for (let out = client.start(); out.length > 0; out = client.receive(concat(driver.output.splice(0))))
    for (let at = 0; at < out.length && fed < count; fed++) {
      const length = 5 + ((out[at + 3]! << 8) | out[at + 4]!);
      driver.feed(out.subarray(at, at + length));
      at += length;
    }
  expect(fed).toBe(count);
  return driver;
}

/** ClientHello, Certificate, ClientKeyExchange, CertificateVerify, ChangeCipherSpec, Finished. */
const ALL_OF_CLIENT = 6;
const serverEndings: [title: string, end: (driver: ServerDriver) => void][] = [
  ["destroy()", ({ server }) => server.destroy()],
  ["abort()", ({ server }) => server.abort(80)],
  ["fail()", ({ server }) => server.fail(new Error("reset"))],
  ["the client's end", ({ server }) => server.end()],
  ["a wrong record", (driver) => driver.feed(plain(99, new Uint8Array(30)))],
];

describe("secrets of the server", () => {
  it("premaster secret and ephemeral key are gone as soon as the master secret is there; the master secret lives", () => {
    const witness = new Witness();
    const driver = serverUpTo(ALL_OF_CLIENT, witness);
    expect(driver.secured).toBeDefined();
    expect(witness.secrets.map(([name]) => name)).toEqual(["premaster", "extended master secret", "key expansion"]);
    expect(witness.left).toEqual(["extended master secret", "aead 0", "aead 1"]);
  });

  for (const [title, end] of serverEndings)
    it(`${title} at any point leaves none`, () => {
      for (let count = 0; count <= ALL_OF_CLIENT; count++) {
        const witness = new Witness();
        const driver = serverUpTo(count, witness);
        expect(witness.left.length > 0).toBe(count >= 1);
        end(driver);
        driver.rest();
        expect(witness.left, `after ${count} records`).toEqual([]);
      }
    });
});
