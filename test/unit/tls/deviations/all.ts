/**
 * All that a server does wrong in the tests of the client: one table, which `deviations.test.ts` tries and `docs/TLS.md` shows.
 *
 * @module
 */

import { alertDeviations } from "./alerts.ts";
import { certificateDeviations } from "./certificate.ts";
import type { Deviation } from "./deviation.ts";
import { finishedDeviations } from "./finished.ts";
import { helloDeviations } from "./hello.ts";
import { keyExchangeDeviations } from "./key-exchange.ts";
import { orderDeviations } from "./order.ts";
import { recordDeviations } from "./records.ts";
import { requestDeviations } from "./request.ts";
import { statusDeviations } from "./status.ts";

export const deviations: readonly Deviation[] = [
  ...recordDeviations,
  ...helloDeviations,
  ...certificateDeviations,
  ...statusDeviations,
  ...keyExchangeDeviations,
  ...requestDeviations,
  ...finishedDeviations,
  ...alertDeviations,
  ...orderDeviations,
];
