/** The app side of the example: it asks the device for something by writing `desired`, and reads what became of it. */

import { type ConnectThingOptions, connectThing, type Thing } from "thingwire/node";
import type { Room } from "./thing-shadow.ts";

/** What the service holds: any part of the room may be missing. */
export interface AppDocument {
  readonly desired: { readonly [Key in keyof Room]?: Room[Key] | undefined };
  readonly reported: { readonly [Key in keyof Room]?: Room[Key] | undefined };
  readonly version: number;
}

export class App {
  readonly #connection: Thing;
  readonly #log: (line: string) => void;

  private constructor(connection: Thing, log: (line: string) => void) {
    this.#connection = connection;
    this.#log = log;
  }

  /** Connects beside the device, with a client id of its own: two clients with one id would push each other out. */
  static async connect(device: ConnectThingOptions, log: (line: string) => void): Promise<App> {
    return new App(await connectThing({ ...device, clientId: `${device.thingName}-app` }), log);
  }

  /** Asks for the window to be opened or closed. */
  async askForWindow(windowOpen: boolean): Promise<void> {
    this.#log(`App: desired windowOpen ${windowOpen}`);
    await this.#connection.shadow<Room>().desire({ windowOpen });
  }

  /** What the service holds now. */
  async document(): Promise<AppDocument> {
    const { state, version } = await this.#connection.shadow<Room>().get();
    return { desired: state.desired ?? {}, reported: state.reported ?? {}, version };
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }
}
